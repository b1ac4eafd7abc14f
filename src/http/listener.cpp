#include "http/listener.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace questlog::http {
namespace {

constexpr int backlog = 4096; ///< The kernel caps it at net.core.somaxconn.

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

std::string shown(const std::string& host, std::uint16_t port) {
    const bool bare_ipv6 = host.find(':') != std::string::npos && !host.starts_with('[');
    return bare_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

Error system_error(ErrorKind kind, int error, std::string message) {
    return Error{kind, fmt::format("{}: {}", message, std::strerror(error)), error};
}

Error cannot_listen(int error, const std::string& host, std::uint16_t port) {
    const std::string address = shown(host, port);
    if (error == EADDRINUSE)
        return Error{ErrorKind::reject,
                     fmt::format("port {} is taken: another program listens on {}. Stop it, or choose another port "
                                 "with --listen (--listen 127.0.0.1:0 takes any free one)",
                                 port, address),
                     error};
    if (error == EACCES)
        return Error{
            ErrorKind::reject,
            fmt::format("may not listen on {}: ports below 1024 are reserved; choose another with --listen", address),
            error};
    if (error == EADDRNOTAVAIL)
        return Error{ErrorKind::reject,
                     fmt::format("cannot listen on {}: this machine has no such address. 127.0.0.1 is this machine "
                                 "alone, 0.0.0.0 is every address it has",
                                 address),
                     error};
    return system_error(ErrorKind::internal, error, fmt::format("cannot listen on {}", address));
}

/// IPv4 first: what a name such as localhost stands for to most clients.
std::vector<const addrinfo*> in_order(const addrinfo* list) {
    std::vector<const addrinfo*> order;
    for (; list != nullptr; list = list->ai_next) order.push_back(list);
    std::stable_partition(order.begin(), order.end(), [](const addrinfo* a) { return a->ai_family == AF_INET; });
    return order;
}

std::uint16_t port_of(int socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
    return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port
                                               : reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

/// A listening socket, or -1 with errno.
Descriptor try_listen(const addrinfo& address) {
    Descriptor socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (socket.get() < 0) return socket;
    const int on = 1;
    const int off = 0;
    setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); // accepted sockets inherit these:
    setsockopt(socket.get(), SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)); // urgent data ends no read early
    if (address.ai_family == AF_INET6) setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (::bind(socket.get(), address.ai_addr, address.ai_addrlen) != 0 || ::listen(socket.get(), backlog) != 0) {
        const int error = errno;
        socket = Descriptor();
        errno = error;
        return Descriptor();
    }
    return socket;
}

} // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
    const auto bad = [&] {
        return reject("\"{}\" is no address to listen on; write HOST:PORT such as 127.0.0.1:5000, or port 0 for any "
                      "free one",
                      text);
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return bad();
    std::string_view host = text.substr(0, colon);
    if (host.front() == '[') {
        if (host.size() < 3 || host.back() != ']') return bad();
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string::npos) {
        return bad(); // an IPv6 address without brackets
    }
    const char* begin = text.data() + colon + 1;
    const char* end = text.data() + text.size();
    std::uint16_t port = 0;
    const auto parsed = std::from_chars(begin, end, port);
    if (begin == end || parsed.ec != std::errc() || parsed.ptr != end) return bad();
    return ListenAddress{std::string(host), port};
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Result<Listener> open_listener(const std::string& host, std::uint16_t port) {
    std::string name = host;
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (name.empty()) return reject("no host to listen on: write HOST:PORT, such as 127.0.0.1:{}", port);
    const int problem = getaddrinfo(name.c_str(), std::to_string(port).c_str(), &hints, &found);
    const AddressList list(found, &freeaddrinfo);
    if (problem != 0)
        return reject("cannot listen on {}: the host '{}' is unknown ({})", shown(name, port), name,
                      gai_strerror(problem));
    int error = EADDRNOTAVAIL;
    for (const addrinfo* address : in_order(list.get())) {
        Descriptor socket = try_listen(*address);
        if (socket.get() >= 0) {
            const std::uint16_t bound = port_of(socket.get());
            return Listener{std::move(socket), bound};
        }
        error = errno;
        // Another address of the same name would hide the fault from who expects this one.
        if (error == EADDRINUSE || error == EACCES) break;
    }
    return cannot_listen(error, name, port);
}

Accepted accept_one(int listening) {
    Accepted accepted;
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    accepted.socket =
        Descriptor(::accept4(listening, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (accepted.socket.get() < 0) {
        accepted.error = errno;
        return accepted;
    }
    if (address.ss_family == AF_INET) {
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&address)->sin_addr, accepted.peer,
                  sizeof(accepted.peer));
    } else if (address.ss_family == AF_INET6) {
        const in6_addr& ip = reinterpret_cast<const sockaddr_in6*>(&address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(&ip))
            inet_ntop(AF_INET, ip.s6_addr + 12, accepted.peer, sizeof(accepted.peer));
        else
            inet_ntop(AF_INET6, &ip, accepted.peer, sizeof(accepted.peer));
    }
    return accepted;
}

} // namespace questlog::http
