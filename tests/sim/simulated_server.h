#pragma once

#include "http/session.h"

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace questlog::sim {

/// The server without sockets: real sessions, and a network in which any number of bytes arrives or leaves at a time.
/// Turns are the test's to end.
class SimulatedServer final : public http::Server {
public:
    SimulatedServer(const http::ServerOptions& options, std::uint64_t seed) : shared_(options), random_(seed) {}

    void serve(http::Handler& handler) { shared_.handler = &handler; }

    [[nodiscard]] std::size_t connect();
    /// Some of `bytes`, from the front, arrive and are handled; returns how many.
    std::size_t arrive(std::size_t connection, std::string_view bytes);
    /// Commits what was handled, unless a commit is under way, then sends some or all of what may go.
    void turn();
    /// From now on calls that may block do: each ends only when what was posted is run, and requests gather meanwhile.
    void block_calls() { calls_block_ = true; }
    /// Runs what was posted.
    void run_posted();
    /// What has been sent on the connection since it was last asked for.
    [[nodiscard]] std::string received(std::size_t connection);
    [[nodiscard]] bool closed(std::size_t connection) const { return connections_[connection]->closed; }
    [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
    [[nodiscard]] bool busy() const { return shared_.commit_in_flight || shared_.staged; }

    [[nodiscard]] std::uint16_t port() const override { return 5000; }
    Status run(http::Handler&) override { return internal("a simulated server runs by turns"); }
    void committed(bool succeeded) override;
    void resolve(const std::vector<http::Resolution>&) override {}
    void post(std::function<void()> action) override { posted_.push_back(std::move(action)); }
    void run_blocking(std::function<void()> call, std::function<void()> then) override;
    void request_stop() override {}
    void fail(Error error) override;
    [[nodiscard]] http::ServerStats stats() const override { return shared_.stats; }

private:
    struct Connection {
        explicit Connection(http::SharedState& shared) : session(shared) {}
        http::Session session;
        std::string sent;
        bool closed = false;
    };

    http::SharedState shared_;
    std::mt19937_64 random_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::vector<std::function<void()>> posted_;
    std::optional<Error> failure_;
    bool calls_block_ = false;
};

} // namespace questlog::sim
