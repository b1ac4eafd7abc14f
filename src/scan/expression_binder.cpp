#include "scan/expression_node.h"

#include <algorithm>
#include <span>
#include <string_view>

/// Trees whose columns' kinds are known. Where a value is not of the kind that its place asks for, a coercion stands
/// that both engines compute alike and that cannot fail.
namespace questlog::scan {
namespace {

using Node = Expression::Node;

Kind kind_of(event::ColumnType type) {
    switch (type) {
    case event::ColumnType::null: return Kind::null;
    case event::ColumnType::boolean: return Kind::boolean;
    case event::ColumnType::bigint: return Kind::bigint;
    case event::ColumnType::double_: return Kind::double_;
    case event::ColumnType::string: return Kind::string;
    }
    return Kind::null;
}

NodePtr null_of(Kind kind) {
    return std::make_shared<const Node>(Node{Op::null, kind, false, {}, {}});
}

/// The kind of a number that is one of `nodes`; null where all are NULL.
Kind number_among(std::span<const NodePtr> nodes) {
    Kind common = Kind::null;
    for (const NodePtr& node : nodes) {
        if (node->kind == Kind::double_) return Kind::double_;
        if (node->kind == Kind::bigint) common = Kind::bigint;
    }
    return common;
}

/// What the expression's text says that values which meet should be; else what the columns say: numbers where there is
/// one, the one kind where they agree, texts where they do not. A number of either kind is Kind::double_.
Kind meeting_kind(std::span<const NodePtr> written, std::span<const NodePtr> bound) {
    Kind common = Kind::null;
    for (const NodePtr& node : written) {
        if (node->kind == Kind::unknown || node->kind == Kind::null) continue;
        return is_number(node->kind) ? Kind::double_ : node->kind; // parse() saw to it that they agree
    }
    for (const NodePtr& node : bound) {
        if (is_number(node->kind)) return Kind::double_;
        if (node->kind == Kind::null || node->kind == common) continue;
        common = common == Kind::null ? node->kind : Kind::string;
    }
    return common;
}

class Binder {
public:
    Binder(const ColumnTypes& types, std::vector<std::string>& read_as) : types_(types), read_as_(read_as) {}

    NodePtr bind(const Node& node) {
        std::vector<NodePtr> parts;
        for (const NodePtr& child : node.children) parts.push_back(bind(*child));
        switch (node.op) {
        case Op::null:
        case Op::boolean:
        case Op::bigint:
        case Op::double_:
        case Op::string: return std::make_shared<const Node>(node);
        case Op::column: return column(node);
        case Op::negate:
        case Op::arithmetic: return numeric(node, std::move(parts));
        case Op::compare:
        case Op::distinct:
        case Op::in:
        case Op::between: meet(node.children, parts); return with(node, Kind::boolean, std::move(parts));
        case Op::not_:
        case Op::and_:
        case Op::or_:
            for (NodePtr& part : parts) part = boolean(part);
            return with(node, Kind::boolean, std::move(parts));
        case Op::case_: return choice(node, std::move(parts));
        case Op::function: return function(node, std::move(parts));
        case Op::concat:
        case Op::is_null:
        case Op::like:
        case Op::cast_text:
        case Op::number_of:
        case Op::boolean_of: return with(node, node.kind, std::move(parts)); // texts are read of any kind
        }
        return null_of(Kind::null);
    }

    NodePtr boolean(const NodePtr& node) {
        if (node->kind == Kind::boolean) return node;
        if (node->kind == Kind::null) return null_of(Kind::boolean);
        note(*node, "as a boolean");
        if (node->kind != Kind::string) return null_of(Kind::boolean);
        return std::make_shared<const Node>(Node{Op::boolean_of, Kind::boolean, false, {}, {node}});
    }

private:
    static NodePtr with(const Node& node, Kind kind, std::vector<NodePtr> children) {
        if (kind == Kind::null) return null_of(kind);
        return std::make_shared<const Node>(Node{node.op, kind, node.negated, node.text, std::move(children)});
    }

    NodePtr column(const Node& node) { return with(node, kind_of(types_(node.text)), {}); }

    NodePtr number(const NodePtr& node) {
        if (is_number(node->kind) || node->kind == Kind::null) return node;
        note(*node, "as a number");
        if (node->kind != Kind::string) return null_of(Kind::double_);
        return std::make_shared<const Node>(Node{Op::number_of, Kind::double_, false, {}, {node}});
    }

    static NodePtr string(const NodePtr& node) {
        if (node->kind == Kind::string || node->kind == Kind::null) return node;
        return std::make_shared<const Node>(Node{Op::cast_text, Kind::string, false, {}, {node}});
    }

    NodePtr numeric(const Node& node, std::vector<NodePtr> parts) {
        for (NodePtr& part : parts) part = number(part);
        const Kind kind = node.text == "/" ? Kind::double_ : number_among(parts);
        return with(node, kind, std::move(parts));
    }

    /// Makes one kind of values that are compared or chosen from. `written` are the same before they were bound.
    Kind meet(std::span<const NodePtr> written, std::span<NodePtr> bound) {
        switch (meeting_kind(written, bound)) {
        case Kind::unknown:
        case Kind::null: return Kind::null;
        case Kind::boolean:
            for (NodePtr& node : bound) node = boolean(node);
            return Kind::boolean;
        case Kind::bigint:
        case Kind::double_:
            for (NodePtr& node : bound) node = number(node);
            return number_among(bound);
        case Kind::string:
            for (NodePtr& node : bound) node = string(node);
            return Kind::string;
        }
        return Kind::null;
    }

    NodePtr choice(const Node& node, std::vector<NodePtr> parts) {
        std::vector<NodePtr> written, values;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const bool is_condition = i % 2 == 0 && i + 1 < parts.size();
            if (is_condition) {
                parts[i] = boolean(parts[i]);
            } else {
                written.push_back(node.children[i]);
                values.push_back(parts[i]);
                places.push_back(i);
            }
        }
        const Kind kind = meet(written, values);
        for (std::size_t i = 0; i < places.size(); ++i) parts[places[i]] = values[i];
        return with(node, kind, std::move(parts));
    }

    NodePtr function(const Node& node, std::vector<NodePtr> parts) {
        if (node.text == "abs") return numeric(node, std::move(parts));
        if (node.text == "coalesce") {
            const Kind kind = meet(node.children, parts);
            return with(node, kind, std::move(parts));
        }
        if (node.text == "nullif") {
            meet(node.children, parts);
            const Kind kind = parts[0]->kind;
            return with(node, kind, std::move(parts));
        }
        return with(node, node.kind, std::move(parts));
    }

    void note(const Node& node, std::string_view kind) {
        std::vector<std::string> columns;
        collect_columns(node, columns);
        for (const std::string& column : columns) {
            std::string text = column + " " + std::string(kind);
            if (std::find(read_as_.begin(), read_as_.end(), text) == read_as_.end())
                read_as_.push_back(std::move(text));
        }
    }

    const ColumnTypes& types_;
    std::vector<std::string>& read_as_;
};

} // namespace

NodePtr bind_tree(const Node& root, Role role, const ColumnTypes& types, std::vector<std::string>& read_as) {
    Binder binder(types, read_as);
    NodePtr bound = binder.bind(root);
    return role == Role::filter ? binder.boolean(bound) : bound;
}

} // namespace questlog::scan
