#pragma once

#include "http/listener.h"
#include "http/session.h"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

/// The server on Asio. Only server.cpp (connections, time, start and stop) and turn.cpp (requests in, answers out)
/// include this.
namespace questlog::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class AsioServer;

/// A client's socket and session. Alive while anything refers to it; then the server keeps it for another client.
struct Connection {
    Connection(AsioServer& its_server, asio::io_context& io, SharedState& shared)
        : server(its_server), socket(io), session(shared) {}

    AsioServer& server;
    tcp::socket socket;
    Session session;
    std::size_t index = 0; ///< In the server's list of open ones.
    Tick linger_began = 0;
    int kernel_queue = 0; ///< Bytes that the kernel held for the client at the last sweep.
    int references = 0;
    bool open = false;
    bool reading = false;   ///< The kernel may write into the session's buffer.
    bool writing = false;   ///< The client has not read enough for the next send.
    bool in_turn = false;   ///< In the list of those with answers that were not flushed yet.
    bool pending = false;   ///< In the list of those that wait for a commit.
    bool lingering = false; ///< All is said; what the client still sends is dropped.
    bool shrinking = false;
};
using ConnectionPtr = boost::intrusive_ptr<Connection>;

inline void intrusive_ptr_add_ref(Connection* connection) {
    ++connection->references;
}
void intrusive_ptr_release(Connection* connection);

class AsioServer final : public Server {
public:
    AsioServer(const ServerOptions& options, Listener listener)
        : shared_(options), listener_(std::move(listener)), acceptor_(io_), tick_timer_(io_), drain_timer_(io_) {
        const auto shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout,
                                        options.send_timeout, options.linger_timeout});
        shared_.tick = std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(500));
    }

    ~AsioServer() override {
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
    std::vector<ConnectionPtr> turn_; ///< With answers that were not flushed yet.
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

} // namespace questlog::http
