#include "kafka/origin_points.h"

#include "base/checked_text.h"

#include <fmt/format.h>
#include <iterator>

namespace questlog::kafka {
namespace {

constexpr TextKind points_text{"questlog origins", 1,
                               "remove it: it is made anew from the topic, which takes one pass over it"};
constexpr std::string_view witness_key = "witness ";
constexpr std::string_view point_key = "point ";

} // namespace

std::optional<OriginPoints::Point> OriginPoints::before(Offset at) const {
    const auto after = points_.upper_bound(at);
    if (after == points_.begin()) return std::nullopt;
    const auto found = std::prev(after);
    return Point{found->first, found->second};
}

void OriginPoints::add(Offset at, const OriginsSeen& seen) {
    const auto after = points_.upper_bound(at);
    if (after != points_.end()) { // of a region that is read again
        if (after == points_.begin() || at.minus(std::prev(after)->first) >= offsets_between)
            points_.insert_or_assign(at, seen);
        return;
    }
    if (points_.size() >= 2) { // of those that lie close together the last one is enough
        const auto last = std::prev(points_.end());
        const auto kept = std::prev(last);
        if (at > last->first && at.minus(kept->first) < offsets_between) points_.erase(last);
    }
    points_.insert_or_assign(at, seen);
}

void OriginPoints::forget_below(Offset low) {
    const auto after = points_.upper_bound(low);
    if (after != points_.begin()) points_.erase(points_.begin(), std::prev(after));
}

std::string OriginPoints::encode() const {
    std::string lines;
    if (witness) lines = fmt::format("{}{} {:08x}\n", witness_key, witness->offset, witness->fingerprint);
    for (const auto& [at, seen] : points_)
        fmt::format_to(std::back_inserter(lines), "{}{}{}\n", point_key, at, seen.encode());
    return encode_checked_text(points_text, lines);
}

Result<OriginPoints> OriginPoints::decode(std::string_view text, const std::string& path) {
    TRY(lines, decode_checked_text(points_text, text, path));
    OriginPoints points;
    while (!lines.empty()) {
        std::string_view line = take_text_line(lines);
        if (line.starts_with(witness_key)) {
            line.remove_prefix(witness_key.size());
            const std::string_view offset = line.substr(0, line.find(' '));
            Witness witness;
            const auto sum = line.substr(std::min(offset.size() + 1, line.size()));
            const auto [end, error] = std::from_chars(sum.data(), sum.data() + sum.size(), witness.fingerprint, 16);
            if (!parse_number(offset, witness.offset.value) || error != std::errc() || end != sum.data() + sum.size())
                return damaged_text(points_text, path, "its witness does not parse");
            points.witness = witness;
            continue;
        }
        Offset at;
        if (!line.starts_with(point_key)) return damaged_text(points_text, path, "a line is no point");
        line.remove_prefix(point_key.size());
        const std::string_view number = line.substr(0, line.find(' '));
        auto seen = OriginsSeen::decode(line.substr(number.size()));
        if (!parse_number(number, at.value) || !seen) return damaged_text(points_text, path, "a point does not parse");
        points.points_.emplace(at, std::move(*seen));
    }
    return points;
}

} // namespace questlog::kafka
