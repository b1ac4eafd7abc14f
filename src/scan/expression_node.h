#pragma once

#include "scan/expression.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The tree behind scan::Expression; for the expression_*.cpp files, and relation.cpp, alone.
namespace questlog::scan {

/// What is known of a value's type before any event is read.
enum class Kind : std::uint8_t {
    unknown, ///< Depends on a column.
    null,    ///< NULL, whatever the type.
    boolean,
    bigint,
    double_,
    string,
};
[[nodiscard]] inline bool is_number(Kind kind) {
    return kind == Kind::bigint || kind == Kind::double_;
}

enum class Op : std::uint8_t {
    null,       ///< NULL, of the node's kind
    boolean,    ///< text: "TRUE" or "FALSE"
    bigint,     ///< text: digits, with "-" where negative
    double_,    ///< text: with an exponent, "1.5e0"
    string,     ///< text: its content
    column,     ///< text: its name
    negate,     ///< -a
    arithmetic, ///< text: + - * / %
    concat,     ///< a || b
    compare,    ///< text: = <> < <= > >=
    distinct,   ///< a IS [NOT] DISTINCT FROM b
    is_null,    ///< a IS [NOT] NULL
    in,         ///< a [NOT] IN (literals)
    between,    ///< a [NOT] BETWEEN b AND c
    like,       ///< a [NOT] LIKE pattern
    not_,
    and_,
    or_,
    case_,      ///< CASE WHEN a THEN b ... [ELSE z] END: pairs, then z if there is an odd one
    cast_text,  ///< CAST(a AS VARCHAR)
    function,   ///< text: name in lower case
    number_of,  ///< Of a text: the number that it is in JSON, else NULL. Only in bound trees.
    boolean_of, ///< Of a text: true or false, else NULL. Only in bound trees.
};

struct Expression::Node {
    Op op = Op::null;
    Kind kind = Kind::null;
    bool negated = false; ///< The NOT inside IS NOT NULL, NOT IN, NOT BETWEEN, NOT LIKE, IS NOT DISTINCT FROM.
    std::string text;
    std::vector<std::shared_ptr<const Node>> children;
};

using NodePtr = std::shared_ptr<const Expression::Node>;

/// `root` with every column's kind known, and coercions where a kind does not fit its place. `read_as` is added to,
/// as BoundExpression::read_as() has it.
[[nodiscard]] NodePtr bind_tree(const Expression::Node& root, Role role, const ColumnTypes& types,
                                std::vector<std::string>& read_as);
void collect_columns(const Expression::Node& node, std::vector<std::string>& columns);

enum class Dialect : std::uint8_t { duckdb, spark };
[[nodiscard]] std::string quote_name(std::string_view name, Dialect dialect);
[[nodiscard]] std::string render(const Expression::Node& root, Dialect dialect);

} // namespace questlog::scan
