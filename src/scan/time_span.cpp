#include "scan/time_span.h"

#include "scan/timestamp_text.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::scan {

namespace {

[[nodiscard]] TimeCut cut_within_limits(std::string literal, std::int64_t reached, std::int64_t passed) {
    const auto clamped = [](std::int64_t time) {
        return TimestampMs{std::clamp(time, earliest_time.value, latest_time.value + 1)};
    };
    return {std::move(literal), clamped(reached), clamped(passed)};
}

} // namespace

TimeCut timestamp_cut(std::string literal, std::int64_t us) {
    const std::int64_t rest = us % 1000;
    const std::int64_t floor = us / 1000 - (rest < 0 ? 1 : 0);
    return cut_within_limits(std::move(literal), floor + (rest != 0 ? 1 : 0), floor + 1);
}

TimeCut text_cut(std::string_view text) {
    TimestampText writer;
    std::int64_t low = earliest_time.value; // The first time whose text is `text` or greater is in [low, high].
    std::int64_t high = latest_time.value + 1;
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        if (writer.write(TimestampMs{middle}) < text)
            low = middle + 1;
        else
            high = middle;
    }
    const bool is_met = low <= latest_time.value && writer.write(TimestampMs{low}) == text;
    return cut_within_limits(duck::quote_literal(text), low, low + (is_met ? 1 : 0));
}

std::vector<TimeSpan> spans_between(std::vector<TimeCut> cuts) {
    std::sort(cuts.begin(), cuts.end(), [](const TimeCut& one, const TimeCut& other) {
        return std::pair(one.reached, one.passed) < std::pair(other.reached, other.passed);
    });
    std::vector<TimeSpan> spans;
    const auto add = [&](TimestampMs from, TimestampMs to, std::string condition) {
        if (from < to) spans.push_back({from, to, std::move(condition)});
    };
    TimestampMs from = earliest_time;
    std::string after; // What is true from there on.
    for (const TimeCut& cut : cuts) {
        add(from, cut.reached, fmt::format("{}\"timestamp\" < {}", after, cut.literal));
        add(std::max(from, cut.reached), cut.passed, fmt::format("\"timestamp\" = {}", cut.literal));
        from = std::max(from, cut.passed);
        after = fmt::format("\"timestamp\" > {} AND ", cut.literal);
    }
    if (!cuts.empty()) add(from, latest_time.plus(1), fmt::format("\"timestamp\" > {}", cuts.back().literal));
    return spans;
}

} // namespace questlog::scan
