#include "scan/expression_parser.h"

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

/// The parts of ExpressionParser that make conditions and literals, and the checks of types.
namespace questlog::scan {
namespace {

std::string_view name_of(Kind kind) {
    switch (kind) {
    case Kind::unknown: return "unknown";
    case Kind::null: return "NULL";
    case Kind::boolean: return "a boolean";
    case Kind::bigint: return "an integer";
    case Kind::double_: return "a double";
    case Kind::string: return "a text";
    }
    return "unknown";
}

bool is_open(Kind kind) {
    return kind == Kind::unknown || kind == Kind::null;
}

bool is_literal(const Expression::Node& node) {
    return node.op == Op::null || node.op == Op::boolean || node.op == Op::bigint || node.op == Op::double_ ||
           node.op == Op::string;
}

} // namespace

std::vector<NodePtr> ExpressionParser::nodes_of(std::span<const Operand> operands) {
    std::vector<NodePtr> nodes;
    for (const Operand& operand : operands) nodes.push_back(operand.node);
    return nodes;
}

Status ExpressionParser::expect_kind(const Operand& operand, Kind kind, std::string_view what) const {
    if (is_open(operand.node->kind) || operand.node->kind == kind) return {};
    return refuse_at(operand.token, fmt::format("{} is {}", what, name_of(operand.node->kind)));
}

/// The one type of values that meet in a comparison, a CASE or a coalesce.
Result<Kind> ExpressionParser::common_kind(std::span<const Operand> operands, std::string_view what) const {
    Kind common = Kind::null;
    bool with_column = false;
    for (const Operand& operand : operands) {
        const Kind kind = operand.node->kind;
        if (kind == Kind::unknown) with_column = true;
        if (is_open(kind) || kind == common) continue;
        if (common != Kind::null && !(is_number(kind) && is_number(common)))
            return refuse_at(operand.token, fmt::format("{} needs values of one type: this is {}, the one before is {}",
                                                        what, name_of(kind), name_of(common)));
        common = common == Kind::null ? kind : Kind::double_;
    }
    const bool column_decides =
        common == Kind::null || common == Kind::bigint; // A column of doubles makes it a double.
    return with_column && column_decides ? Kind::unknown : common;
}

Result<ExpressionParser::Operand> ExpressionParser::arithmetic(std::string symbol, Operand left, Operand right) {
    for (const Operand& operand : {left, right}) {
        if (is_open(operand.node->kind) || is_number(operand.node->kind)) continue;
        return refuse_at(operand.token,
                         fmt::format("{} needs numbers, and this is {}{}", symbol, name_of(operand.node->kind),
                                     symbol == "+" ? " (texts are joined with ||)" : ""));
    }
    const Kind a = left.node->kind;
    const Kind b = right.node->kind;
    Kind kind = Kind::unknown;
    if (symbol == "/" || a == Kind::double_ || b == Kind::double_)
        kind = Kind::double_;
    else if (a == Kind::bigint && b == Kind::bigint)
        kind = Kind::bigint;
    TRY(node, make(Op::arithmetic, kind, std::move(symbol), {left.node, right.node}));
    return Operand{std::move(node), left.token};
}

/// By zero, DuckDB gives infinity or NULL and Spark fails.
Status ExpressionParser::check_divisor(const Operand& divisor) const {
    const Expression::Node& node = *divisor.node;
    if ((node.op == Op::bigint || node.op == Op::double_) && std::strtod(node.text.c_str(), nullptr) != 0.0) return {};
    if (node.op == Op::function && node.text == "nullif") {
        const Expression::Node& zero = *node.children[1];
        if (is_number(zero.kind) && is_literal(zero) && std::strtod(zero.text.c_str(), nullptr) == 0.0) return {};
    }
    return refuse_at(divisor.token,
                     "DuckDB and Spark differ in what they make of a division by zero: divide by a number "
                     "other than 0, or by nullif(x, 0)");
}

/// Doubles have no text that both engines agree on.
Status ExpressionParser::check_text(const Operand& operand) const {
    if (operand.node->kind != Kind::double_) return {};
    return refuse_at(operand.token,
                     "DuckDB and Spark write doubles as text differently (1e+20, 1.0E20): keep it a number");
}

Result<ExpressionParser::Operand> ExpressionParser::predicate() {
    TRY(left, sum());
    TRY(result, predicate_of(std::move(left)));
    const bool another = is_keyword("is") || is_keyword("in") || is_keyword("between") || is_keyword("like") ||
                         is_symbol("=") || is_symbol("<>") || is_symbol("<") || is_symbol("<=") || is_symbol(">") ||
                         is_symbol(">=");
    if (another) return refuse_at(next_, fmt::format("set parentheses around the condition before {}", now().text));
    return result;
}

Result<ExpressionParser::Operand> ExpressionParser::predicate_of(Operand left) {
    for (const std::string_view symbol : {"=", "<>", "<", "<=", ">", ">="}) {
        if (is_symbol(symbol)) return comparison(std::move(left));
    }
    if (is_keyword("is")) return is_test(std::move(left));
    const bool negated = is_keyword("not") && (is_keyword("in", 1) || is_keyword("between", 1) ||
                                               is_keyword("like", 1) || is_keyword("ilike", 1));
    if (negated) ++next_;
    if (take_keyword("in")) return in_list(std::move(left), negated);
    if (take_keyword("between")) return between(std::move(left), negated);
    if (take_keyword("like")) return like(std::move(left), negated);
    for (const std::string_view word : {"ilike", "rlike", "regexp", "glob", "similar"}) {
        if (is_keyword(word)) return refuse_at(next_, fmt::format("{} is not in the subset: write LIKE", word));
    }
    return left;
}

Result<ExpressionParser::Operand> ExpressionParser::comparison(Operand left) {
    std::string symbol = now().text;
    ++next_;
    TRY(right, sum());
    CHECK_OK(common_kind(std::array{left, right}, "a comparison"));
    TRY(node, make(Op::compare, Kind::boolean, std::move(symbol), {left.node, right.node}));
    return Operand{std::move(node), left.token};
}

Result<ExpressionParser::Operand> ExpressionParser::is_test(Operand left) {
    ++next_;
    const bool negated = take_keyword("not");
    if (take_keyword("null")) {
        TRY(node, make(Op::is_null, Kind::boolean, "", {left.node}, negated));
        return Operand{std::move(node), left.token};
    }
    if (!take_keyword("distinct")) return unexpected("[NOT] NULL or [NOT] DISTINCT FROM");
    CHECK_OK(expect_keyword("from"));
    TRY(right, sum());
    CHECK_OK(common_kind(std::array{left, right}, "a comparison"));
    TRY(node, make(Op::distinct, Kind::boolean, "", {left.node, right.node}, negated));
    return Operand{std::move(node), left.token};
}

Result<ExpressionParser::Operand> ExpressionParser::in_list(Operand left, bool negated) {
    CHECK_OK(expect_symbol("(", "and a list of literals"));
    std::vector<Operand> operands{left};
    do {
        if (is_keyword("select")) return refuse_at(next_, "a subquery is not allowed: a job works row by row");
        TRY(value, sign());
        if (!is_literal(*value.node)) return refuse_at(value.token, "IN takes literals; join other conditions with OR");
        operands.push_back(std::move(value));
    } while (take_symbol(","));
    CHECK_OK(expect_symbol(")", "to close the list"));
    CHECK_OK(common_kind(operands, "IN"));
    TRY(node, make(Op::in, Kind::boolean, "", nodes_of(operands), negated));
    return Operand{std::move(node), left.token};
}

Result<ExpressionParser::Operand> ExpressionParser::between(Operand left, bool negated) {
    TRY(low, sum());
    CHECK_OK(expect_keyword("and"));
    TRY(high, sum());
    CHECK_OK(common_kind(std::array{left, low, high}, "BETWEEN"));
    TRY(node, make(Op::between, Kind::boolean, "", {left.node, low.node, high.node}, negated));
    return Operand{std::move(node), left.token};
}

Result<ExpressionParser::Operand> ExpressionParser::like(Operand left, bool negated) {
    CHECK_OK(check_text(left));
    if (now().kind != TokenKind::string) return refuse_at(next_, "LIKE takes a text as its pattern: 'purchase%'");
    TRY(pattern, literal(false));
    if (is_keyword("escape")) return refuse_at(next_, "LIKE has no ESCAPE here: _ and % cannot be escaped");
    TRY(node, make(Op::like, Kind::boolean, "", {left.node, pattern.node}, negated));
    return Operand{std::move(node), left.token};
}

Result<ExpressionParser::Operand> ExpressionParser::literal(bool negative) {
    const std::size_t at = next_++;
    const Token& token = tokens_[at];
    const std::string sign = negative ? "-" : "";
    if (token.kind == TokenKind::string) {
        TRY(node, make(Op::string, Kind::string, token.text, {}));
        return Operand{std::move(node), at};
    }
    if (token.kind == TokenKind::integer) {
        errno = 0;
        const long long value = std::strtoll((sign + token.text).c_str(), nullptr, 10);
        if (errno == ERANGE)
            return refuse_at(at,
                             "an integer lies between -9223372036854775808 and 9223372036854775807; with a point it "
                             "is a double");
        TRY(node, make(Op::bigint, Kind::bigint, std::to_string(value), {}));
        return Operand{std::move(node), at};
    }
    const double value = std::strtod((sign + token.text).c_str(), nullptr);
    if (!std::isfinite(value)) return refuse_at(at, "this number is too large for a double");
    std::string text = fmt::format("{}", value);
    if (text.find('e') == std::string::npos) text += "e0";
    TRY(node, make(Op::double_, Kind::double_, std::move(text), {}));
    return Operand{std::move(node), at};
}

} // namespace questlog::scan
