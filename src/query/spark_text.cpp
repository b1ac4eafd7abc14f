#include "query/spark_text.h"

#include "query/java_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fmt/format.h>

namespace questlog::query {
namespace {

constexpr std::size_t column_width_min = 3;

/// A cell as it is printed: escaped, then cut where it is too long.
std::string printed(const std::optional<std::string>& cell, std::size_t truncate) {
    std::string text = cell ? escape_meta_characters(*cell) : "NULL";
    const std::size_t length = java_length(text);
    if (truncate == 0 || length <= truncate) return text;
    if (truncate < 4) return java_prefix(text, truncate);
    return java_prefix(text, truncate - 3) + "...";
}

void append_row(std::string& out, const std::vector<std::string>& cells, const std::vector<std::size_t>& widths,
                bool right_aligned) {
    out += '|';
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::size_t padding = widths[i] - half_width(cells[i]);
        if (right_aligned) out.append(padding, ' ');
        out += cells[i];
        if (!right_aligned) out.append(padding, ' ');
        if (i + 1 < cells.size()) out += '|';
    }
    out += "|\n";
}

} // namespace

std::string show(const TextTable& table, const ShowOptions& options) {
    const std::size_t shown = std::min(table.rows.size(), options.rows);
    std::vector<std::vector<std::string>> lines(1 + shown);
    for (const std::string& column : table.columns) lines[0].push_back(escape_meta_characters(column));
    for (std::size_t row = 0; row < shown; ++row) {
        for (const auto& cell : table.rows[row]) lines[1 + row].push_back(printed(cell, options.truncate));
    }
    std::vector<std::size_t> widths(table.columns.size(), column_width_min);
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], half_width(line[i]));
    }
    std::string border = "+";
    for (std::size_t i = 0; i < widths.size(); ++i) {
        if (i != 0) border += '+';
        border.append(widths[i], '-');
    }
    border += "+\n";

    std::string out = border;
    append_row(out, lines[0], widths, options.truncate > 0);
    out += border;
    for (std::size_t row = 1; row < lines.size(); ++row) append_row(out, lines[row], widths, options.truncate > 0);
    out += border;
    if (table.rows.size() > options.rows)
        out += fmt::format("only showing top {} {}\n", options.rows, options.rows == 1 ? "row" : "rows");
    out += '\n';
    return out;
}

std::string print_schema(const std::vector<SchemaColumn>& columns) {
    std::string out = "root\n";
    for (const SchemaColumn& column : columns)
        out += fmt::format(" |-- {}: {} (nullable = true)\n", escape_meta_characters(column.name), column.type);
    out += '\n';
    return out;
}

std::string java_double(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";

    // d.ddde±xx with the shortest digits that read back. Where one digit would do, Java writes the nearest two.
    std::array<char, 32> buffer{};
    const auto end =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), std::abs(value), std::chars_format::scientific);
    std::string text(buffer.data(), end.ptr);
    if (text[1] == 'e') text = fmt::format("{:.1e}", std::abs(value));
    const std::size_t mark = text.find('e');
    const int exponent = std::atoi(text.c_str() + mark + 1);
    std::string digits = text.substr(0, 1) + text.substr(2, mark - 2);
    while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
    const auto count = static_cast<int>(digits.size());

    std::string number;
    if (exponent >= 7 || exponent < -3) {
        number = fmt::format("{}.{}E{}", digits.substr(0, 1), count > 1 ? digits.substr(1) : "0", exponent);
    } else if (exponent < 0) {
        number = fmt::format("0.{}{}", std::string(static_cast<std::size_t>(-exponent - 1), '0'), digits);
    } else {
        const auto whole = static_cast<std::size_t>(exponent + 1);
        if (digits.size() <= whole) digits.append(whole + 1 - digits.size(), '0');
        number = digits.substr(0, whole) + "." + digits.substr(whole);
    }
    return value < 0 ? "-" + number : number;
}

} // namespace questlog::query
