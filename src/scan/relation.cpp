#include "scan/column_names.h"
#include "scan/letter_case.h"
#include "scan/plan.h"
#include "scan/plan_data.h"

#include <algorithm>
#include <map>
#include <set>

namespace questlog::scan {

namespace {

using duck::quote_identifier;
using event::ColumnType;

constexpr std::string_view timestamp_name = "timestamp";

/// A column as the events have it, or as only landed files do.
struct InputColumn {
    std::string name;
    std::string key; ///< Empty with `is_missing`.
    ColumnType type = ColumnType::null;
    bool is_missing = false; ///< No event has it.
};

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

/// The table column's type for a result of an expression. Expression promises these four; where one reads nothing but
/// NULLs without a type, DuckDB chooses some other.
[[nodiscard]] ColumnType column_type(const duck::ResultColumn& result) {
    if (result.type_name == "BOOLEAN") return ColumnType::boolean;
    if (result.type_name == "BIGINT") return ColumnType::bigint;
    if (result.type_name == "DOUBLE") return ColumnType::double_;
    if (result.type_name == "VARCHAR") return ColumnType::string;
    return ColumnType::null;
}

/// The plan's rows under names that cannot collide: `_offset`, `_partition`, `timestamp`, then c0, c1 ...
class NumberedRows final : public duck::RowSource {
public:
    explicit NumberedRows(std::shared_ptr<const duck::RowSource> rows)
        : rows_(std::move(rows)), columns_(rows_->columns()) {
        for (std::size_t i = plan_rows_fixed_columns; i < columns_.size(); ++i)
            columns_[i].name = name_of(i - plan_rows_fixed_columns);
    }
    [[nodiscard]] static std::string name_of(std::size_t column) { return fmt::format("c{}", column); }

    [[nodiscard]] const std::vector<duck::SourceColumn>& columns() const override { return columns_; }
    [[nodiscard]] std::int64_t cardinality() const override { return rows_->cardinality(); }
    [[nodiscard]] Result<std::unique_ptr<duck::RowStream>> open(std::span<const std::size_t> projected) const override {
        return rows_->open(projected);
    }

private:
    std::shared_ptr<const duck::RowSource> rows_;
    std::vector<duck::SourceColumn> columns_;
};

class RelationBuilder {
public:
    RelationBuilder(duck::Connection& connection, const Plan& plan, const TableDeclaration& table,
                    const event::Schema& wider)
        : connection_(connection), plan_(plan), table_(table), wider_(wider) {}

    Result<Relation> build() {
        find_input_columns();
        CHECK_OK(offer());
        CHECK_OK(find_output_columns());
        Relation relation;
        relation.input = source_;
        relation.renamed = std::move(renamed_);
        std::string list;
        for (const OutputColumn& column : outputs_) {
            relation.columns.emplace_back(column.name, value_type_of(column.sql_type));
            append(list, fmt::format("CAST({0} AS {1}) AS {0}", quote_identifier(column.name), column.sql_type));
        }
        relation.select = fmt::format("SELECT {} FROM ({}) AS munged", list, munged());
        if (table_.where) relation.select += fmt::format(" WHERE {}", table_.where->sql());
        return relation;
    }

private:
    static void append(std::string& list, std::string_view item) {
        if (!list.empty()) list += ", ";
        list += item;
    }

    [[nodiscard]] bool is_set(std::string_view name) const {
        return std::any_of(table_.set.begin(), table_.set.end(),
                           [&](const SetColumn& set) { return equal_but_for_case(set.column, name); });
    }

    /// `kept` and the names that the declaration means: a client that sends a key equal to one of them but for case
    /// must not take the name, and with it the place of the real one in `set` and `where`.
    [[nodiscard]] std::vector<std::string> with_declared_names(std::vector<std::string> kept) const {
        std::vector<std::string> declared{"event_type"};
        for (const event::Column& column : table_.declared) declared.push_back(column.key);
        for (const SetColumn& set : table_.set) {
            declared.push_back(set.column);
            for (std::string& column : set.expression.columns()) declared.push_back(std::move(column));
        }
        if (table_.where)
            for (std::string& column : table_.where->columns()) declared.push_back(std::move(column));
        for (std::string& name : declared) {
            const bool is_key = std::any_of(schema_.begin(), schema_.end(),
                                            [&](const event::Column& column) { return column.key == name; });
            const bool is_kept = std::any_of(kept.begin(), kept.end(),
                                             [&](const std::string& other) { return equal_but_for_case(other, name); });
            if (is_key && !is_kept && escaped_name(name) == name) kept.push_back(std::move(name));
        }
        return kept;
    }

