#pragma once

#include <chrono>
#include <cstddef>

/// What an exchange at the control socket may take: neither side can be held for ever.
namespace questlog::limits {

inline constexpr std::size_t control_line_bytes_max = 64 * 1024;            ///< A request, an answer.
inline constexpr std::chrono::milliseconds control_request_timeout{2'000};  ///< Until a client has sent its line.
inline constexpr std::chrono::milliseconds control_ping_timeout{5'000};     ///< Until a server has told of itself.
inline constexpr std::chrono::milliseconds control_command_timeout{60'000}; ///< Until a command is done: many fsyncs.

} // namespace questlog::limits
