#pragma once

#include "base/limits.h"
#include "base/strong.h"

#include <chrono>
#include <compare>
#include <cstdint>
#include <string_view>

/// Message ids as they are remembered: by their hash, with where they were met.
namespace questlog::event {

/// 128 bits of XXH3 (https://github.com/Cyan4973/xxHash): two ids of ten million share theirs with a chance of 10^-25.
/// The bits never change: they lie on disk.
struct MessageHash {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    auto operator<=>(const MessageHash&) const = default;
};
[[nodiscard]] MessageHash hash_of(std::string_view message_id);

/// A record of a partition that has a message id.
struct IdSighting {
    MessageHash id;
    Offset offset;
    TimestampMs time;
    auto operator<=>(const IdSighting&) const = default;
};

/// A record repeats an earlier one of its partition where the latest that has its id, repeat or not, came at most so
/// long before it and was among the so many latest that have any. So what repeats what is told by the log alone, and
/// from any offset on by what came within the window before it.
struct RepeatWindow {
    std::chrono::milliseconds time = limits::repeat_window_default;
    std::int64_t ids = limits::repeat_ids_default;
};

} // namespace questlog::event
