#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How single values stand in CSV, JSON and a table for a terminal. Pure.
namespace questlog::query {

/// Quoted where RFC 4180 or a reader would need it; the empty text is "", unlike NULL.
void append_csv(std::string& out, std::string_view text);
/// As a JSON string; `text` is UTF-8 and stays so.
void append_json(std::string& out, std::string_view text);
/// Whether `text`, which DuckDB wrote of a number or boolean, is one in JSON too: not "nan", "inf".
[[nodiscard]] bool is_json_literal(std::string_view text);
/// Whether DuckDB's type is a number: BIGINT, DOUBLE, HUGEINT, DECIMAL(18,3) ...
[[nodiscard]] bool is_number_type(std::string_view type_name);

/// A table with borders, as wide as it needs to be.
class Box {
public:
    void add_column(std::string_view name, bool right_aligned);
    void add_row(std::vector<std::optional<std::string>> cells); ///< A missing cell is NULL.
    [[nodiscard]] std::string text() const;

private:
    struct Column {
        std::string name;
        bool right_aligned = false;
    };
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace questlog::query
