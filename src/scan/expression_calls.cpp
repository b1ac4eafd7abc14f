#include "scan/expression_parser.h"

#include "base/letter_case.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

/// The parts of ExpressionParser that call functions: CASE, CAST and the few that are the same in both engines.
namespace questlog::scan {
namespace {

constexpr std::string_view functions_allowed =
    "coalesce, nullif, length, trim, substr, replace, abs, CASE and CAST(x AS VARCHAR)";

constexpr std::array<std::pair<std::string_view, std::string_view>, 27> calls_advice{{
    {"concat", "DuckDB leaves NULLs out and Spark answers NULL: join texts with ||"},
    {"concat_ws", "join texts with ||"},
    {"lower", "DuckDB and Spark change the case of letters beyond ASCII differently"},
    {"lcase", "DuckDB and Spark change the case of letters beyond ASCII differently"},
    {"upper", "DuckDB and Spark change the case of letters beyond ASCII differently"},
    {"ucase", "DuckDB and Spark change the case of letters beyond ASCII differently"},
    {"initcap", "DuckDB and Spark change the case of letters beyond ASCII differently"},
    {"round", "DuckDB and Spark round doubles differently"},
    {"floor", "its type differs in DuckDB and Spark"},
    {"ceil", "its type differs in DuckDB and Spark"},
    {"ifnull", "write coalesce"},
    {"nvl", "write coalesce"},
    {"if", "write CASE WHEN ... THEN ... ELSE ... END"},
    {"iff", "write CASE WHEN ... THEN ... ELSE ... END"},
    {"len", "write length"},
    {"char_length", "write length"},
    {"btrim", "write trim"},
    {"starts_with", "write LIKE 'text%'"},
    {"startswith", "write LIKE 'text%'"},
    {"contains", "write LIKE '%text%'"},
    {"random", "a job gives the same rows at every run"},
    {"rand", "a job gives the same rows at every run"},
    {"uuid", "a job gives the same rows at every run"},
    {"now", "a job gives the same rows at every run; the event's own time is the column timestamp"},
    {"count", "a job works row by row"},
    {"sum", "a job works row by row"},
    {"row_number", "a job works row by row"},
}};

} // namespace

std::string refused_function(std::string_view lower_case_name) {
    const auto known =
        std::find_if(calls_advice.begin(), calls_advice.end(), [&](auto& a) { return a.first == lower_case_name; });
    return fmt::format("{}() is not in the subset that DuckDB and Spark read alike{}{}. Allowed are {}",
                       lower_case_name, known == calls_advice.end() ? "" : ": ",
                       known == calls_advice.end() ? "" : known->second, functions_allowed);
}

Result<ExpressionParser::Operand> ExpressionParser::case_when() {
    const std::size_t first = next_++;
    if (!is_keyword("when")) return refuse_at(next_, "CASE is followed by WHEN and a condition");
    std::vector<NodePtr> children;
    std::vector<Operand> values;
    const auto add_value = [&]() -> Status {
        TRY(value, disjunction());
        children.push_back(value.node);
        values.push_back(std::move(value));
        return {};
    };
    while (take_keyword("when")) {
        TRY(condition, disjunction());
        CHECK_OK(expect_kind(condition, Kind::boolean, "WHEN takes a condition; this"));
        if (condition.node->kind == Kind::null)
            return refuse_at(condition.token, "WHEN takes a condition; Spark takes no NULL");
        children.push_back(condition.node);
        CHECK_OK(expect_keyword("then"));
        CHECK_OK(add_value());
    }
    if (take_keyword("else")) CHECK_OK(add_value());
    CHECK_OK(expect_keyword("end"));
    TRY(kind, common_kind(values, "CASE"));
    TRY(node, make(Op::case_, kind, "", std::move(children)));
    return Operand{std::move(node), first};
}

Result<ExpressionParser::Operand> ExpressionParser::cast() {
    const std::size_t first = next_++;
    CHECK_OK(expect_symbol("(", "after CAST"));
    TRY(operand, disjunction());
    CHECK_OK(expect_keyword("as"));
    if (!take_keyword("varchar") && !take_keyword("string")) {
        return refuse_at(next_,
                         "CAST goes AS VARCHAR (or STRING) only: DuckDB rounds where Spark cuts off, and each reads "
                         "other texts as numbers. Declare the field's type with the event instead");
    }
    if (is_symbol("(")) return refuse_at(next_, "VARCHAR takes no length: DuckDB does not apply it");
    CHECK_OK(expect_symbol(")", "to close CAST"));
    CHECK_OK(check_text(operand));
    TRY(node, make(Op::cast_text, Kind::string, "", {operand.node}));
    return Operand{std::move(node), first};
}

Result<ExpressionParser::Operand> ExpressionParser::call() {
    const std::size_t first = next_;
    std::string name = lower_ascii(now().text);
    if (name == "substring") name = "substr";
    static constexpr std::array<std::string_view, 7> allowed{"coalesce", "nullif",  "length", "trim",
                                                             "substr",   "replace", "abs"};
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end())
        return refuse_at(first, refused_function(name));
    next_ += 2;
    std::vector<Operand> arguments;
    if (!is_symbol(")")) {
        do {
            TRY(argument, disjunction());
            arguments.push_back(std::move(argument));
        } while (take_symbol(","));
    }
    CHECK_OK(expect_symbol(")", fmt::format("to close {}(", name)));
    TRY(node, checked_call(name, first, arguments));
    return Operand{std::move(node), first};
}

