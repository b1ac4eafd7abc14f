#pragma once

#include "http/listener.h"
#include "http/loop_threads.h"
#include "http/poller.h"
#include "http/session.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

/// The server on epoll. Only server.cpp (start, time, stop), connections.cpp (they come and go) and turn.cpp (requests
/// in, answers out) include this.
namespace questlog::http {

/// A client's socket and session.
struct Connection {
    explicit Connection(SharedState& shared) : session(shared) {}

    Descriptor socket;
    Session session;
    std::size_t index = 0; ///< In the server's list of open ones.
    Tick linger_began = 0;
    int kernel_queue = 0; ///< Bytes that the kernel held for the client at the last sweep.
    bool open = false;
    bool watched = false;   ///< The poller tells what happens to it.
    bool readable = false;  ///< A read may find something.
    bool hung_up = false;   ///< Nothing comes after what is there: it must be read to its end.
    bool ready = false;     ///< In the list of those to read from.
    bool blocked = false;   ///< The client has not read enough for the next send.
    bool in_turn = false;   ///< In the list of those with answers that were not flushed yet.
    bool pending = false;   ///< In the list of those that wait for a commit.
    bool held = false;      ///< In the list of those with an answer that is held.
    bool lingering = false; ///< All is said; what the client still sends is dropped.
};

class EpollServer final : public Server {
public:
    EpollServer(const ServerOptions& options, Listener listener);

    /// What listen() promises before run().
    Status open();

    [[nodiscard]] std::uint16_t port() const override { return listener_.port; }
    [[nodiscard]] ServerStats stats() const override { return shared_.stats; }
    Status run(Handler& handler) override;
    void committed(bool succeeded) override;
    void resolve(const std::vector<Resolution>& resolutions) override;
    void post(std::function<void()> action) override { poller_.post(std::move(action)); }
    void request_stop() override {
        poller_.post([this] { drain(); });
    }
    void fail(Error error) override;
    void run_blocking(std::function<void()> call, std::function<void()> then) override {
        blocking_ = {std::move(call), std::move(then)};
    }

private:
    struct BlockingCall {
        std::function<void()> call; ///< Empty: there is none.
        std::function<void()> then;
    };

    // connections.cpp
    void accept_all();
    void admit(Accepted accepted);
    void watch(Connection& connection);
    void close(Connection& connection);
    void reap();
    [[nodiscard]] std::unique_ptr<Connection> take_connection();
    [[nodiscard]] bool takes_more() const;

    // turn.cpp
    void wait();
    void note(const epoll_event& event);
    void take_arrivals();
    void make_ready(Connection& connection);
    void read_ready();
    void read(Connection& connection);
    void handle(Connection& connection);
    void read_and_drop(Connection& connection);
    void join_turn(Connection& connection);
    void begin_flush();
    void flush();
    void start_commit();
    bool notice_commit();
    void deliver(Connection& connection);
    [[nodiscard]] bool send(Connection& connection);
    void finish(Connection& connection);

    // server.cpp
    [[nodiscard]] bool serve();
    [[nodiscard]] bool run_blocking_call();
    void sweep();
    void check_time(Connection& connection);
    void drain();
    [[nodiscard]] bool drained() const;

    LoopThreads threads_; ///< All below is of the thread that holds the loop, but for Poller::post().
    SharedState shared_;
    Listener listener_;
    Poller poller_;
    BlockingCall blocking_; ///< To be run before anything else.

    // Where the loop is: one thread may go on from where another had to leave it.
    bool flush_due_ = false;    ///< A commit may be due, and answers may be.
    bool arrivals_due_ = false; ///< What the poller told of in this turn is still to be taken.
    bool tick_due_ = false;     ///< So is the time.
    std::vector<Connection*> reading_;
    std::size_t read_ = 0; ///< Of them, so many were read from.
    std::vector<Connection*> flushing_;
    std::size_t flushed_ = 0;

    std::vector<std::unique_ptr<Connection>> open_;
    std::vector<std::unique_ptr<Connection>> closed_; ///< Some list may still name them.
    std::vector<std::unique_ptr<Connection>> kept_;   ///< For the next clients.
    std::vector<Connection*> ready_;                  ///< To be read from in the next turn.
    std::vector<Connection*> turn_;                   ///< With answers that were not flushed yet.
    std::vector<Connection*> pending_; ///< With answers that wait for a commit that is in flight or staged.
    std::vector<Connection*> held_;    ///< With answers that are held, once their commits are done.
    std::vector<Connection*> released_;
    std::array<char, 16 * 1024> dropped_; ///< What clients send after a refusal; nobody reads it.
    bool acceptable_ = true;              ///< Somebody may wait to be accepted.
    bool room_made_ = false;              ///< A connection was closed since they were accepted last.
    bool stopped_ = false;
    Tick drain_began_ = 0;
    std::optional<Error> failure_;
};

} // namespace questlog::http
