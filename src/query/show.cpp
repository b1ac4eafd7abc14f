#include "query/show.h"

#include "scan/plan.h"

#include <fmt/format.h>

namespace questlog::query {
namespace {

std::string_view spark_type(duck::ValueType type) {
    switch (type) {
    case duck::ValueType::boolean: return "boolean";
    case duck::ValueType::bigint: return "long";
    case duck::ValueType::double_: return "double";
    case duck::ValueType::varchar: return "string";
    case duck::ValueType::blob: return "binary";
    case duck::ValueType::timestamp_tz: return "timestamp";
    case duck::ValueType::other: return "string";
    }
    return "string";
}

std::string timestamp_text(std::int64_t microseconds) {
    constexpr std::int64_t second = 1'000'000;
    const std::int64_t fraction = (microseconds % second + second) % second;
    std::string text = scan::spark_timestamp(TimestampMs{(microseconds - fraction) / 1000});
    if (fraction == 0) return text;
    text += fmt::format(".{:06}", fraction);
    text.erase(text.find_last_not_of('0') + 1);
    return text;
}

Result<std::string> cell_text(const duck::Rows& rows, std::size_t column, std::size_t row) {
    switch (rows.columns()[column].type) {
    case duck::ValueType::boolean: return std::string(rows.boolean(column, row) ? "true" : "false");
    case duck::ValueType::bigint: return std::to_string(rows.bigint(column, row));
    case duck::ValueType::double_: return java_double(rows.number(column, row));
    case duck::ValueType::varchar: return std::string(rows.varchar(column, row));
    case duck::ValueType::timestamp_tz: return timestamp_text(rows.bigint(column, row));
    case duck::ValueType::blob:
    case duck::ValueType::other: break;
    }
    return internal("column {} of type {} has no text in show()", rows.columns()[column].name,
                    rows.columns()[column].type_name);
}

} // namespace

Result<TextTable> to_text(duck::Rows& rows, std::size_t limit) {
    TextTable table;
    for (const duck::ResultColumn& column : rows.columns()) table.columns.push_back(column.name);
    while (table.rows.size() < limit) {
        TRY(count, rows.next());
        if (count == 0) break;
        for (std::size_t row = 0; row < count && table.rows.size() < limit; ++row) {
            std::vector<std::optional<std::string>>& cells = table.rows.emplace_back(table.columns.size());
            for (std::size_t column = 0; column < cells.size(); ++column) {
                if (rows.is_null(column, row)) continue;
                TRY(text, cell_text(rows, column, row));
                cells[column] = std::move(text);
            }
        }
    }
    return table;
}

std::vector<SchemaColumn> spark_schema(const std::vector<duck::ResultColumn>& columns) {
    std::vector<SchemaColumn> schema;
    for (const duck::ResultColumn& column : columns)
        schema.push_back({column.name, std::string(spark_type(column.type))});
    return schema;
}

std::vector<SchemaColumn> spark_schema(const std::vector<std::pair<std::string, duck::ValueType>>& columns) {
    std::vector<SchemaColumn> schema;
    for (const auto& [name, type] : columns) schema.push_back({name, std::string(spark_type(type))});
    return schema;
}

Result<std::string> show_table(Session& session, const std::string& table, const ShowOptions& options) {
    const std::size_t wanted = options.rows + 1; // One more tells whether there is more.
    TRY(rows, session.query(fmt::format("SELECT * FROM {} LIMIT {}", duck::quote_identifier(table), wanted)));
    TRY(text, to_text(*rows, wanted));
    return show(text, options);
}

Result<std::string> schema_table(Session& session, const std::string& table) {
    TRY(rows, session.query(fmt::format("SELECT * FROM {} LIMIT 0", duck::quote_identifier(table))));
    return print_schema(spark_schema(rows->columns()));
}

} // namespace questlog::query