Result<NodePtr> ExpressionParser::checked_call(const std::string& name, std::size_t at,
                                               std::span<const Operand> arguments) {
    const std::size_t count = arguments.size();
    const auto takes = [&](std::size_t least, std::size_t most, std::string_view usage) -> Status {
        return count >= least && count <= most ? Status() : refuse_at(at, fmt::format("write {}", usage));
    };
    const auto whole_number = [&](const Operand& operand, long long least, std::string_view what) -> Status {
        const Expression::Node& node = *operand.node;
        if (node.op == Op::bigint && node.text.size() < 10 && std::stoll(node.text) >= least) return {};
        return refuse_at(operand.token,
                         fmt::format("{} is a whole number from {} to 999999999: DuckDB and Spark differ in "
                                     "what else they make of it",
                                     what, least));
    };
    Kind kind = Kind::string;
    if (name == "coalesce") {
        CHECK_OK(takes(2, expression_terms_max, "coalesce(x, y, ...)"));
        TRY(common, common_kind(arguments, "coalesce"));
        kind = common;
    } else if (name == "nullif") {
        CHECK_OK(takes(2, 2, "nullif(x, y)"));
        CHECK_OK(common_kind(arguments, "nullif"));
        kind = arguments[0].node->kind;
    } else if (name == "abs") {
        CHECK_OK(takes(1, 1, "abs(x)"));
        kind = arguments[0].node->kind;
        if (kind == Kind::string || kind == Kind::boolean) return refuse_at(arguments[0].token, "abs needs a number");
    } else {
        if (name == "length") CHECK_OK(takes(1, 1, "length(x)"));
        if (name == "trim") CHECK_OK(takes(1, 1, "trim(x); it removes spaces from both ends"));
        if (name == "substr") CHECK_OK(takes(2, 3, "substr(x, start) or substr(x, start, length)"));
        if (name == "replace") CHECK_OK(takes(3, 3, "replace(x, 'what', 'with')"));
        CHECK_OK(check_text(arguments[0]));
        if (name == "length") kind = Kind::bigint;
        if (name == "substr") {
            CHECK_OK(whole_number(arguments[1], 1, "the start"));
            if (count == 3) CHECK_OK(whole_number(arguments[2], 0, "the length"));
        }
        if (name == "replace") {
            for (std::size_t i = 1; i < count; ++i)
                CHECK_OK(expect_kind(arguments[i], Kind::string, "replace takes texts; this"));
            if (arguments[1].node->op != Op::string || arguments[1].node->text.empty())
                return refuse_at(arguments[1].token, "what is replaced is a text that is not empty");
            CHECK_OK(check_text(arguments[2]));
        }
    }
    return make(Op::function, kind, name, nodes_of(arguments));
}

} // namespace questlog::scan
