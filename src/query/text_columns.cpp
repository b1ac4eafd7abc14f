#include "query/text_columns.h"

#include "query/java_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace questlog::query {

std::string bytes_text(std::int64_t bytes) {
    if (bytes < 10'000) return fmt::format("{} B", bytes);
    double value = static_cast<double>(bytes) / 1024;
    for (const std::string_view unit : {"KiB", "MiB", "GiB"}) {
        if (value < 1000) return fmt::format("{:.1f} {}", value, unit);
        value /= 1024;
    }
    return fmt::format("{:.1f} TiB", value);
}

std::string aligned(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], half_width(row[i]));
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string padding(widths[i] - half_width(row[i]), ' ');
            line += i == 0 ? "  " + row[i] + padding : "  " + padding + row[i];
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
    return out;
}

} // namespace questlog::query
