#include "http/asio_server.h"

#include <cerrno>
#include <linux/sockios.h>
#include <sys/ioctl.h>

namespace questlog::http {
namespace {

constexpr std::size_t connections_kept_max = 1024;  ///< Closed ones, for the next clients.
constexpr std::size_t connections_refused_max = 64; ///< Over connections_max, being answered 503.

} // namespace

void intrusive_ptr_release(Connection* connection) {
    if (--connection->references == 0) connection->server.recycle(connection);
}

// ---- connections come and go

void AsioServer::recycle(Connection* connection) {
    std::unique_ptr<Connection> owned(connection);
    if (closed_connections_kept_ && kept_.size() < connections_kept_max) kept_.push_back(std::move(owned));
}

ConnectionPtr AsioServer::take_connection() {
    if (kept_.empty()) return ConnectionPtr(new Connection(*this, io_, shared_));
    ConnectionPtr connection(kept_.back().release());
    kept_.pop_back();
    return connection;
}

void AsioServer::arm_accept() {
    if (accepting_ || shared_.draining || !acceptor_.is_open()) return;
    if (open_.size() >= shared_.options.connections_max + connections_refused_max) return;
    accepting_ = true;
    acceptor_.async_wait(tcp::acceptor::wait_read, [this](error_code ec) {
        accepting_ = false;
        if (!ec) accept_all();
        schedule_flush();
    });
}

/// Takes every connection that waits: one a wake-up would mean one commit a connection.
void AsioServer::accept_all() {
    while (open_.size() < shared_.options.connections_max + connections_refused_max) {
        Accepted accepted = accept_one(acceptor_.native_handle());
        if (accepted.socket.get() >= 0) {
            open(std::move(accepted));
            continue;
        }
        if (accepted.error == ECONNABORTED || accepted.error == EINTR || accepted.error == EPROTO) continue;
        if (accepted.error == EAGAIN) break;
        return; // out of descriptors or memory: the next sweep, or the next close, tries again
    }
    arm_accept();
}

void AsioServer::open(Accepted accepted) {
    const ConnectionPtr connection = take_connection();
    error_code ec;
    connection->socket.assign(listener_.ipv6 ? tcp::v6() : tcp::v4(), accepted.socket.get(), ec);
    if (ec) return;
    (void)accepted.socket.release();
    connection->socket.non_blocking(true, ec);
    connection->session.open(accepted.peer);
    connection->open = true;
    connection->lingering = connection->shrinking = connection->writing = false;
    connection->kernel_queue = 0;
    connection->index = open_.size();
    ++shared_.stats.connections_accepted;
    ++shared_.stats.connections_open;
    const bool too_many = open_.size() >= shared_.options.connections_max;
    open_.push_back(connection);
    if (too_many) {
        ++shared_.stats.connections_refused;
        connection->session.refuse({503, "the server has as many connections as it takes: try again in a second"});
    }
    pump(*connection);
}

void AsioServer::close(Connection& connection) {
    if (!connection.open) return;
    connection.open = false;
    error_code ignored;
    connection.socket.close(ignored);
    --shared_.stats.connections_open;
    const ConnectionPtr last = std::move(open_.back());
    open_.pop_back();
    if (last.get() != &connection) {
        last->index = connection.index;
        open_[connection.index] = last;
    }
    arm_accept();
    stop_if_drained();
}

// ---- time

void AsioServer::arm_tick() {
    tick_timer_.expires_after(shared_.tick);
    tick_timer_.async_wait([this](error_code ec) {
        if (ec) return;
        ++shared_.now;
        if (shared_.options.clock != nullptr) shared_.writer.set_time(shared_.options.clock->wall_ms());
        sweep();
        arm_tick();
    });
}

void AsioServer::sweep() {
    arm_accept();
    for (std::size_t i = open_.size(); i-- > 0;) { // a close moves the last one into the gap
        if (i >= open_.size()) continue;
        const ConnectionPtr connection = open_[i];
        check_time(*connection);
    }
    schedule_flush();
}

void AsioServer::check_time(Connection& connection) {
    if (connection.lingering) {
        if (shared_.now - connection.linger_began > shared_.ticks(shared_.options.linger_timeout)) close(connection);
        return;
    }
    if (connection.writing) {
        // The socket becomes writable again only when much of the kernel's buffer is free: not before a slow client's
        // time is over.
        int queued = 0;
        if (::ioctl(connection.socket.native_handle(), SIOCOUTQ, &queued) == 0 && queued < connection.kernel_queue)
            connection.session.client_reads();
        connection.kernel_queue = queued;
    }
    switch (connection.session.check_time()) {
    case Session::Verdict::keep: break;
    case Session::Verdict::close: return close(connection);
    case Session::Verdict::refused: return join_turn(connection);
    }
    if (connection.session.oversized() && connection.reading) {
        connection.shrinking = true;
        cancel_read(connection);
    }
}

// ---- from start to end

Status AsioServer::run(Handler& handler) {
    shared_.handler = &handler;
    shared_.log = handler.wants_answered();
    if (shared_.options.clock != nullptr) shared_.writer.set_time(shared_.options.clock->wall_ms());
    error_code ec;
    acceptor_.assign(listener_.ipv6 ? tcp::v6() : tcp::v4(), listener_.socket.get(), ec);
    if (ec) return internal("cannot serve on port {}: {}", listener_.port, ec.message());
    (void)listener_.socket.release();
    arm_tick();
    arm_accept();
    io_.run();
    acceptor_.close(ec);
    while (!open_.empty()) close(*ConnectionPtr(open_.back()));
    turn_.clear();
    pending_.clear();
    if (failure_) return *failure_;
    return {};
}

void AsioServer::drain() {
    if (shared_.draining || shared_.failed) return;
    if (acceptor_.is_open()) accept_all(); // who waits in the kernel's queue has been promised a connection
    shared_.draining = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (const ConnectionPtr& connection : std::vector<ConnectionPtr>(open_))
        if (connection->reading && !connection->lingering && connection->session.idle()) cancel_read(*connection);
    drain_timer_.expires_after(shared_.options.drain_timeout);
    drain_timer_.async_wait([this](error_code ec) {
        if (!ec) io_.stop();
    });
    stop_if_drained();
}

void AsioServer::stop_if_drained() {
    if (shared_.draining && open_.empty() && !commit_in_flight_ && !shared_.staged) io_.stop();
}

Result<std::unique_ptr<Server>> Server::listen(const ServerOptions& options) {
    auto listener = open_listener(options.host, options.port);
    if (!listener) return listener.error();
    return std::unique_ptr<Server>(std::make_unique<AsioServer>(options, std::move(*listener)));
}

} // namespace questlog::http
