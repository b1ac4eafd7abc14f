#include "http/epoll_server.h"

#include <algorithm>
#include <linux/sockios.h>
#include <sys/ioctl.h>

namespace questlog::http {

EpollServer::EpollServer(const ServerOptions& options, Listener listener)
    : threads_(options.blocking_call_max), shared_(options), listener_(std::move(listener)) {
    const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout,
                                    options.send_timeout, options.linger_timeout, options.drain_timeout});
    shared_.tick = std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(500));
}

Status EpollServer::open() {
    CHECK_OK(poller_.open(shared_.tick));
    return poller_.add(listener_.socket.get(), &listener_);
}

Status EpollServer::run(Handler& handler) {
    shared_.handler = &handler;
    shared_.log = handler.wants_answered();
    if (shared_.options.clock != nullptr) shared_.writer.set_time(shared_.options.clock->wall_ms());
    threads_.run([this] { return serve(); });
    if (failure_) return *failure_;
    return {};
}

/// The loop, from where it is: a turn waits, flushes what a commit has released meanwhile, takes what has arrived,
/// reads and flushes. No frame below this one holds any of its state while a call blocks. True: it has ended. False:
/// the other thread goes on with it.
bool EpollServer::serve() {
    for (;;) {
        if (blocking_.call) {
            if (!run_blocking_call()) return false;
        } else if (!flushing_.empty()) {
            flush();
        } else if (flush_due_) {
            begin_flush();
        } else if (!reading_.empty()) {
            read_ready();
        } else if (arrivals_due_) {
            take_arrivals();
        } else {
            reap();
            if (stopped_ || drained()) break;
            wait();
        }
    }
    listener_.socket = Descriptor();
    while (!open_.empty()) close(*open_.back());
    if (!failure_) shared_.handler->stopped();
    return true;
}

bool EpollServer::run_blocking_call() {
    const BlockingCall blocking = std::exchange(blocking_, {});
    if (threads_.run_blocking(blocking.call)) {
        blocking.then();
        return true;
    }
    poller_.post(blocking.then);
    return false;
}

void EpollServer::fail(Error error) {
    if (!shared_.failed) failure_ = std::move(error);
    shared_.failed = true;
    stopped_ = true;
}

// ---- time

void EpollServer::sweep() {
    ++shared_.now;
    if (shared_.options.clock != nullptr) shared_.writer.set_time(shared_.options.clock->wall_ms());
    shared_.handler->tick();
    for (std::size_t i = open_.size(); i-- > 0;) // a close moves the last one into the gap
        if (i < open_.size()) check_time(*open_[i]);
    if (shared_.draining && shared_.now - drain_began_ > shared_.ticks(shared_.options.drain_timeout)) stopped_ = true;
}

void EpollServer::check_time(Connection& connection) {
    if (connection.lingering) {
        if (shared_.now - connection.linger_began > shared_.ticks(shared_.options.linger_timeout)) close(connection);
        return;
    }
    if (connection.blocked) {
        // The socket becomes writable again only when much of the kernel's buffer is free: not before a slow client's
        // time is over.
        int queued = 0;
        if (::ioctl(connection.socket.get(), SIOCOUTQ, &queued) == 0 && queued < connection.kernel_queue)
            connection.session.begin_wait();
        connection.kernel_queue = queued;
    }
    switch (connection.session.check_time(connection.blocked)) {
    case Session::Verdict::keep: break;
    case Session::Verdict::close: return close(connection);
    case Session::Verdict::refused: return join_turn(connection);
    }
    if (connection.session.oversized()) connection.session.shrink();
}

// ---- the end

void EpollServer::drain() {
    if (shared_.draining || shared_.failed) return;
    acceptable_ = true;
    accept_all(); // who waits in the kernel's queue has been promised a connection
    shared_.draining = true;
    drain_began_ = shared_.now;
    listener_.socket = Descriptor();
    acceptable_ = false;
    for (const auto& connection : open_)
        if (!connection->lingering) make_ready(*connection); // a last look for a request that has just come
}

bool EpollServer::drained() const {
    return shared_.draining && open_.empty() && !shared_.commit_in_flight && !shared_.staged;
}

Result<std::unique_ptr<Server>> Server::listen(const ServerOptions& options) {
    auto listener = open_listener(options.host, options.port);
    if (!listener) return listener.error();
    auto server = std::make_unique<EpollServer>(options, std::move(*listener));
    CHECK_OK(server->open());
    return std::unique_ptr<Server>(std::move(server));
}

} // namespace questlog::http
