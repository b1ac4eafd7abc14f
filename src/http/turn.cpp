#include "http/asio_server.h"

#include <fmt/format.h>

namespace questlog::http {

// ---- requests come in

void AsioServer::arm_read(Connection& connection) {
    const auto space = connection.session.space();
    if (space.empty()) return pump(connection); // refused: that answer goes out
    connection.reading = true;
    connection.socket.async_read_some(
        asio::buffer(space.data(), space.size()),
        [this, held = ConnectionPtr(&connection)](error_code ec, std::size_t bytes) { on_read(*held, ec, bytes); });
}

void AsioServer::on_read(Connection& connection, error_code ec, std::size_t bytes) {
    connection.reading = false;
    if (!connection.open || shared_.failed) return;
    if (connection.lingering) {
        if (ec) return close(connection);
        return arm_dropping_read(connection);
    }
    if (ec == asio::error::operation_aborted) return on_cancelled_read(connection);
    if (ec && ec != asio::error::eof) return close(connection);
    if (ec)
        connection.session.input_ended();
    else
        connection.session.received(bytes);
    pump(connection);
    if (turn_.size() == open_.size()) return flush(); // nobody else can join this turn
    schedule_flush();
}

/// To have the session's buffer free. on_cancelled_read() follows, unless the read was done already.
void AsioServer::cancel_read(Connection& connection) {
    error_code ignored;
    connection.socket.cancel(ignored);
}

/// The read was cancelled for the buffer's shrinking, or for a last look before an idle connection is closed: a request
/// may have come that epoll has not told of.
void AsioServer::on_cancelled_read(Connection& connection) {
    if (connection.shrinking) {
        connection.shrinking = false;
        if (connection.session.idle()) connection.session.shrink();
    }
    if (shared_.draining) {
        const auto space = connection.session.space();
        error_code ec;
        const std::size_t bytes =
            space.empty() ? 0 : connection.socket.read_some(asio::buffer(space.data(), space.size()), ec);
        connection.session.received(bytes);
        if (ec && ec != asio::error::would_block) connection.session.input_ended();
    }
    pump(connection);
    schedule_flush();
}

/// What it has to say goes out by the next flush, which whoever runs this has to schedule.
void AsioServer::join_turn(Connection& connection) {
    if (connection.in_turn) return;
    connection.in_turn = true;
    turn_.emplace_back(&connection);
}

/// Handles what has come, and reads on if there is room.
void AsioServer::pump(Connection& connection) {
    if (!connection.open || connection.reading) return;
    connection.session.proceed();
    if (!connection.session.answers().empty() || connection.session.closing()) join_turn(connection);
    if (connection.session.wants_input()) arm_read(connection);
}

// ---- answers go out

/// The first post runs after the next poll, but before the handlers of what that poll found ready; the second after
/// them.
void AsioServer::schedule_flush() {
    const bool commit_due = shared_.staged && !commit_in_flight_;
    if (flush_posted_ || (turn_.empty() && !commit_due)) return;
    flush_posted_ = true;
    asio::post(io_, [this] {
        asio::post(io_, [this] {
            flush_posted_ = false;
            flush();
        });
    });
}

/// Ends a turn: one commit for everything that was handled, one send for each connection.
void AsioServer::flush() {
    if (shared_.failed) return;
    std::swap(turn_, flushing_);
    for (const ConnectionPtr& connection : flushing_) connection->in_turn = false;
    if (shared_.staged && !commit_in_flight_) start_commit();
    for (const ConnectionPtr& connection : flushing_) deliver(*connection);
    flushing_.clear();
    schedule_flush();
    stop_if_drained();
}

void AsioServer::start_commit() {
    const CommitNumber number = shared_.staging++;
    shared_.staged = false;
    commit_in_flight_ = true;
    if (shared_.handler->commit() || !commit_in_flight_) return;
    // Nothing was staged after all, so nothing is at risk.
    commit_in_flight_ = false;
    shared_.done = number;
}

void AsioServer::committed(bool succeeded) {
    if (!commit_in_flight_ || shared_.failed) return;
    commit_in_flight_ = false;
    shared_.done = shared_.staging - 1;
    shared_.failed_commit = 0;
    if (!succeeded) {
        shared_.failed_commit = shared_.done;
        const Response failure = shared_.handler->commit_failure();
        shared_.failure_text = fmt::format("{}{}{}", failure.content_type, failure.body, failure.extra_headers);
        const std::string_view text = shared_.failure_text;
        shared_.failure = failure;
        shared_.failure.content_type = text.substr(0, failure.content_type.size());
        shared_.failure.body = text.substr(failure.content_type.size(), failure.body.size());
        shared_.failure.extra_headers = text.substr(failure.content_type.size() + failure.body.size());
    }
    std::swap(pending_, released_);
    for (const ConnectionPtr& connection : released_) connection->pending = false;
    for (const ConnectionPtr& connection : released_) deliver(*connection);
    released_.clear();
    schedule_flush();
    stop_if_drained();
}

/// Sends all that may go, by one send.
void AsioServer::deliver(Connection& connection) {
    if (!connection.open || shared_.failed) return;
    Session& session = connection.session;
    session.release();
    if (session.answers().waits_for_commit() && !connection.pending) {
        connection.pending = true;
        pending_.emplace_back(&connection);
    }
    if (connection.writing) return;
    if (const auto bytes = session.answers().sendable(); !bytes.empty()) {
        error_code ec;
        const std::size_t sent = connection.socket.write_some(asio::buffer(bytes.data(), bytes.size()), ec);
        if (ec && ec != asio::error::would_block) return close(connection);
        session.sent(sent);
        if (!session.answers().sendable().empty()) {
            connection.writing = true;
            connection.socket.async_wait(tcp::socket::wait_write,
                                         [this, held = ConnectionPtr(&connection)](error_code) {
                                             held->writing = false;
                                             deliver(*held);
                                             schedule_flush();
                                         });
            return;
        }
    }
    if (session.closing() && session.answers().empty()) return finish(connection);
    if (shared_.draining && connection.reading && session.idle()) return cancel_read(connection);
    if (!connection.reading && session.wants_input()) pump(connection); // was held up for want of room
}

/// All is said. A client that may still be sending is first read out: closing on unread input makes the kernel reset
/// the connection, and the client may lose the answer.
void AsioServer::finish(Connection& connection) {
    if (!connection.session.must_linger()) return close(connection);
    if (connection.lingering) return;
    connection.lingering = true;
    connection.linger_began = shared_.now;
    error_code ec;
    connection.socket.shutdown(tcp::socket::shutdown_send, ec);
    if (ec) return close(connection);
    if (!connection.reading) arm_dropping_read(connection);
}

void AsioServer::arm_dropping_read(Connection& connection) {
    connection.reading = true;
    connection.socket.async_read_some(
        asio::buffer(dropped_),
        [this, held = ConnectionPtr(&connection)](error_code ec, std::size_t bytes) { on_read(*held, ec, bytes); });
}

} // namespace questlog::http
