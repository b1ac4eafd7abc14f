#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace questlog::http {

struct ListenAddress {
    std::string host; ///< An IPv6 address without its brackets.
    std::uint16_t port = 0;
};

/// "127.0.0.1:5000", "localhost:0", "[::1]:5000". `reject` for anything else: a host or a port alone would have to be
/// guessed at.
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

/// Closes its file descriptor.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor();

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }

private:
    int fd_;
};

struct Listener {
    Descriptor socket; ///< Listening, not blocking.
    std::uint16_t port = 0;
};

/// Binds and listens. A port that someone listens on is refused, never shared: SO_REUSEADDR lets a restarted server
/// have its port back while old connections linger in TIME_WAIT; SO_REUSEPORT, which would steal connections, is not
/// used.
[[nodiscard]] Result<Listener> open_listener(const std::string& host, std::uint16_t port);

struct Accepted {
    Descriptor socket;  ///< Not blocking.
    int error = 0;      ///< errno where there is no socket.
    char peer[48] = {}; ///< The client's address as text, IPv4 in its own form.
};

[[nodiscard]] Accepted accept_one(int listening);

} // namespace questlog::http
