#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>

/// Which process holds something, told to processes that may run on other machines.
namespace questlog::io {

/// One process among all that ever ran, and what a person calls it.
struct ProcessIdentity {
    std::string host;
    std::string machine; ///< The boot and the namespace of pids that `pid` counts in.
    std::int64_t pid = 0;
    std::int64_t started = 0; ///< In the boot's clock ticks, so that a pid that is used again is another process.
    std::string command;

    auto operator<=>(const ProcessIdentity&) const = default;
};

[[nodiscard]] Result<ProcessIdentity> this_process();

enum class Life : std::uint8_t {
    alive,
    dead,
    unknown, ///< It is of another machine, boot or container.
};
[[nodiscard]] Life life_of(const ProcessIdentity& process);

} // namespace questlog::io
