#include "control/unix_socket.h"

#include "control/control_limits.h"
#include "io/system_error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace questlog::control {
namespace {

constexpr int backlog = 64; ///< Commands that wait for the one before.

/// A socket's address in a directory. sun_path has 108 bytes: a longer path goes through the open directory.
struct Address {
    sockaddr_un name{};
    io::Descriptor directory; ///< Open where the name leads through it.

    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
    static constexpr socklen_t size = sizeof(sockaddr_un);
};

Result<Address> address_in(const std::string& directory) {
    Address address;
    address.name.sun_family = AF_UNIX;
    std::string path = fmt::format("{}/{}", directory, socket_name);
    if (path.size() >= sizeof(address.name.sun_path)) {
        address.directory = io::Descriptor(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!address.directory.is_open()) return io::system_error(errno, "open the directory", directory);
        path = fmt::format("/proc/self/fd/{}/{}", address.directory.get(), socket_name);
    }
    std::ranges::copy(path, address.name.sun_path);
    return address;
}

Result<io::Descriptor> open_socket() {
    io::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.is_open()) return io::system_error(errno, "open", "a Unix socket");
    return socket;
}

Status remove_dead_socket(io::Files& files, const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0)
        return errno == ENOENT ? Status() : Status(io::system_error(errno, "look at", path));
    if (!S_ISSOCK(found.st_mode)) return reject("{} is there and is no socket; move it away", path);
    return files.remove_file(path);
}

/// Waits until `events` can be had. `retry_later` where time is over first.
Status wait_for(const io::Descriptor& socket, short events, const Deadline& deadline) {
    std::array<pollfd, 2> waits{pollfd{socket.get(), events, 0}, pollfd{deadline.cancel, POLLIN, 0}};
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.at - deadline.clock.monotonic());
        const int ready = ::poll(waits.data(), waits.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready < 0 && errno != EINTR) return io::system_error(errno, "wait at", socket_name);
        if (ready > 0 && waits[0].revents != 0) return {};
        if (ready > 0) return retry_later("the server is stopping");
        if (ready == 0 && left.count() <= 0) return Error{ErrorKind::retry_later, "the time is over", ETIMEDOUT};
    }
}

} // namespace

Result<io::Descriptor> listen_in(io::Files& files, const std::string& directory) {
    const std::string path = fmt::format("{}/{}", directory, socket_name);
    CHECK_OK(remove_dead_socket(files, path));
    TRY(socket, open_socket());
    TRY(address, address_in(directory));
    // The mode that bind() gives the entry, so that at no moment others may connect.
    if (::fchmod(socket.get(), 0600) != 0 || ::bind(socket.get(), address.get(), Address::size) != 0 ||
        ::listen(socket.get(), backlog) != 0)
        return io::system_error(errno, "listen at", path);
    return socket;
}

io::Descriptor accept_client(const io::Descriptor& listening) {
    return io::Descriptor(
        io::uninterrupted([&] { return ::accept4(listening.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC); }));
}

Result<io::Descriptor> connect_in(const std::string& directory) {
    TRY(socket, open_socket());
    TRY(address, address_in(directory));
    if (io::uninterrupted([&] { return ::connect(socket.get(), address.get(), Address::size); }) != 0)
        return io::system_error(errno, "connect to", fmt::format("{}/{}", directory, socket_name));
    return socket;
}

Result<std::string> read_line(const io::Descriptor& socket, const Deadline& deadline) {
    std::string line;
    std::array<char, 4096> buffer{};
    while (true) {
        const ssize_t got = io::uninterrupted([&] { return ::recv(socket.get(), buffer.data(), buffer.size(), 0); });
        if (got < 0 && errno == EAGAIN) {
            CHECK_OK(wait_for(socket, POLLIN, deadline));
            continue;
        }
        if (got < 0 && errno != ECONNRESET) return io::system_error(errno, "read from", socket_name);
        if (got <= 0) return reject("the connection was closed before a whole line came");
        const std::string_view part(buffer.data(), static_cast<std::size_t>(got));
        const std::size_t end = part.find('\n');
        line += part.substr(0, end);
        if (line.size() > limits::control_line_bytes_max)
            return reject("a line has at most {} bytes", limits::control_line_bytes_max);
        if (end != std::string_view::npos) return line;
    }
}

Status write_line(const io::Descriptor& socket, std::string_view line, const Deadline& deadline) {
    while (!line.empty()) {
        const ssize_t sent =
            io::uninterrupted([&] { return ::send(socket.get(), line.data(), line.size(), MSG_NOSIGNAL); });
        if (sent < 0 && errno == EAGAIN) {
            CHECK_OK(wait_for(socket, POLLOUT, deadline));
            continue;
        }
        if (sent < 0) return io::system_error(errno, "write to", socket_name);
        line.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<uid_t> peer_of(const io::Descriptor& socket) {
    ucred peer{};
    socklen_t size = sizeof(peer);
    if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return io::system_error(errno, "see who is at", socket_name);
    return peer.uid;
}

} // namespace questlog::control
