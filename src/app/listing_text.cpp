#include "app/listing_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace questlog::app {
namespace {

constexpr std::size_t replication_width = 3;
constexpr std::size_t size_width = 10;

std::string minute_text(TimestampMs time) {
    return fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(static_cast<std::time_t>(time.value / 1000)));
}

} // namespace

std::string human_size(std::int64_t bytes) {
    constexpr std::int64_t step = 1024;
    if (bytes < step) return fmt::format("{}", bytes);
    constexpr std::string_view prefixes = "KMGTPE";
    std::size_t prefix = 0;
    std::int64_t unit = step;
    while (prefix + 1 < prefixes.size() && bytes / step >= unit) {
        unit *= step;
        ++prefix;
    }
    if (bytes % unit == 0) return fmt::format("{} {}", bytes / unit, prefixes[prefix]);
    std::string number = fmt::format("{:.1f}", static_cast<double>(bytes) / static_cast<double>(unit));
    if (number.starts_with("1024") && prefix + 1 < prefixes.size()) { // rounded up to the next one
        ++prefix;
        number = fmt::format("{:.1f}", static_cast<double>(bytes) / (static_cast<double>(unit) * step));
    }
    return fmt::format("{} {}", number, prefixes[prefix]);
}

std::string permission_text(const hdfs::FileStatus& status) {
    unsigned mode = 0;
    std::from_chars(status.permission.data(), status.permission.data() + status.permission.size(), mode, 8);
    std::string text = status.kind == io::Kind::directory ? "d" : "-";
    constexpr std::string_view letters = "rwx";
    for (unsigned bit = 0; bit < 9; ++bit) text += (mode >> (8 - bit) & 1) != 0 ? letters[bit % 3] : '-';
    constexpr unsigned sticky = 01000;
    if ((mode & sticky) != 0) text.back() = text.back() == 'x' ? 't' : 'T';
    return text;
}

std::string listing_header(std::size_t entries) {
    return entries == 0 ? std::string() : fmt::format("Found {} items\n", entries);
}

std::string listing_text(const std::vector<ListedPath>& entries, bool human_sizes) {
    struct Line {
        std::string permission, replication, owner, group, size, time;
    };
    std::vector<Line> lines;
    std::array<std::size_t, 4> widths{replication_width, 0, 0, size_width};
    for (const ListedPath& entry : entries) {
        const hdfs::FileStatus& status = entry.status;
        Line line{permission_text(status),
                  status.kind == io::Kind::directory ? "-" : fmt::format("{}", status.replication),
                  status.owner,
                  status.group,
                  human_sizes ? human_size(status.length) : fmt::format("{}", status.length),
                  minute_text(status.modified)};
        widths = {std::max(widths[0], line.replication.size()), std::max(widths[1], line.owner.size()),
                  std::max(widths[2], line.group.size()), std::max(widths[3], line.size.size())};
        lines.push_back(std::move(line));
    }
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const Line& line = lines[i];
        fmt::format_to(std::back_inserter(text), "{} {:>{}} {:<{}} {:<{}} {:>{}} {} {}\n", line.permission,
                       line.replication, widths[0], line.owner, widths[1], line.group, widths[2], line.size, widths[3],
                       line.time, entries[i].path);
    }
    return text;
}

} // namespace questlog::app
