#pragma once

#include "base/result.h"
#include "io/descriptor.h"
#include "io/env.h"

#include <chrono>
#include <string>
#include <string_view>
#include <sys/types.h>

/// Unix stream sockets that carry one line each way, in bounded size and time.
namespace questlog::control {

inline constexpr std::string_view socket_name = "control.sock";
inline constexpr std::string_view lock_name = "control.lock";

/// Listens at `directory`/control.sock with mode 0600, whatever the umask and however long the path. A socket that is
/// there is replaced: the caller holds control.lock, and so knows that it is a dead server's. What is no socket stays.
Result<io::Descriptor> listen_in(io::Files& files, const std::string& directory);
/// The next client that waits; not open where there is none, with errno.
io::Descriptor accept_client(const io::Descriptor& listening);
/// Error::system_errno says why not: ENOENT or ECONNREFUSED where no one listens, EAGAIN where too many wait.
Result<io::Descriptor> connect_in(const std::string& directory);

/// When an exchange must be over. `cancel`, if open, ends it sooner: as soon as it can be read.
struct Deadline {
    io::Clock& clock;
    std::chrono::nanoseconds at;
    int cancel = -1;
};
/// Up to the first line break, which is left out. `retry_later` where time is over, `reject` where the line is too long
/// or the other side closes before its end.
Result<std::string> read_line(const io::Descriptor& socket, const Deadline& deadline);
Status write_line(const io::Descriptor& socket, std::string_view line, const Deadline& deadline);

/// The user at the other end of the socket.
Result<uid_t> peer_of(const io::Descriptor& socket);
/// Whether a user may give commands to a server that runs as `server`: itself and root.
[[nodiscard]] constexpr bool may_command(uid_t peer, uid_t server) {
    return peer == server || peer == 0;
}

} // namespace questlog::control
