#include "http/server.h"

#include "http/listener.h"
#include "http/session.h"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <cerrno>
#include <linux/sockios.h>
#include <optional>
#include <sys/ioctl.h>
#include <vector>

namespace questlog::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t connections_kept_max = 1024;     ///< Closed ones, for the next clients.
constexpr std::size_t connections_refused_max = 64;    ///< Over connections_max, being answered 503.
constexpr std::chrono::milliseconds tick_max{500};
constexpr std::chrono::milliseconds tick_min{5};

class BeastServer;

/// A client's socket and session. Alive while anything refers to it; then the server keeps it for another client.
struct Connection {
    Connection(BeastServer& its_server, asio::io_context& io, SharedState& shared)
        : server(its_server), socket(io), session(shared) {}

    BeastServer& server;
    tcp::socket socket;
    Session session;
    std::size_t index = 0; ///< In the server's list of open ones.
    Tick linger_began = 0;
    int kernel_queue = 0; ///< Bytes that the kernel held for the client at the last sweep.
    int references = 0;
    bool open = false;
    bool reading = false;  ///< The kernel may write into the session's buffer.
    bool writing = false;  ///< The client has not read enough for the next send.
    bool in_turn = false;
    bool pending = false;
    bool lingering = false;
    bool shrinking = false;
};
using ConnectionPtr = boost::intrusive_ptr<Connection>;

void intrusive_ptr_add_ref(Connection* connection) { ++connection->references; }
void intrusive_ptr_release(Connection* connection);

class BeastServer final : public Server {
public:
    BeastServer(const ServerOptions& options, Listener listener)
        : shared_(options), listener_(std::move(listener)), acceptor_(io_), tick_timer_(io_), drain_timer_(io_) {
        const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout,
                                        options.send_timeout, options.linger_timeout});
        shared_.tick = std::clamp(shortest / 4, tick_min, tick_max);
    }

    ~BeastServer() override {
        closed_connections_kept_ = false;
        kept_.clear();
    }

    [[nodiscard]] std::uint16_t port() const override { return listener_.port; }
    [[nodiscard]] ServerStats stats() const override { return shared_.stats; }
    Status run(Handler& handler) override;
    void committed(bool succeeded) override;
    void post(std::function<void()> action) override { asio::post(io_, std::move(action)); }
    void request_stop() override {
        asio::post(io_, [this] { drain(); });
    }
    void fail(Error error) override {
        if (!shared_.failed) failure_ = std::move(error);
        shared_.failed = true;
        io_.stop();
    }

    void recycle(Connection* connection);

private:
    void arm_accept();
    void accept_all();
    void open(Accepted accepted);
    void arm_read(Connection& connection);
    void arm_dropping_read(Connection& connection);
    void on_read(Connection& connection, error_code ec, std::size_t bytes);
    void cancel_read(Connection& connection);
    void on_cancelled_read(Connection& connection);
    void pump(Connection& connection);
    void join_turn(Connection& connection);
    void schedule_flush();
    void flush();
    void start_commit();
    void deliver(Connection& connection);
    void finish(Connection& connection);
    void close(Connection& connection);
    void arm_tick();
    void sweep();
    void check_time(Connection& connection);
    void drain();
    void stop_if_drained();
    [[nodiscard]] ConnectionPtr take_connection();

    SharedState shared_;
    Listener listener_;
    asio::io_context io_{1};
    tcp::acceptor acceptor_;
    asio::steady_timer tick_timer_;
    asio::steady_timer drain_timer_;
    std::vector<ConnectionPtr> open_;
    std::vector<ConnectionPtr> turn_;    ///< With answers that were not flushed yet.
    std::vector<ConnectionPtr> flushing_;
    std::vector<ConnectionPtr> pending_; ///< With answers that wait for a commit that is in flight or staged.
    std::vector<ConnectionPtr> released_;
    std::vector<std::unique_ptr<Connection>> kept_;
    std::array<char, 16 * 1024> dropped_; ///< What clients send after a refusal; nobody reads it.
    bool closed_connections_kept_ = true;
    bool accepting_ = false;
    bool flush_posted_ = false;
    bool commit_in_flight_ = false;
    std::optional<Error> failure_;
};

void intrusive_ptr_release(Connection* connection) {
    if (--connection->references == 0) connection->server.recycle(connection);
}

// ---- connections come and go

void BeastServer::recycle(Connection* connection) {
    std::unique_ptr<Connection> owned(connection);
    if (closed_connections_kept_ && kept_.size() < connections_kept_max) kept_.push_back(std::move(owned));
}

ConnectionPtr BeastServer::take_connection() {
    if (kept_.empty()) return ConnectionPtr(new Connection(*this, io_, shared_));
    ConnectionPtr connection(kept_.back().release());
    kept_.pop_back();
    return connection;
}

