#include "base/letter_case.h"
#include "scan/column_names.h"
#include "scan/expression_node.h"
#include "scan/input_columns.h"
#include "scan/numbered_rows.h"
#include "scan/plan.h"
#include "scan/plan_data.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace questlog::scan {

namespace {

using event::ColumnType;

/// A column of the table.
struct OutputColumn {
    std::string name;
    std::string expression; ///< Over the input columns.
    std::string sql_type;   ///< What it is cast to.
};

[[nodiscard]] duck::ValueType value_type_of(std::string_view type) {
    if (type == "BOOLEAN") return duck::ValueType::boolean;
    if (type == "BIGINT") return duck::ValueType::bigint;
    if (type == "DOUBLE") return duck::ValueType::double_;
    return duck::ValueType::varchar;
}

class RelationBuilder {
public:
    RelationBuilder(Dialect dialect, const Plan& plan, const TableDeclaration& table,
                    const std::vector<LandedColumn>& landed)
        : dialect_(dialect), plan_(plan), table_(table), inputs_(plan, table, landed) {}

    /// Offers the plan's rows on `connection` first.
    Result<Relation> build_on(duck::Connection& connection) {
        source_ = connection.fresh_name("questlog_events");
        rows_ = std::make_shared<NumberedRows>(plan_.rows(table_.event_types(), inputs_.schema()));
        CHECK_OK(connection.offer(source_, rows_));
        return build();
    }

    /// Over rows that stand under the name `source`.
    [[nodiscard]] Relation build_over(const std::string& source) {
        source_ = source;
        return build();
    }

private:
    Relation build() {
        bind_expressions();
        Relation relation;
        find_output_columns(relation);
        std::sort(relation.nulls.begin(), relation.nulls.end());
        relation.input = source_;
        relation.rows = rows_;
        relation.renamed = inputs_.renamed();
        relation.read_as = std::move(read_as_);
        relation.obstacle = inputs_.obstacle();
        std::string list;
        for (const OutputColumn& column : outputs_) {
            relation.columns.emplace_back(column.name, value_type_of(column.sql_type));
            append(list, fmt::format("CAST({0} AS {1}) AS {0}", quoted(column.name), engine_type(column.sql_type)));
        }
        relation.select = fmt::format("SELECT {} FROM ({}) AS munged", list, munged());
        if (where_) relation.select += fmt::format(" WHERE {}", text_of(*where_));
        relation.input_columns = inputs_.schema();
        return relation;
    }

    [[nodiscard]] std::string quoted(std::string_view name) const { return quote_name(name, dialect_); }
    [[nodiscard]] std::string text_of(const BoundExpression& expression) const {
        return dialect_ == Dialect::spark ? expression.spark_sql() : expression.sql();
    }
    [[nodiscard]] std::string_view engine_type(std::string_view type) const {
        return dialect_ == Dialect::spark && type == "VARCHAR" ? "STRING" : type;
    }

    static void append(std::string& list, std::string_view item) {
        if (!list.empty()) list += ", ";
        list += item;
    }

    /// `set` reads the events, `where` what `set` made of them.
    void bind_expressions() {
        const auto bind = [&](const Expression& expression, const ColumnTypes& types) {
            BoundExpression bound = expression.bind(types);
            for (const std::string& column : bound.read_as())
                if (std::find(read_as_.begin(), read_as_.end(), column) == read_as_.end()) read_as_.push_back(column);
            return bound;
        };
        for (const SetColumn& set : table_.set)
            set_.push_back(bind(set.expression, [&](std::string_view name) { return inputs_.type(name); }));
        if (!table_.where) return;
        where_ = bind(*table_.where, [&](std::string_view name) {
            for (std::size_t i = 0; i < table_.set.size(); ++i)
                if (equal_but_for_case(table_.set[i].column, name)) return set_[i].type();
            return inputs_.type(name);
        });
    }

