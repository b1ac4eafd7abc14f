#include "http/epoll_server.h"

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

namespace questlog::http {

// ---- requests come in

void EpollServer::wait() {
    const bool idle = turn_.empty() && ready_.empty() && (shared_.commit_in_flight || !shared_.staged) &&
                      !(acceptable_ && room_made_ && takes_more());
    const Poller::Found found = poller_.wait(idle);
    for (const epoll_event& event : found.sockets) note(event);
    tick_due_ = found.tick;
    flush_due_ = !turn_.empty(); // a commit was done: its answers wait for nobody
    arrivals_due_ = true;
}

void EpollServer::note(const epoll_event& event) {
    if (event.data.ptr == &listener_) {
        acceptable_ = true;
        return;
    }
    Connection& connection = *static_cast<Connection*>(event.data.ptr);
    if (!connection.open) return;
    if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) connection.hung_up = true;
    if ((event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) make_ready(connection);
    if ((event.events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 && connection.blocked) {
        connection.blocked = false;
        join_turn(connection);
    }
}

void EpollServer::make_ready(Connection& connection) {
    connection.readable = true;
    if (connection.ready) return;
    connection.ready = true;
    ready_.push_back(&connection);
}

void EpollServer::take_arrivals() {
    arrivals_due_ = false;
    if (std::exchange(tick_due_, false)) sweep();
    if (acceptable_) accept_all();
    std::swap(ready_, reading_);
    for (Connection* connection : reading_) connection->ready = false;
    read_ready();
}

/// Reads once from each connection that may have something: who sends without end does not hold up the others. A commit
/// that is done meanwhile comes first.
void EpollServer::read_ready() {
    while (read_ < reading_.size()) {
        Connection& connection = *reading_[read_++];
        if (!connection.open || shared_.failed) continue;
        if (connection.lingering)
            read_and_drop(connection);
        else
            read(connection);
        if (!notice_commit()) continue;
        flush_due_ = true;
        return;
    }
    reading_.clear();
    read_ = 0;
    flush_due_ = true;
}

void EpollServer::read(Connection& connection) {
    Session& session = connection.session;
    if (!connection.readable || !session.wants_input()) return;
    const std::span<char> space = session.space();
    if (space.empty()) return join_turn(connection); // refused: that answer goes out
    const auto bytes = ::recv(connection.socket.get(), space.data(), space.size(), 0);
    if (bytes < 0) {
        if (errno == EINTR) return make_ready(connection);
        if (errno != EAGAIN) return close(connection);
        connection.readable = false;
        return handle(connection); // stopping, it may be over
    }
    if (bytes == 0)
        session.input_ended();
    else
        session.received(static_cast<std::size_t>(bytes));
    // Less than there was room for: the rest comes with another event, unless the end is there already.
    connection.readable = bytes != 0 && (static_cast<std::size_t>(bytes) == space.size() || connection.hung_up);
    handle(connection);
}

/// Handles what has come; reads on in the next turn if there may be more.
void EpollServer::handle(Connection& connection) {
    Session& session = connection.session;
    const std::size_t answers = session.answers().size();
    const bool was_closing = session.closing();
    session.proceed();
    if (session.answers().size() != answers || session.closing() != was_closing) join_turn(connection);
    if (!connection.readable) {
        if (!session.closing()) watch(connection);
    } else if (session.wants_input()) {
        make_ready(connection);
    }
}

void EpollServer::read_and_drop(Connection& connection) {
    const auto bytes = ::recv(connection.socket.get(), dropped_.data(), dropped_.size(), 0);
    if (bytes > 0 || (bytes < 0 && errno == EINTR)) return make_ready(connection);
    if (bytes == 0 || errno != EAGAIN) return close(connection);
    connection.readable = false;
    watch(connection);
}

/// What it has to say goes out at the end of the turn.
void EpollServer::join_turn(Connection& connection) {
    if (connection.in_turn) return;
    connection.in_turn = true;
    turn_.push_back(&connection);
}

// ---- answers go out

/// Ends a turn: one commit for everything that was handled, one send for each connection.
void EpollServer::begin_flush() {
    if (shared_.staged && !shared_.commit_in_flight) return start_commit();
    flush_due_ = false;
    std::swap(turn_, flushing_);
    for (Connection* connection : flushing_) connection->in_turn = false;
}

void EpollServer::flush() {
    while (flushed_ < flushing_.size()) {
        deliver(*flushing_[flushed_++]);
        if (notice_commit() && blocking_.call) return;
    }
    flushing_.clear();
    flushed_ = 0;
}

/// Between two connections: where a commit has ended meanwhile, the next one begins at once, so that the disk does not
/// wait for the end of a turn. True: its answers may go out.
bool EpollServer::notice_commit() {
    const CommitNumber done = shared_.done;
    if (!poller_.run_posted() || shared_.done == done) return false;
    if (shared_.staged && !shared_.commit_in_flight) start_commit();
    return true;
}

void EpollServer::start_commit() {
    const CommitNumber number = shared_.begin_commit();
    if (shared_.handler->commit() || !shared_.commit_in_flight) return;
    // Nothing was staged after all, so nothing is at risk.
    shared_.commit_in_flight = false;
    shared_.done = number;
}

/// The next commit begins before the answers of this one go out: the disk works while the network does. What this one
/// came to is entered into them at once, since the next one may be over, with another outcome, before they are sent.
void EpollServer::committed(bool succeeded) {
    if (!shared_.commit_in_flight || shared_.failed) return;
    shared_.end_commit(succeeded);
    std::swap(pending_, released_);
    for (Connection* connection : released_) {
        connection->pending = false;
        connection->session.release();
        join_turn(*connection);
    }
    released_.clear();
}

void EpollServer::resolve(const std::vector<Resolution>& resolutions) {
    if (shared_.failed || resolutions.empty()) return;
    Resolutions by_hold;
    for (const Resolution& resolution : resolutions) by_hold.emplace(resolution.hold, &resolution);
    // Any may have such an answer: also one that was read from in this turn, and is in no list yet.
    for (const auto& connection : open_) connection->session.resolve(by_hold);
    std::swap(held_, released_);
    for (Connection* connection : released_) {
        connection->held = false;
        connection->session.release();
        join_turn(*connection); // where it is held still, that puts it back
    }
    released_.clear();
}

/// Sends all that may go, by one send.
void EpollServer::deliver(Connection& connection) {
    if (!connection.open || shared_.failed) return;
    Session& session = connection.session;
    session.release();
    if (session.answers().waits()) {
        const bool for_commit = session.answers().waits_for_commit(shared_.done);
        bool& listed = for_commit ? connection.pending : connection.held;
        if (!std::exchange(listed, true)) (for_commit ? pending_ : held_).push_back(&connection);
    }
    if (connection.blocked || !send(connection)) return;
    if (session.closing()) {
        if (session.answers().empty()) finish(connection);
        return;
    }
    if (shared_.draining && session.idle()) return make_ready(connection); // a last look
    handle(connection);                                                    // what was held up for want of room
}

/// False: nothing more can go yet, or the connection is closed.
bool EpollServer::send(Connection& connection) {
    const std::string_view bytes = connection.session.answers().sendable();
    if (bytes.empty()) return true;
    const auto sent = ::send(connection.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        close(connection);
        return false;
    }
    if (sent > 0) connection.session.sent(static_cast<std::size_t>(sent));
    if (connection.session.answers().sendable().empty()) return true;
    connection.blocked = true;
    connection.session.begin_wait();
    const bool watched = std::exchange(connection.watched, true);
    const Status told = watched ? poller_.change(connection.socket.get(), &connection, true)
                                : poller_.add(connection.socket.get(), &connection, true);
    if (!told.ok()) close(connection);
    return false;
}

/// All is said. A client that may still be sending is first read out: closing on unread input makes the kernel reset
/// the connection, and the client may lose the answer.
void EpollServer::finish(Connection& connection) {
    if (!connection.session.must_linger()) return close(connection);
    if (connection.lingering) return;
    connection.lingering = true;
    connection.linger_began = shared_.now;
    if (::shutdown(connection.socket.get(), SHUT_WR) != 0) return close(connection);
    make_ready(connection);
}

} // namespace questlog::http
