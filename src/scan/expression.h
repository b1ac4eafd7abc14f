#pragma once

#include "base/result.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::scan {

/// Where a text stands in the configuration, for errors: file:line:column of its first character.
struct SourcePosition {
    std::string file;
    int line = 0;
    int column = 0;
    [[nodiscard]] std::string text() const;
};

/// An SQL expression in the subset that DuckDB and Spark (ANSI mode, double-quoted identifiers) read alike
/// (docs/formats/jobs.md names it). Row-wise and deterministic. Immutable; copies share.
class Expression {
public:
    /// `reject` at file:line:column for what is outside the subset, saying what to write instead.
    static Result<Expression> parse(std::string_view text, const SourcePosition& at);

    [[nodiscard]] const std::string& text() const;        ///< As written.
    [[nodiscard]] std::string sql() const;                ///< Normalised, every identifier quoted; DuckDB's dialect.
    [[nodiscard]] std::vector<std::string> columns() const; ///< Read by it, each once, in order of first use.
    /// Where the expression, as a filter, can only be true for some values of event_type: those values, sorted.
    /// `event_type = 'a'`, IN lists, AND and OR of them. nullopt: it may be true for any.
    [[nodiscard]] std::optional<std::vector<std::string>> event_types() const;

    struct Node;
private:
    explicit Expression(std::shared_ptr<const Node> root, std::string text);
    std::shared_ptr<const Node> root_;
    std::string text_;
};

} // namespace questlog::scan
