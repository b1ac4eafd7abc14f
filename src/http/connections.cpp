#include "http/epoll_server.h"

#include <cerrno>

/// Connections come and go.
namespace questlog::http {
namespace {

constexpr std::size_t connections_kept_max = 1024;  ///< Closed ones, for the next clients.
constexpr std::size_t connections_refused_max = 64; ///< Over connections_max, being answered 503.

} // namespace

bool EpollServer::takes_more() const {
    return listener_.socket.get() >= 0 && open_.size() < shared_.options.connections_max + connections_refused_max;
}

/// Takes every connection that waits: one a turn would mean one commit a connection.
void EpollServer::accept_all() {
    room_made_ = false;
    while (takes_more()) {
        Accepted accepted = accept_one(listener_.socket.get());
        if (accepted.socket.get() >= 0) {
            admit(std::move(accepted));
            continue;
        }
        if (accepted.error == ECONNABORTED || accepted.error == EINTR || accepted.error == EPROTO) continue;
        if (accepted.error == EAGAIN) acceptable_ = false; // the poller tells of the next one
        return; // else out of descriptors or memory: the next sweep, or the next close, tries again
    }
}

std::unique_ptr<Connection> EpollServer::take_connection() {
    if (kept_.empty()) return std::make_unique<Connection>(shared_);
    std::unique_ptr<Connection> connection = std::move(kept_.back());
    kept_.pop_back();
    return connection;
}

void EpollServer::admit(Accepted accepted) {
    std::unique_ptr<Connection> owned = take_connection();
    Connection& connection = *owned;
    connection.socket = std::move(accepted.socket);
    connection.session.open(accepted.peer);
    connection.open = true;
    connection.watched = connection.readable = connection.hung_up = connection.blocked = connection.lingering = false;
    connection.kernel_queue = 0;
    connection.index = open_.size();
    ++shared_.stats.connections_accepted;
    ++shared_.stats.connections_open;
    const bool too_many = open_.size() >= shared_.options.connections_max;
    open_.push_back(std::move(owned));
    if (too_many) {
        ++shared_.stats.connections_refused;
        connection.session.refuse({503, "the server has as many connections as it takes: try again in a second"});
        join_turn(connection);
    }
    make_ready(connection);
}

/// Only once there was nothing to read: a connection that is used for one request costs no call for it.
void EpollServer::watch(Connection& connection) {
    if (connection.watched) return;
    connection.watched = true;
    if (const Status watched = poller_.add(connection.socket.get(), &connection); !watched.ok()) close(connection);
}

void EpollServer::close(Connection& connection) {
    if (!connection.open) return;
    connection.open = false;
    connection.socket = Descriptor();
    --shared_.stats.connections_open;
    std::unique_ptr<Connection>& place = open_[connection.index];
    closed_.push_back(std::move(place));
    if (&place != &open_.back()) {
        place = std::move(open_.back());
        place->index = connection.index;
    }
    open_.pop_back();
    room_made_ = true;
}

/// At the end of a turn, when no event of the poller names them any more.
void EpollServer::reap() {
    std::erase_if(closed_, [this](std::unique_ptr<Connection>& connection) {
        if (connection->ready || connection->in_turn || connection->pending || connection->held) return false;
        connection->session.close();
        if (kept_.size() < connections_kept_max) kept_.push_back(std::move(connection));
        return true;
    });
}

} // namespace questlog::http
