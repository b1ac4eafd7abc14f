#pragma once

#include <compare>
#include <cstdint>
#include <fmt/format.h>

namespace questlog {

/// An integer with a meaning: an offset is not a byte count. Arithmetic is explicit, through `value`.
template <class Tag, class Int = std::int64_t> struct Strong {
    Int value{};
    auto operator<=>(const Strong&) const = default;

    [[nodiscard]] constexpr Strong plus(Int n) const { return Strong{static_cast<Int>(value + n)}; }
    [[nodiscard]] constexpr Int minus(Strong other) const { return static_cast<Int>(value - other.value); }
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
