#pragma once

#include "base/result.h"
#include "event/schema.h"

#include <cstdint>
#include <functional>
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

/// What a column holds in the events that are read; null for one that no event has.
using ColumnTypes = std::function<event::ColumnType(std::string_view column)>;

class BoundExpression;

/// An SQL expression in the subset that DuckDB and Spark (ANSI mode, double-quoted identifiers) read alike
/// (docs/formats/jobs.md names it). Row-wise and deterministic. Immutable; copies share.
///
/// Types of columns are known only once events are read, so parse() checks what it can see: operands whose types are
/// known to differ are refused, a column goes with anything. What clients sent there decides bind(), which never fails.
class Expression {
public:
    /// `reject` at file:line:column for what is outside the subset, saying what to write instead. Lines are counted
    /// within `text`, columns in characters.
    static Result<Expression> parse(std::string_view text, const SourcePosition& at, Role role = Role::value);

    [[nodiscard]] const std::string& text() const; ///< As written.
    /// Equal for texts that are equal but for spaces, case of keywords and parentheses: what a digest is made of.
    [[nodiscard]] std::string normal_form() const;
    [[nodiscard]] std::vector<std::string> columns() const; ///< Read by it, each once, in order of first use.
    /// Where the expression, as a filter, can only be true for some values of event_type: those values, sorted.
    /// `event_type = 'a'`, IN lists, AND, OR and NOT of them. nullopt: it may be true for any; empty: it never is.
    [[nodiscard]] std::optional<std::vector<std::string>> event_types() const;

    /// The expression over columns of these types. It has a value for every row, whatever clients sent: a value that
    /// is not of the kind that its place asks for is NULL there (a text that is a JSON number counts as that number,
    /// the texts true and false as booleans), and so is a whole number beyond 64 bits.
    [[nodiscard]] BoundExpression bind(const ColumnTypes& types) const;

    struct Node;

private:
    explicit Expression(std::shared_ptr<const Node> root, std::string text, Role role);
    std::shared_ptr<const Node> root_;
    std::string text_;
    Role role_;
};

/// An Expression whose columns' types are known. Immutable; copies share.
class BoundExpression {
public:
    /// DuckDB's dialect, every identifier quoted. Its values are of type().
    [[nodiscard]] std::string sql() const;
    [[nodiscard]] std::string spark_sql() const;  ///< The same for Spark 3.5, ANSI mode.
    [[nodiscard]] event::ColumnType type() const; ///< null: it is NULL for every row, as a text.
    /// Those that it still reads, each once: columns that no event has are NULL in it.
    [[nodiscard]] std::vector<std::string> columns() const;
    /// Of these, the ones whose values may not be of the kind that their place asks for, each once: "price as a
    /// number".
    [[nodiscard]] const std::vector<std::string>& read_as() const;

private:
    friend class Expression;
    BoundExpression(std::shared_ptr<const Expression::Node> root, std::vector<std::string> read_as);
    std::shared_ptr<const Expression::Node> root_;
    std::vector<std::string> read_as_;
};

} // namespace questlog::scan
