#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Tables and schemas as Spark 3.5 prints them. Pure.
namespace questlog::query {

/// Rows of cells; a missing cell is NULL.
struct TextTable {
    std::vector<std::string> columns;
    std::vector<std::vector<std::optional<std::string>>> rows;
};

struct ShowOptions {
    std::size_t rows = 20;
    std::size_t truncate =
        20; ///< Longer cells are cut to this many characters, "..." included; 0: not at all (then left-aligned).
};

/// Dataset.show(): borders, right-aligned cells (left where not truncated), widths in Spark's half-width count, and
/// "only showing top N rows" where `table` holds more than options.rows. Ends with an empty line, as Spark's.
[[nodiscard]] std::string show(const TextTable& table, const ShowOptions& options = {});

struct SchemaColumn {
    std::string name;
    std::string type; ///< Spark's: string, long, double, boolean, timestamp.
};
/// Dataset.printSchema(), with the empty line after it.
[[nodiscard]] std::string print_schema(const std::vector<SchemaColumn>& columns);

/// A double as Java's Double.toString (JDK 19 and later: the shortest that reads back) writes it.
[[nodiscard]] std::string java_double(double value);

} // namespace questlog::query
