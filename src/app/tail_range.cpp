#include "app/tail_range.h"

#include <algorithm>
#include <charconv>

namespace questlog::app {
namespace {

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

} // namespace

Result<TailRange> TailRange::parse(const std::vector<std::string>& options) {
    TailRange range;
    for (const std::string& text : options) {
        const bool is_time = text.starts_with("s@") || text.starts_with("e@");
        const auto number = parse_number(is_time ? std::string_view(text).substr(2) : std::string_view(text));
        if (!number && text != "beginning" && text != "end")
            return reject("-o {} is no place to begin; write beginning, end, an offset, -N for the last N, s@MS to "
                          "start at a time, or e@MS to stop before one (milliseconds since 1970 UTC)",
                          text);
        if (!is_time)
            range.place = text;
        else if (text.front() == 's')
            range.since = TimestampMs{*number};
        else
            range.until = TimestampMs{*number};
    }
    return range;
}

Offset TailRange::first_offset(Offset start, Offset end) const {
    const auto number = parse_number(place);
    if (!number) return place == "end" ? end : start;
    if (*number < 0 || place.front() == '-') return std::max(start, end.plus(*number));
    return std::max(start, Offset{*number});
}

} // namespace questlog::app
