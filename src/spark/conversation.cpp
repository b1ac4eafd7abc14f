#include "spark/conversation.h"

#include "control/unix_socket.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>

namespace questlog::spark {
namespace {

constexpr int look_ms = 100; ///< How often it is looked whether the program still runs.

} // namespace

/// Until the socket, or the one that waits for it, can be used.
Status Conversation::await(short events) {
    while (true) {
        if (stopped_()) return retry_later("interrupted: the tables are as they were");
        pollfd wait{socket_.is_open() ? socket_.get() : listening_.get(), events, 0};
        const int ready = ::poll(&wait, 1, look_ms);
        if (ready < 0 && errno != EINTR) return internal("cannot wait for Spark: {}", std::strerror(errno));
        if (ready > 0) return {};
        if (const auto how = program_.ended()) return internal("it ended early, with {}", *how);
    }
}

Status Conversation::accept() {
    while (!socket_.is_open()) {
        CHECK_OK(await(POLLIN));
        socket_ = control::accept_client(listening_);
    }
    return {};
}

Status Conversation::say(const std::string& line) {
    CHECK_OK(accept());
    const std::string text = line + "\n";
    for (std::size_t sent = 0; sent < text.size();) {
        CHECK_OK(await(POLLOUT));
        const ssize_t more = ::send(socket_.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
        if (more < 0 && errno != EAGAIN && errno != EINTR)
            return internal("it does not listen: {}", std::strerror(errno));
        if (more > 0) sent += static_cast<std::size_t>(more);
    }
    return {};
}

Result<event::JsonNode> Conversation::next() {
    CHECK_OK(accept());
    std::array<char, 65'536> buffer{};
    std::size_t looked_at = 0;
    while (true) {
        const std::size_t end = unread_.find('\n', looked_at);
        if (end != std::string::npos) {
            auto message = event::parse_json(std::string_view(unread_).substr(0, end));
            unread_.erase(0, end + 1);
            if (!message) return internal("it said what is no message; please report it");
            return std::move(*message);
        }
        looked_at = unread_.size();
        CHECK_OK(await(POLLIN));
        const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (got > 0) {
            unread_.append(buffer.data(), static_cast<std::size_t>(got));
            continue;
        }
        if (!program_.await_end(std::chrono::milliseconds(5'000))) return internal("it has hung up");
        return internal("it ended early, with {}", *program_.ended());
    }
}

} // namespace questlog::spark
