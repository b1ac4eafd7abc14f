#include "scan/continuous.h"

#include "base/limits.h"
#include "scan/numbered_rows.h"
#include "scan/table_names.h"

#include <algorithm>
#include <set>

namespace questlog::scan {
namespace {

using duck::quote_identifier;
using event::ColumnType;

NameRights rights_beside(const std::vector<LandedColumn>& pinned) {
    NameRights rights;
    for (const LandedColumn& column : pinned) rights.landed.push_back({column.key, column.name});
    rights.declared = {"event_type"};
    rights.row = {"date"};
    for (const std::string_view name : continuous_row_columns) rights.row.emplace_back(name);
    return rights;
}

/// What the plan's rows are decoded by: the columns, keys that only ever had null (which is no misfit), and the rest.
event::Schema decoded_schema(const Plan& plan, const std::string& event_type,
                             const std::vector<LandedColumn>& columns) {
    event::Schema schema;
    std::set<std::string_view> known;
    for (const LandedColumn& column : columns) {
        schema.push_back({column.key, column.type});
        known.insert(column.key);
    }
    for (const event::Column& column : plan.schema(std::vector{event_type}))
        if (column.type == ColumnType::null && !known.contains(column.key)) schema.push_back(column);
    schema.push_back({std::string(event::rescued_data_key), ColumnType::string});
    std::sort(schema.begin(), schema.end());
    return schema;
}

} // namespace

std::vector<LandedColumn> continuous_columns(const Plan& plan, const std::string& event_type,
                                             std::vector<LandedColumn> pinned) {
    const std::vector<std::string> type{event_type};
    const event::Schema schema = plan.schema(type);
    std::set<std::string, std::less<>> known{std::string(event::rescued_data_key)};
    for (const LandedColumn& column : pinned) known.insert(column.key);
    std::vector<std::string> keys;
    for (std::string& key : plan.keys(type)) {
        const event::Column* column = event::find_column(schema, key);
        if (known.contains(key) || column == nullptr || column->type == ColumnType::null) continue;
        if (pinned.size() + keys.size() < limits::columns_max) keys.push_back(std::move(key));
    }
    const std::vector<std::string> names = column_names(keys, rights_beside(pinned));
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto declared = plan.declared_type(event_type, keys[i]);
        pinned.push_back({names[i], keys[i], declared.value_or(event::find_column(schema, keys[i])->type)});
    }
    return pinned;
}

std::vector<std::string> integers_that_meet_fractions(const Plan& plan, const std::string& event_type,
                                                      const std::vector<LandedColumn>& pinned) {
    const event::Schema schema = plan.schema(std::vector{event_type});
    std::vector<std::string> names;
    for (const LandedColumn& column : pinned) {
        const event::Column* met = event::find_column(schema, column.key);
        if (column.type == ColumnType::bigint && met != nullptr && met->type == ColumnType::double_)
            names.push_back(column.name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

TypesByTable types_by_table(const Plan& plan, const std::set<std::string, std::less<>>& known) {
    TypesByTable found;
    std::size_t tables = known.size();
    for (std::string& type : plan.types()) {
        std::string name = table_name_of(type);
        const bool is_known = known.contains(name);
        if (!is_known && tables >= limits::continuous_tables_max) {
            found.without_table.push_back(std::move(type));
            continue;
        }
        if (!is_known) ++tables;
        found.tables.emplace_back(std::move(name), std::move(type));
    }
    return found;
}

std::string books_of(std::string_view event_type) {
    return event_type.empty() ? std::string(dead_letters_name) : table_name_of(event_type);
}

Result<ContinuousRelation> relate_continuous(duck::Connection& connection, const Plan& plan,
                                             const std::string& event_type, const std::vector<LandedColumn>& columns) {
    const event::Schema schema = decoded_schema(plan, event_type, columns);
    ContinuousRelation relation;
    relation.input = connection.fresh_name("questlog_events");
    relation.rows = std::make_shared<NumberedRows>(plan.rows(std::vector{event_type}, schema));
    CHECK_OK(connection.offer(relation.input, relation.rows));
    const auto source_of = [&](std::string_view key) {
        const auto at =
            std::lower_bound(schema.begin(), schema.end(), key,
                             [](const event::Column& column, std::string_view k) { return column.key < k; });
        return quote_identifier(NumberedRows::name_of(static_cast<std::size_t>(at - schema.begin())));
    };
    std::string list;
    for (const LandedColumn& column : columns)
        list += fmt::format("{} AS {}, ", source_of(column.key), quote_identifier(column.name));
    relation.select = fmt::format("SELECT {}{} AS _rescued_data, _timestamp, _partition, _offset FROM {}", list,
                                  source_of(event::rescued_data_key), quote_identifier(relation.input));
    return relation;
}

} // namespace questlog::scan
