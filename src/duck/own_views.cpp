#include "base/letter_case.h"
#include "duck/native.h"

#include <algorithm>
#include <array>
#include <string>

namespace questlog::duck {
namespace {

/// duckdb_views(), where they are internal and found without their schema; sorted. A test holds it against DuckDB.
constexpr auto own_views = std::to_array<std::string_view>({"duckdb_columns",
                                                            "duckdb_constraints",
                                                            "duckdb_databases",
                                                            "duckdb_indexes",
                                                            "duckdb_logs",
                                                            "duckdb_schemas",
                                                            "duckdb_tables",
                                                            "duckdb_types",
                                                            "duckdb_views",
                                                            "pg_am",
                                                            "pg_attrdef",
                                                            "pg_attribute",
                                                            "pg_class",
                                                            "pg_collation",
                                                            "pg_constraint",
                                                            "pg_database",
                                                            "pg_depend",
                                                            "pg_description",
                                                            "pg_enum",
                                                            "pg_index",
                                                            "pg_indexes",
                                                            "pg_namespace",
                                                            "pg_prepared_statements",
                                                            "pg_proc",
                                                            "pg_sequence",
                                                            "pg_sequences",
                                                            "pg_settings",
                                                            "pg_tables",
                                                            "pg_tablespace",
                                                            "pg_type",
                                                            "pg_views",
                                                            "pragma_database_list",
                                                            "sqlite_master",
                                                            "sqlite_schema",
                                                            "sqlite_temp_master",
                                                            "sqlite_temp_schema"});

[[nodiscard]] bool is_of_a_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

} // namespace

bool is_own_view(std::string_view name) {
    return std::binary_search(own_views.begin(), own_views.end(), lower_ascii(name));
}

std::vector<std::string> native::own_views_in(std::string_view sql) {
    std::vector<std::string> found;
    for (auto at = sql.begin(); at != sql.end();) {
        const auto begin = std::find_if(at, sql.end(), is_of_a_name);
        at = std::find_if_not(begin, sql.end(), is_of_a_name);
        if (const std::string_view word(begin, at); is_own_view(word)) found.emplace_back(word);
    }
    return found;
}

} // namespace questlog::duck
