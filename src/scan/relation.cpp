#include "scan/column_names.h"
#include "scan/input_columns.h"
#include "scan/letter_case.h"
#include "scan/numbered_rows.h"
#include "scan/plan.h"
#include "scan/plan_data.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace questlog::scan {

namespace {

using duck::quote_identifier;
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
    RelationBuilder(duck::Connection& connection, const Plan& plan, const TableDeclaration& table,
                    const std::vector<LandedColumn>& landed)
        : connection_(connection), plan_(plan), table_(table), inputs_(plan, table, landed) {}

    Result<Relation> build() {
        CHECK_OK(offer());
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
            append(list, fmt::format("CAST({0} AS {1}) AS {0}", quote_identifier(column.name), column.sql_type));
        }
        relation.select = fmt::format("SELECT {} FROM ({}) AS munged", list, munged());
        if (where_) relation.select += fmt::format(" WHERE {}", where_->sql());
        return relation;
    }

private:
    static void append(std::string& list, std::string_view item) {
        if (!list.empty()) list += ", ";
        list += item;
    }

    Status offer() {
        source_ = connection_.fresh_name("questlog_events");
        rows_ = std::make_shared<NumberedRows>(plan_.rows(table_.event_types(), inputs_.schema()));
        return connection_.offer(source_, rows_);
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
        return quote_identifier(NumberedRows::name_of(static_cast<std::size_t>(input - inputs_.all().data())));
    }

    /// SELECT of the events' columns under the names that expressions use: every input column by its name, and what
    /// expressions read besides, by key.
    [[nodiscard]] std::string named() const {
        std::string list;
        std::set<std::string> listed;
        const auto add = [&](std::string_view name, const std::string& source) {
            if (listed.insert(lower_ascii(name)).second)
                append(list, fmt::format("{} AS {}", source, quote_identifier(name)));
        };
        add(timestamp_name, quote_identifier(timestamp_name));
        for (const InputColumn& input : inputs_.all()) add(input.name, source_of(&input));
        for (const BoundExpression& set : set_)
            for (const std::string& name : set.columns()) add(name, source_of(inputs_.find(name)));
        if (where_)
            for (const std::string& name : where_->columns()) add(name, source_of(inputs_.find(name)));
        return fmt::format("SELECT {} FROM {}", list, quote_identifier(source_));
    }

    /// SELECT of the table's columns before their types are fixed, and of what `where` reads besides.
    [[nodiscard]] std::string munged() const {
        std::string list;
        std::set<std::string> listed;
        for (const OutputColumn& column : outputs_) {
            listed.insert(lower_ascii(column.name));
            append(list, fmt::format("{} AS {}", column.expression, quote_identifier(column.name)));
        }
        if (where_)
            for (const std::string& name : where_->columns())
                if (listed.insert(lower_ascii(name)).second)
                    append(list, fmt::format("{0} AS {0}", quote_identifier(name)));
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
            outputs_.push_back({input.name, quote_identifier(input.name), std::string(sql_type(input.type))});
            if (input.is_null) relation.nulls.push_back(input.name);
        }
        if (!is_set(table_, timestamp_name))
            outputs_.push_back({std::string(timestamp_name), quote_identifier(timestamp_name), "VARCHAR"});
        for (std::size_t i = 0; i < table_.set.size(); ++i) {
            outputs_.push_back({table_.set[i].column, set_[i].sql(), std::string(sql_type(set_[i].type()))});
            if (set_[i].type() == ColumnType::null) relation.nulls.push_back(table_.set[i].column);
        }
        std::sort(outputs_.begin(), outputs_.end(),
                  [](const OutputColumn& one, const OutputColumn& other) { return one.name < other.name; });
    }

    duck::Connection& connection_;
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
    return RelationBuilder(connection, plan, table, landed).build();
}

} // namespace questlog::scan