    /// How the offered source gives an input column.
    [[nodiscard]] std::string source_of(const InputColumn* input) const {
        if (input == nullptr || input->is_missing) return "NULL";
        return quoted(NumberedRows::name_of(static_cast<std::size_t>(input - inputs_.all().data())));
    }

    /// SELECT of the events' columns under the names that expressions use: every input column by its name, and what
    /// expressions read besides, by key.
    [[nodiscard]] std::string named() const {
        std::string list;
        std::set<std::string> listed;
        const auto add = [&](std::string_view name, const std::string& source) {
            if (listed.insert(lower_ascii(name)).second) append(list, fmt::format("{} AS {}", source, quoted(name)));
        };
        add(timestamp_name, quoted(timestamp_name));
        for (const InputColumn& input : inputs_.all()) add(input.name, source_of(&input));
        for (const BoundExpression& set : set_)
            for (const std::string& name : set.columns()) add(name, source_of(inputs_.find(name)));
        if (where_)
            for (const std::string& name : where_->columns()) add(name, source_of(inputs_.find(name)));
        return fmt::format("SELECT {} FROM {}", list, quoted(source_));
    }

    /// SELECT of the table's columns before their types are fixed, and of what `where` reads besides.
    [[nodiscard]] std::string munged() const {
        std::string list;
        std::set<std::string> listed;
        for (const OutputColumn& column : outputs_) {
            listed.insert(lower_ascii(column.name));
            append(list, fmt::format("{} AS {}", column.expression, quoted(column.name)));
        }
        if (where_)
            for (const std::string& name : where_->columns())
                if (listed.insert(lower_ascii(name)).second) append(list, fmt::format("{0} AS {0}", quoted(name)));
        return fmt::format("SELECT {} FROM ({}) AS named", list, named());
    }

    void find_output_columns(Relation& relation) {
        std::vector<const InputColumn*> replaced;
        for (const SetColumn& set : table_.set) replaced.push_back(inputs_.find(set.column));
        for (const InputColumn& input : inputs_.all()) {
            if (std::find(replaced.begin(), replaced.end(), &input) != replaced.end()) {
                relation.replaced.push_back({input.key, input.name});
                continue;
            }
            outputs_.push_back({input.name, quoted(input.name), std::string(sql_type(input.type))});
            if (input.is_null) relation.nulls.push_back(input.name);
        }
        if (!is_set(table_, timestamp_name))
            outputs_.push_back({std::string(timestamp_name), quoted(timestamp_name), "VARCHAR"});
        for (std::size_t i = 0; i < table_.set.size(); ++i) {
            outputs_.push_back({table_.set[i].column, text_of(set_[i]), std::string(sql_type(set_[i].type()))});
            if (set_[i].type() == ColumnType::null) relation.nulls.push_back(table_.set[i].column);
        }
        std::sort(outputs_.begin(), outputs_.end(),
                  [](const OutputColumn& one, const OutputColumn& other) { return one.name < other.name; });
    }

    Dialect dialect_;
    const Plan& plan_;
    const TableDeclaration& table_;
    InputColumns inputs_;
    std::string source_;
    std::shared_ptr<const TimedRows> rows_; ///< Behind source_.
    std::vector<OutputColumn> outputs_;
    std::vector<BoundExpression> set_; ///< As table_.set.
    std::optional<BoundExpression> where_;
    std::vector<std::string> read_as_;
};

} // namespace

Result<Relation> relate(duck::Connection& connection, const Plan& plan, const TableDeclaration& table,
                        const std::vector<LandedColumn>& landed) {
    return RelationBuilder(Dialect::duckdb, plan, table, landed).build_on(connection);
}

Relation relate_for_spark(const Plan& plan, const TableDeclaration& table, const std::string& view) {
    return RelationBuilder(Dialect::spark, plan, table, {}).build_over(view);
}

} // namespace questlog::scan