    /// The columns of the events, named and widened, then those that only landed files have.
    void find_input_columns() {
        schema_ = plan_.schema(table_.event_types());
        if (wider_.empty() && plan_.events(table_.event_types()) == 0) schema_ = table_.declared;
        std::map<std::string, ColumnType, std::less<>> landed; // set columns and the timestamp come from no key
        std::vector<std::string> landed_names;
        for (const event::Column& column : wider_) {
            if (is_set(column.key) || column.key == timestamp_name) continue;
            landed.emplace(column.key, column.type);
            landed_names.push_back(column.key);
        }
        const std::vector<std::string> names = column_names(schema_, with_declared_names(std::move(landed_names)));
        for (std::size_t i = 0; i < schema_.size(); ++i) {
            event::Column& column = schema_[i];
            if (names[i] != column.key) renamed_.push_back(fmt::format("{} -> {}", column.key, names[i]));
            if (const auto known = landed.find(names[i]); known != landed.end()) {
                column.type = event::widen(column.type, known->second);
                landed.erase(known);
            }
            inputs_.push_back({names[i], column.key, column.type});
        }
        for (const auto& [name, type] : landed) inputs_.push_back({name, {}, type, true});
    }

    Status offer() {
        source_ = connection_.fresh_name("questlog_events");
        auto rows = plan_.rows(table_.event_types(), schema_);
        return connection_.offer(source_, std::make_shared<NumberedRows>(std::move(rows)));
    }

    /// The input column that `name`, in an expression or of a set column, means: by its name, else by its key.
    [[nodiscard]] const InputColumn* find_input(std::string_view name) const {
        const auto by_name = std::find_if(inputs_.begin(), inputs_.end(), [&](const InputColumn& input) {
            return equal_but_for_case(input.name, name);
        });
        if (by_name != inputs_.end()) return &*by_name;
        const auto by_key = std::find_if(inputs_.begin(), inputs_.end(), [&](const InputColumn& input) {
            return !input.is_missing && input.key == name && !equal_but_for_case(name, timestamp_name);
        });
        return by_key != inputs_.end() ? &*by_key : nullptr;
    }

    /// How the offered source gives an input column. One that holds only NULLs has no type of its own to an expression.
    [[nodiscard]] std::string source_of(const InputColumn* input) const {
        if (input == nullptr || input->is_missing || input->type == ColumnType::null) return "NULL";
        return quote_identifier(NumberedRows::name_of(static_cast<std::size_t>(input - inputs_.data())));
    }

    /// SELECT of the events' columns under the names that expressions use: every input column by its name, and what
    /// expressions read besides, by key or as NULL.
    [[nodiscard]] std::string named() const {
        std::string list;
        std::set<std::string> listed;
        const auto add = [&](std::string_view name, const std::string& source) {
            if (listed.insert(lower_ascii(name)).second)
                append(list, fmt::format("{} AS {}", source, quote_identifier(name)));
        };
        add(timestamp_name, quote_identifier(timestamp_name));
        for (const InputColumn& input : inputs_) add(input.name, source_of(&input));
        for (const SetColumn& set : table_.set)
            for (const std::string& name : set.expression.columns()) add(name, source_of(find_input(name)));
        if (table_.where)
            for (const std::string& name : table_.where->columns()) add(name, source_of(find_input(name)));
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
        if (table_.where)
            for (const std::string& name : table_.where->columns())
                if (listed.insert(lower_ascii(name)).second)
                    append(list, fmt::format("{0} AS {0}", quote_identifier(name)));
        return fmt::format("SELECT {} FROM ({}) AS named", list, named());
    }

    Status find_output_columns() {
        std::vector<const InputColumn*> replaced;
        for (const SetColumn& set : table_.set) replaced.push_back(find_input(set.column));
        for (const InputColumn& input : inputs_) {
            if (std::find(replaced.begin(), replaced.end(), &input) != replaced.end()) continue;
            outputs_.push_back({input.name, quote_identifier(input.name), std::string(sql_type(input.type))});
        }
        if (!is_set(timestamp_name))
            outputs_.push_back({std::string(timestamp_name), quote_identifier(timestamp_name), "VARCHAR"});
        CHECK_OK(add_set_columns());
        std::sort(outputs_.begin(), outputs_.end(),
                  [](const OutputColumn& one, const OutputColumn& other) { return one.name < other.name; });
        return {};
    }

    /// Expressions tell their types only to DuckDB.
    Status add_set_columns() {
        if (table_.set.empty()) return {};
        std::string list;
        for (const SetColumn& set : table_.set) append(list, set.expression.sql());
        auto described = connection_.query(fmt::format("SELECT {} FROM ({}) AS named LIMIT 0", list, named()));
        if (!described) return described.error().within(fmt::format("set of table {}", table_.name));
        for (std::size_t i = 0; i < table_.set.size(); ++i) {
            const std::string& name = table_.set[i].column;
            ColumnType type = column_type((*described)->columns()[i]);
            if (const event::Column* landed = event::find_column(wider_, name)) type = event::widen(type, landed->type);
            outputs_.push_back({name, table_.set[i].expression.sql(), std::string(sql_type(type))});
        }
        return {};
    }

    duck::Connection& connection_;
    const Plan& plan_;
    const TableDeclaration& table_;
    const event::Schema& wider_;
    event::Schema schema_; ///< What the source is asked for; inputs_ begins with its columns, in its order.
    std::string source_;
    std::vector<InputColumn> inputs_;
    std::vector<OutputColumn> outputs_;
    std::vector<std::string> renamed_;
};

} // namespace

Result<Relation> relate(duck::Connection& connection, const Plan& plan, const TableDeclaration& table,
                        const event::Schema& wider) {
    return RelationBuilder(connection, plan, table, wider).build();
}

} // namespace questlog::scan
