#include "simulated_server.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>

namespace questlog::sim {

std::size_t SimulatedServer::connect() {
    connections_.push_back(std::make_unique<Connection>(shared_));
    connections_.back()->session.open("127.0.0.1");
    return connections_.size() - 1;
}

std::size_t SimulatedServer::arrive(std::size_t connection, std::string_view bytes) {
    Connection& to = *connections_[connection];
    if (to.closed || failure_ || bytes.empty() || !to.session.wants_input()) return 0;
    const auto space = to.session.space();
    std::size_t count = std::min(space.size(), bytes.size());
    if (count > 1 && random_() % 3 == 0) count = 1 + random_() % count;
    std::memcpy(space.data(), bytes.data(), count);
    to.session.received(count);
    to.session.proceed();
    return count;
}

void SimulatedServer::turn() {
    if (failure_) return;
    if (shared_.staged && !shared_.commit_in_flight) {
        const http::CommitNumber number = shared_.begin_commit();
        if (!shared_.handler->commit() && shared_.commit_in_flight) { // there are repeats of durable events alone
            shared_.commit_in_flight = false;
            shared_.done = number;
        }
    }
    for (const auto& connection : connections_) {
        if (connection->closed || failure_) continue;
        http::Session& session = connection->session;
        session.release();
        const std::string_view sendable = session.answers().sendable();
        std::size_t count = sendable.size();
        if (count > 0 && random_() % 8 == 0) count = 1 + random_() % count; // the client reads slowly
        connection->sent.append(sendable.substr(0, count));
        if (count > 0) session.sent(count);
        session.proceed(); // what was held up for want of room
        connection->closed = session.closing() && session.answers().empty();
    }
}

void SimulatedServer::run_posted() {
    std::vector<std::function<void()>> actions;
    actions.swap(posted_);
    for (const auto& action : actions) action();
}

std::string SimulatedServer::received(std::size_t connection) {
    return std::exchange(connections_[connection]->sent, {});
}

void SimulatedServer::committed(bool succeeded) {
    ASSERT_TRUE(shared_.commit_in_flight) << "committed() without a commit";
    ASSERT_FALSE(failure_) << "answered after fail()";
    shared_.end_commit(succeeded);
    for (const auto& connection : connections_) connection->session.release();
}

void SimulatedServer::run_blocking(std::function<void()> call, std::function<void()> then) {
    auto whole = [call = std::move(call), then = std::move(then)] {
        call();
        then();
    };
    if (calls_block_) return post(std::move(whole));
    whole();
}

void SimulatedServer::fail(Error error) {
    failure_ = std::move(error);
    shared_.failed = true;
}

} // namespace questlog::sim
