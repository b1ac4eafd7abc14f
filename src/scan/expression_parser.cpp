#include "scan/expression_parser.h"

#include "base/letter_case.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace questlog::scan {
namespace {

constexpr std::array<std::string_view, 19> keywords{"and",  "or",   "not",   "is",       "null", "in",  "between",
                                                    "like", "case", "when",  "then",     "else", "end", "cast",
                                                    "as",   "true", "false", "distinct", "from"};

/// Bare, these are calls in one engine or both.
constexpr std::array<std::string_view, 9> functions_without_parentheses{
    "current_date", "current_time", "current_timestamp", "current_user",  "current_catalog",
    "session_user", "user",         "localtime",         "localtimestamp"};

} // namespace

bool ExpressionParser::is_keyword(std::string_view keyword, std::size_t ahead) const {
    const std::size_t token = std::min(next_ + ahead, tokens_.size() - 1);
    return tokens_[token].kind == TokenKind::word && equal_but_for_case(tokens_[token].text, keyword);
}

bool ExpressionParser::is_symbol(std::string_view symbol) const {
    return now().kind == TokenKind::symbol && now().text == symbol;
}

bool ExpressionParser::take_keyword(std::string_view keyword) {
    if (!is_keyword(keyword)) return false;
    ++next_;
    return true;
}

bool ExpressionParser::take_symbol(std::string_view symbol) {
    if (!is_symbol(symbol)) return false;
    ++next_;
    return true;
}

Status ExpressionParser::expect_keyword(std::string_view keyword) {
    return take_keyword(keyword) ? Status() : unexpected(keyword);
}

Status ExpressionParser::expect_symbol(std::string_view symbol, std::string_view where) {
    return take_symbol(symbol) ? Status() : unexpected(fmt::format("{} {}", symbol, where));
}

Error ExpressionParser::refuse_at(std::size_t token, std::string_view message) const {
    return refuse(text_, start_, tokens_[token].at, message);
}

Error ExpressionParser::unexpected(std::string_view wanted) const {
    if (now().kind == TokenKind::end)
        return refuse_at(next_, fmt::format("the expression ends here; expected {}", wanted));
    return refuse_at(next_, fmt::format("expected {}, found {}", wanted, now().text));
}

Result<NodePtr> ExpressionParser::make(Op op, Kind kind, std::string text, std::vector<NodePtr> children,
                                       bool negated) {
    if (++terms_ > expression_terms_max)
        return refuse_at(next_, fmt::format("an expression has at most {} terms", expression_terms_max));
    return std::make_shared<const Expression::Node>(
        Expression::Node{op, kind, negated, std::move(text), std::move(children)});
}

Result<NodePtr> ExpressionParser::parse(Role role) {
    if (now().kind == TokenKind::end) return refuse_at(next_, "the expression is empty");
    TRY(root, disjunction());
    if (now().kind != TokenKind::end) {
        return unexpected("an operator or the end (allowed are = <> < <= > >=, AND, OR, NOT, IS, IN, BETWEEN, LIKE, "
                          "+ - * / %, ||)");
    }
    if (role == Role::filter)
        CHECK_OK(expect_kind(root, Kind::boolean, "a filter is a condition, such as level > 3; this"));
    return root.node;
}

Result<ExpressionParser::Operand> ExpressionParser::disjunction() {
    if (++depth_ > expression_depth_max)
        return refuse_at(next_, fmt::format("this is nested more than {} deep", expression_depth_max));
    TRY(left, conjunction());
    while (is_keyword("or")) {
        ++next_;
        TRY(right, conjunction());
        CHECK_OK(expect_kind(left, Kind::boolean, "OR joins conditions; this"));
        CHECK_OK(expect_kind(right, Kind::boolean, "OR joins conditions; this"));
        TRY(node, make(Op::or_, Kind::boolean, "", {left.node, right.node}));
        left.node = std::move(node);
    }
    --depth_;
    return left;
}

Result<ExpressionParser::Operand> ExpressionParser::conjunction() {
    TRY(left, negation());
    while (is_keyword("and")) {
        ++next_;
        TRY(right, negation());
        CHECK_OK(expect_kind(left, Kind::boolean, "AND joins conditions; this"));
        CHECK_OK(expect_kind(right, Kind::boolean, "AND joins conditions; this"));
        TRY(node, make(Op::and_, Kind::boolean, "", {left.node, right.node}));
        left.node = std::move(node);
    }
    return left;
}

