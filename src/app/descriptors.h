#pragma once

#include <cstddef>
#include <cstdint>

namespace questlog::app {

/// Raises the number of files that this process may open to what the system lets it. That number; the largest there is
/// where there is no limit.
[[nodiscard]] std::size_t raise_descriptor_limit();

/// How many connections may be open at once, so that descriptors are left for the log to roll its segments, for the
/// connections that are told that there are too many, and for all else: `wanted`, or fewer, but one at least.
[[nodiscard]] std::size_t connections_within(std::size_t descriptors, std::int32_t partitions, std::size_t wanted);

} // namespace questlog::app
