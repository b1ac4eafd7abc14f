#pragma once

#include "base/guarded.h"
#include "http/server.h"

#include <condition_variable>
#include <gtest/gtest.h>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

/// For tests: a real server on a free port in a thread of its own, a handler that does what the path says, and a client
/// that speaks raw bytes. Every wait has a deadline; none is a sleep.
namespace questlog::http {

class FixedClock final : public io::Clock {
public:
    TimestampMs wall_ms() override { return TimestampMs{784'111'777'000}; }
    std::chrono::nanoseconds monotonic() override { return {}; }
    void sleep(std::chrono::milliseconds /*duration*/) override {}
};

/// "/now/…" is answered at once, "/silent" not at all, "/large/N" with N bytes, all else after its commit; "/held/N"
/// and
/// "/now/held/N" are held besides, until some "/now/resolve/N" has come. An answer is the target and the body.
class ScriptedHandler final : public Handler {
public:
    /// `in_call`: within Server::run_blocking, at once. `blocks_in_call`: the call blocks until unblock().
    enum class Commits : std::uint8_t { succeed, fail, held, nothing_staged, in_call, blocks_in_call };

    void attach(Server* server) { server_ = server; }
    void set_commits(Commits mode);
    /// Reports the held commit, once there is one.
    void finish_commit(bool succeeded);
    void wait_for_block(); ///< A call blocks.
    void unblock();        ///< Ends the call that blocks, once there is one. Its commit succeeds.
    /// Resolves it within the so manieth tick from then.
    void resolve_in_tick(std::uint64_t hold, int ticks);
    void wait_for_stopped();
    void wait_for_handled(std::size_t count);
    void wait_for_commits(std::size_t count);
    void wait_for_logged(std::size_t count);
    [[nodiscard]] std::vector<std::string> handled();
    [[nodiscard]] std::vector<std::size_t> commits(); ///< Requests that each commit covered.
    [[nodiscard]] std::vector<std::string> logged();
    [[nodiscard]] ServerStats last_stats();
    void keep_log() { log_ = true; }

    void handle(const Request& request, Exchange& exchange) override;
    bool commit() override;
    void tick() override;
    void stopped() override;
    Response commit_failure() override;
    void answered(std::string_view peer, std::string_view method, std::string_view target, int version,
                  unsigned status) override;
    [[nodiscard]] bool wants_answered() const override { return log_; }

private:
    template <class Condition> void wait(Condition condition);
    void block();

    Server* server_ = nullptr;
    std::mutex mutex_;
    std::condition_variable changed_;
    Commits mode_ = Commits::succeed;
    std::vector<std::string> handled_;
    std::vector<std::size_t> commits_;
    std::vector<std::string> logged_;
    ServerStats stats_;
    std::size_t staged_ = 0;
    std::uint64_t hold_ = 0; ///< Of resolve_in_tick(), until then.
    int ticks_ = 0;
    bool held_ = false;
    bool blocked_ = false;
    bool stopped_ = false;
    bool log_ = false;
};

struct Answer {
    unsigned status = 0;
    std::string head; ///< Status line and header lines, without the empty line.
    std::string body;
};

/// A raw TCP client.
class Client {
public:
    explicit Client(std::uint16_t port, const std::string& host = "127.0.0.1");
    Client(Client&& other) noexcept : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}
    ~Client();

    void send(std::string_view bytes); ///< What the server does not take within the deadline is a failure.
    [[nodiscard]] bool try_send(std::string_view bytes); ///< False: the server has closed.
    void half_close();
    void reset(); ///< Closes so that the server sees an error.
    Answer read_answer(bool head = false);
    Answer ask(const std::string& target) {
        send("GET " + target + " HTTP/1.1\r\nHost: game\r\n\r\n");
        return read_answer();
    }
    [[nodiscard]] bool has_input();        ///< An answer, or the end, is there already.
    [[nodiscard]] bool closed_by_server(); ///< Waits for the end; true if nothing more came before it, and no reset.
    std::string read_all();                ///< Up to the end.

private:
    bool fill();

    int fd_ = -1;
    bool reset_by_server_ = false;
    std::string buffer_;
};

class ServerTest : public ::testing::Test {
protected:
    static std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: game\r\n\r\n"; }

    ServerTest() {
        options_.port = 0;
        options_.clock = &clock_;
        options_.drain_timeout = std::chrono::minutes(10); // a stop that needs it is seen
    }
    ~ServerTest() override { (void)stop(); }

    void start();
    Status stop(); ///< request_stop() and what run() returned. Also where run() has returned by itself.
    void request_stop() { server_->request_stop(); }
    Status joined();
    Client connect() { return Client(port_); }

    FixedClock clock_;
    ServerOptions options_;
    ScriptedHandler handler_;
    std::unique_ptr<Server> server_;
    std::thread thread_;
    Status ended_;
    std::uint16_t port_ = 0;
};

} // namespace questlog::http