void BeastServer::arm_accept() {
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
void BeastServer::accept_all() {
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

void BeastServer::open(Accepted accepted) {
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

void BeastServer::close(Connection& connection) {
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

// ---- requests come in

void BeastServer::arm_read(Connection& connection) {
    const auto space = connection.session.space();
    if (space.empty()) return pump(connection); // refused: that answer goes out
    connection.reading = true;
    connection.socket.async_read_some(asio::buffer(space.data(), space.size()),
                                      [this, held = ConnectionPtr(&connection)](error_code ec, std::size_t bytes) {
                                          on_read(*held, ec, bytes);
                                      });
}

void BeastServer::on_read(Connection& connection, error_code ec, std::size_t bytes) {
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
void BeastServer::cancel_read(Connection& connection) {
    error_code ignored;
    connection.socket.cancel(ignored);
}

/// The read was cancelled for the buffer's shrinking, or for a last look before an idle connection is closed: a request
/// may have come that epoll has not told of.
void BeastServer::on_cancelled_read(Connection& connection) {
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
void BeastServer::join_turn(Connection& connection) {
    if (connection.in_turn) return;
    connection.in_turn = true;
    turn_.emplace_back(&connection);
}

/// Handles what has come, and reads on if there is room.
void BeastServer::pump(Connection& connection) {
    if (!connection.open || connection.reading) return;
    connection.session.proceed();
    if (!connection.session.answers().empty() || connection.session.closing()) join_turn(connection);
    if (connection.session.wants_input()) arm_read(connection);
}

// ---- answers go out

/// The first post runs after the next poll, but before the handlers of what that poll found ready; the second after them.
void BeastServer::schedule_flush() {
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
void BeastServer::flush() {
    if (shared_.failed) return;
    std::swap(turn_, flushing_);
    for (const ConnectionPtr& connection : flushing_) connection->in_turn = false;
    if (shared_.staged && !commit_in_flight_) start_commit();
    for (const ConnectionPtr& connection : flushing_) deliver(*connection);
    flushing_.clear();
    schedule_flush();
    stop_if_drained();
}

void BeastServer::start_commit() {
    const CommitNumber number = shared_.staging++;
    shared_.staged = false;
    commit_in_flight_ = true;
    if (shared_.handler->commit() || !commit_in_flight_) return;
    // Nothing was staged after all, so nothing is at risk.
    commit_in_flight_ = false;
    shared_.done = number;
}

void BeastServer::committed(bool succeeded) {
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
void BeastServer::deliver(Connection& connection) {
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
            connection.socket.async_wait(tcp::socket::wait_write, [this, held = ConnectionPtr(&connection)](error_code) {
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

/// All is said. A client that may still be sending is first read out: closing on unread input makes the kernel reset the
/// connection, and the client may lose the answer.
void BeastServer::finish(Connection& connection) {
    if (!connection.session.must_linger()) return close(connection);
    if (connection.lingering) return;
    connection.lingering = true;
    connection.linger_began = shared_.now;
    error_code ec;
    connection.socket.shutdown(tcp::socket::shutdown_send, ec);
    if (ec) return close(connection);
    if (!connection.reading) arm_dropping_read(connection);
}

void BeastServer::arm_dropping_read(Connection& connection) {
    connection.reading = true;
    connection.socket.async_read_some(asio::buffer(dropped_),
                                      [this, held = ConnectionPtr(&connection)](error_code ec, std::size_t bytes) {
                                          on_read(*held, ec, bytes);
                                      });
}

// ---- time

void BeastServer::arm_tick() {
    tick_timer_.expires_after(shared_.tick);
    tick_timer_.async_wait([this](error_code ec) {
        if (ec) return;
        ++shared_.now;
        if (shared_.options.clock != nullptr) shared_.writer.set_time(shared_.options.clock->wall_ms());
        sweep();
        arm_tick();
    });
}

void BeastServer::sweep() {
    arm_accept();
    for (std::size_t i = open_.size(); i-- > 0;) { // a close moves the last one into the gap
        if (i >= open_.size()) continue;
        const ConnectionPtr connection = open_[i];
        check_time(*connection);
    }
    schedule_flush();
}

void BeastServer::check_time(Connection& connection) {
    if (connection.lingering) {
        if (shared_.now - connection.linger_began > shared_.ticks(shared_.options.linger_timeout)) close(connection);
        return;
    }
    if (connection.writing) {
        // The socket becomes writable again only when much of the kernel's buffer is free: not before a slow client's time
        // is over.
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

Status BeastServer::run(Handler& handler) {
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

void BeastServer::drain() {
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

void BeastServer::stop_if_drained() {
    if (shared_.draining && open_.empty() && !commit_in_flight_ && !shared_.staged) io_.stop();
}

} // namespace

Result<std::unique_ptr<Server>> Server::listen(const ServerOptions& options) {
    auto listener = open_listener(options.host, options.port);
    if (!listener) return listener.error();
    return std::unique_ptr<Server>(std::make_unique<BeastServer>(options, std::move(*listener)));
}

} // namespace questlog::http
