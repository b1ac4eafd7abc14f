#include "scan/expression.h"

#include "scan/expression_node.h"
#include "scan/expression_parser.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <set>

namespace questlog::scan {
namespace {

using Node = Expression::Node;
using Types = std::optional<std::set<std::string>>; ///< nullopt: any.

Types both(const Types& one, const Types& other) {
    if (!one) return other;
    if (!other) return one;
    std::set<std::string> common;
    std::set_intersection(one->begin(), one->end(), other->begin(), other->end(), std::inserter(common, common.end()));
    return common;
}

Types either(const Types& one, const Types& other) {
    if (!one || !other) return std::nullopt;
    std::set<std::string> all = *one;
    all.insert(other->begin(), other->end());
    return all;
}

bool is_event_type(const Node& node) {
    return node.op == Op::column && node.text == "event_type";
}

/// `event_type = 'a'`, either way round: the text. An event always has an event_type, so it is never NULL.
const std::string* compared_type(const Node& node) {
    if (is_event_type(*node.children[0]) && node.children[1]->op == Op::string) return &node.children[1]->text;
    if (is_event_type(*node.children[1]) && node.children[0]->op == Op::string) return &node.children[0]->text;
    return nullptr;
}

/// `event_type IN ('a', 'b')`: the texts; a NULL in the list makes nothing true.
Types listed_types(const Node& node) {
    if (!is_event_type(*node.children[0])) return std::nullopt;
    std::set<std::string> types;
    for (std::size_t i = 1; i < node.children.size(); ++i) {
        const Node& value = *node.children[i];
        if (value.op != Op::string && value.op != Op::null) return std::nullopt;
        if (value.op == Op::string) types.insert(value.text);
    }
    return types;
}

/// The event types under which `node` can be `wanted` (true or false; NULL is neither).
Types types_where(const Node& node, bool wanted) {
    switch (node.op) {
    case Op::boolean: return (node.text == "TRUE") == wanted ? Types() : Types(std::set<std::string>{});
    case Op::null: return std::set<std::string>{};
    case Op::not_: return types_where(*node.children[0], !wanted);
    case Op::and_:
    case Op::or_: {
        const Types left = types_where(*node.children[0], wanted);
        const Types right = types_where(*node.children[1], wanted);
        return (node.op == Op::and_) == wanted ? both(left, right) : either(left, right);
    }
    case Op::compare: {
        if (node.text != (wanted ? "=" : "<>")) return std::nullopt;
        const std::string* type = compared_type(node);
        return type != nullptr ? Types(std::set<std::string>{*type}) : Types();
    }
    case Op::distinct: {
        if (wanted != node.negated) return std::nullopt;
        const std::string* type = compared_type(node);
        return type != nullptr ? Types(std::set<std::string>{*type}) : Types();
    }
    case Op::in: return wanted != node.negated ? listed_types(node) : Types();
    default: return std::nullopt;
    }
}

} // namespace

void collect_columns(const Node& node, std::vector<std::string>& columns) {
    if (node.op == Op::column && std::find(columns.begin(), columns.end(), node.text) == columns.end())
        columns.push_back(node.text);
    for (const NodePtr& child : node.children) collect_columns(*child, columns);
}

std::string SourcePosition::text() const {
    return fmt::format("{}:{}:{}", file, line, column);
}

Expression::Expression(std::shared_ptr<const Node> root, std::string text, Role role)
    : root_(std::move(root)), text_(std::move(text)), role_(role) {}

Result<Expression> Expression::parse(std::string_view text, const SourcePosition& at, Role role) {
    TRY(tokens, tokenize(text, at));
    TRY(root, ExpressionParser(text, at, std::move(tokens)).parse(role));
    return Expression(std::move(root), std::string(text), role);
}

const std::string& Expression::text() const {
    return text_;
}
std::string Expression::normal_form() const {
    return render(*root_, Dialect::duckdb);
}

std::vector<std::string> Expression::columns() const {
    std::vector<std::string> columns;
    collect_columns(*root_, columns);
    return columns;
}

std::optional<std::vector<std::string>> Expression::event_types() const {
    const Types types = types_where(*root_, true);
    if (!types) return std::nullopt;
    return std::vector<std::string>(types->begin(), types->end());
}

BoundExpression Expression::bind(const ColumnTypes& types) const {
    std::vector<std::string> read_as;
    NodePtr bound = bind_tree(*root_, role_, types, read_as);
    return {std::move(bound), std::move(read_as)};
}

BoundExpression::BoundExpression(std::shared_ptr<const Node> root, std::vector<std::string> read_as)
    : root_(std::move(root)), read_as_(std::move(read_as)) {}

std::string BoundExpression::sql() const {
    return render(*root_, Dialect::duckdb);
}
std::string BoundExpression::spark_sql() const {
    return render(*root_, Dialect::spark);
}

event::ColumnType BoundExpression::type() const {
    switch (root_->kind) {
    case Kind::unknown: // No bound tree has it.
    case Kind::null: return event::ColumnType::null;
    case Kind::boolean: return event::ColumnType::boolean;
    case Kind::bigint: return event::ColumnType::bigint;
    case Kind::double_: return event::ColumnType::double_;
    case Kind::string: return event::ColumnType::string;
    }
    return event::ColumnType::null;
}

std::vector<std::string> BoundExpression::columns() const {
    std::vector<std::string> columns;
    collect_columns(*root_, columns);
    return columns;
}

const std::vector<std::string>& BoundExpression::read_as() const {
    return read_as_;
}

} // namespace questlog::scan
