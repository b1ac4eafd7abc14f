#pragma once

#include "base/result.h"

#include <cstdint>
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

/// What an expression is for: a filter must not be of a type that can be no condition.
enum class Role : std::uint8_t { value, filter };

/// An SQL expression in the subset that DuckDB and Spark (ANSI mode, double-quoted identifiers) read alike
/// (docs/formats/jobs.md names it). Row-wise and deterministic. Immutable; copies share.
///
/// Types of columns are known only once events are read, so parse() checks what it can see: operands whose types are
/// known to differ are refused, a column goes with anything.
class Expression {
public:
    /// `reject` at file:line:column for what is outside the subset, saying what to write instead. Lines are counted
    /// within `text`, columns in characters.
    static Result<Expression> parse(std::string_view text, const SourcePosition& at, Role role = Role::value);

    [[nodiscard]] const std::string& text() const; ///< As written.
    /// Normalised, every identifier quoted; DuckDB's dialect. Its values are BIGINT, DOUBLE, BOOLEAN or VARCHAR. Equal
    /// texts but for spaces, case of keywords and parentheses give equal SQL.
    [[nodiscard]] std::string sql() const;
    [[nodiscard]] std::string spark_sql() const;            ///< The same for Spark 3.5, ANSI mode.
    [[nodiscard]] std::vector<std::string> columns() const; ///< Read by it, each once, in order of first use.
    /// Where the expression, as a filter, can only be true for some values of event_type: those values, sorted.
    /// `event_type = 'a'`, IN lists, AND, OR and NOT of them. nullopt: it may be true for any; empty: it never is.
    [[nodiscard]] std::optional<std::vector<std::string>> event_types() const;

    struct Node;

private:
    explicit Expression(std::shared_ptr<const Node> root, std::string text);
    std::shared_ptr<const Node> root_;
    std::string text_;
};

} // namespace questlog::scan
