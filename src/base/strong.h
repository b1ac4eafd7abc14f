#pragma once

#include <compare>
#include <cstdint>
#include <fmt/format.h>
#include <limits>

namespace questlog {

/// An integer with a meaning: an offset is not a byte count. Arithmetic is explicit, and ends at the least and the
/// greatest Int: other producers' times may be any.
template <class Tag, class Int = std::int64_t> struct Strong {
    Int value{};
    auto operator<=>(const Strong&) const = default;

    [[nodiscard]] constexpr Strong plus(Int n) const {
        Int sum{};
        return Strong{__builtin_add_overflow(value, n, &sum) ? end_towards(n < 0) : sum};
    }
    [[nodiscard]] constexpr Int minus(Strong other) const {
        Int difference{};
        return __builtin_sub_overflow(value, other.value, &difference) ? end_towards(value < other.value) : difference;
    }

private:
    static constexpr Int end_towards(bool least) {
        return least ? std::numeric_limits<Int>::min() : std::numeric_limits<Int>::max();
    }
};

using Offset = Strong<struct OffsetTag>;                     ///< Position of an event in its partition; the first is 0.
using Partition = Strong<struct PartitionTag, std::int32_t>; ///< Index of a partition in its topic; the first is 0.
using TimestampMs = Strong<struct TimestampMsTag>;           ///< Wall-clock milliseconds since 1970-01-01 UTC.

/// Some offsets of a partition, in a row.
struct OffsetSpan {
    Offset from;
    Offset to; ///< Not included.
    auto operator<=>(const OffsetSpan&) const = default;
};

} // namespace questlog

template <class Tag, class Int> struct fmt::formatter<questlog::Strong<Tag, Int>> : fmt::formatter<Int> {
    auto format(questlog::Strong<Tag, Int> strong, fmt::format_context& context) const {
        return fmt::formatter<Int>::format(strong.value, context);
    }
};