Result<ExpressionParser::Operand> ExpressionParser::negation() {
    const std::size_t first = next_;
    std::size_t nots = 0;
    while (take_keyword("not")) ++nots;
    TRY(operand, predicate());
    if (nots == 0) return operand;
    CHECK_OK(expect_kind(operand, Kind::boolean, "NOT turns a condition round; this"));
    for (; nots > 0; --nots) {
        TRY(node, make(Op::not_, Kind::boolean, "", {operand.node}));
        operand.node = std::move(node);
    }
    return Operand{operand.node, first};
}

Result<ExpressionParser::Operand> ExpressionParser::sum() {
    TRY(left, product());
    std::string_view kin; // The two engines bind || and + differently to each other.
    while (is_symbol("+") || is_symbol("-") || is_symbol("||")) {
        const std::string symbol = now().text;
        const std::string_view kind = symbol == "||" ? "||" : "+-";
        if (!kin.empty() && kin != kind)
            return refuse_at(next_, "DuckDB and Spark group || with + and - differently: set parentheses");
        kin = kind;
        ++next_;
        TRY(right, product());
        if (symbol == "||") {
            CHECK_OK(check_text(left));
            CHECK_OK(check_text(right));
            TRY(node, make(Op::concat, Kind::string, "", {left.node, right.node}));
            left.node = std::move(node);
        } else {
            TRY(joined, arithmetic(symbol, left, right));
            left = std::move(joined);
        }
    }
    return left;
}

Result<ExpressionParser::Operand> ExpressionParser::product() {
    TRY(left, sign());
    while (is_symbol("*") || is_symbol("/") || is_symbol("%")) {
        const std::string symbol = now().text;
        ++next_;
        TRY(right, sign());
        if (symbol != "*") CHECK_OK(check_divisor(right));
        TRY(joined, arithmetic(symbol, left, right));
        left = std::move(joined);
    }
    return left;
}

Result<ExpressionParser::Operand> ExpressionParser::sign() {
    const std::size_t first = next_;
    if (is_symbol("+")) return refuse_at(next_, "leave the + before a number out");
    if (!take_symbol("-")) return primary();
    if (now().kind == TokenKind::integer || now().kind == TokenKind::decimal) {
        TRY(number, literal(true));
        return Operand{number.node, first};
    }
    TRY(operand, primary());
    const Kind kind = operand.node->kind;
    if (kind == Kind::string || kind == Kind::boolean) return refuse_at(operand.token, "- needs a number");
    TRY(node, make(Op::negate, kind, "", {operand.node}));
    return Operand{std::move(node), first};
}

Result<ExpressionParser::Operand> ExpressionParser::primary() {
    const std::size_t first = next_;
    switch (now().kind) {
    case TokenKind::string:
    case TokenKind::integer:
    case TokenKind::decimal: return literal(false);
    case TokenKind::quoted_name: {
        std::string name = now().text;
        ++next_;
        if (is_symbol("(")) return refuse_at(first, "a function's name is written without quotes");
        TRY(node, make(Op::column, Kind::unknown, std::move(name), {}));
        return Operand{std::move(node), first};
    }
    case TokenKind::word: return word();
    case TokenKind::symbol: {
        if (!take_symbol("(")) return unexpected("a value");
        if (is_keyword("select")) return refuse_at(next_, "a subquery is not allowed: a job works row by row");
        TRY(inner, disjunction());
        CHECK_OK(expect_symbol(")", "to close the parenthesis"));
        return Operand{inner.node, first};
    }
    case TokenKind::end: return unexpected("a value");
    }
    return unexpected("a value");
}

Result<ExpressionParser::Operand> ExpressionParser::word() {
    const std::size_t first = next_;
    const std::string lower = lower_ascii(now().text);
    if (lower == "case") return case_when();
    if (lower == "cast") return cast();
    if (lower == "null" || lower == "true" || lower == "false") {
        ++next_;
        const Op op = lower == "null" ? Op::null : Op::boolean;
        TRY(node, make(op, op == Op::null ? Kind::null : Kind::boolean, lower == "true" ? "TRUE" : "FALSE", {}));
        return Operand{std::move(node), first};
    }
    for (const std::string_view keyword : keywords) {
        if (lower == keyword) return unexpected("a value (a column of this name is written in double quotes)");
    }
    if (lower == "select" || lower == "exists")
        return refuse_at(first, "a query is not allowed here: a job works row by row");
    for (const std::string_view function : functions_without_parentheses) {
        if (lower != function) continue;
        return refuse_at(first, fmt::format("{} is a function and its value is not in the event; a column of this name "
                                            "is written \"{}\"",
                                            lower, now().text));
    }
    const Token& after = tokens_[next_ + 1];
    if (after.kind == TokenKind::symbol && after.text == "(") return call();
    TRY(node, make(Op::column, Kind::unknown, now().text, {}));
    ++next_;
    return Operand{std::move(node), first};
}

} // namespace questlog::scan
