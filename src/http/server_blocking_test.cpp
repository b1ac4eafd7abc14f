#include "http/scripted_server.h"

/// Calls that may block: Server::run_blocking.
namespace questlog::http {
namespace {

using Commits = ScriptedHandler::Commits;

TEST_F(ServerTest, OthersAreServedWhileACallBlocksAndAllIsAsEverAfterIt) {
    start();
    for (int round = 0; round < 3; ++round) { // the threads change places each time
        handler_.set_commits(Commits::blocks_in_call);
        Client waiting = connect();
        waiting.send(get("/a") + get("/now/b"));
        handler_.wait_for_block();
        Client other = connect();
        for (int i = 0; i < 20; ++i) EXPECT_EQ(other.ask("/now").status, 200u);
        EXPECT_FALSE(waiting.has_input()) << "an answer left before its commit";
        handler_.set_commits(Commits::in_call);
        handler_.unblock();
        EXPECT_EQ(waiting.read_answer().body, "/a|");
        EXPECT_EQ(waiting.read_answer().body, "/now/b|");
        for (int i = 0; i < 20; ++i) EXPECT_EQ(waiting.ask("/again").body, "/again|");
        EXPECT_FALSE(waiting.has_input()) << "answered twice";
    }
    EXPECT_EQ(handler_.commits(), std::vector<std::size_t>(3 * 21, 1));
}

TEST_F(ServerTest, WhatIsStagedWhileACallBlocksIsTheNextCommit) {
    start();
    handler_.set_commits(Commits::blocks_in_call);
    Client first = connect();
    first.send(get("/1"));
    handler_.wait_for_block();
    Client second = connect();
    second.send(get("/2") + get("/3"));
    handler_.wait_for_handled(3);
    EXPECT_EQ(handler_.commits().size(), 1u) << "a second commit began before the first was done";
    handler_.unblock();
    EXPECT_EQ(first.read_answer().body, "/1|");
    handler_.wait_for_commits(2);
    handler_.unblock();
    EXPECT_EQ(second.read_answer().body, "/2|");
    EXPECT_EQ(second.read_answer().body, "/3|");
    EXPECT_EQ(handler_.commits(), (std::vector<std::size_t>{1, 2}));
}

TEST_F(ServerTest, AStopWaitsForACallThatBlocks) {
    start();
    handler_.set_commits(Commits::blocks_in_call);
    Client idle = connect();
    EXPECT_EQ(idle.ask("/now").status, 200u);
    Client waiting = connect();
    waiting.send(get("/a"));
    handler_.wait_for_block();
    request_stop();
    EXPECT_TRUE(idle.closed_by_server());
    EXPECT_FALSE(waiting.has_input());
    handler_.unblock();
    EXPECT_EQ(waiting.read_answer().body, "/a|");
    EXPECT_TRUE(waiting.closed_by_server());
    EXPECT_TRUE(joined().ok());
}

TEST_F(ServerTest, AStopThatHasTakenTooLongClosesAllButWaitsForACallThatBlocks) {
    options_.drain_timeout = std::chrono::milliseconds(40);
    start();
    handler_.set_commits(Commits::blocks_in_call);
    Client waiting = connect();
    waiting.send(get("/a"));
    handler_.wait_for_block();
    request_stop();
    EXPECT_TRUE(waiting.closed_by_server()) << "while the call still blocks";
    handler_.wait_for_stopped();
    handler_.unblock();
    EXPECT_TRUE(joined().ok());
}

TEST_F(ServerTest, SlowClientsAndThoseThatLeaveAreSeenToWhileACallBlocks) {
    options_.header_timeout = std::chrono::milliseconds(40);
    start();
    handler_.set_commits(Commits::blocks_in_call);
    Client waiting = connect();
    waiting.send(get("/a"));
    handler_.wait_for_block();
    waiting.reset();
    Client slow = connect();
    slow.send("GET /slow");
    EXPECT_EQ(slow.read_answer().status, 408u);
    EXPECT_TRUE(slow.closed_by_server());
    handler_.set_commits(Commits::in_call);
    handler_.unblock();
    EXPECT_EQ(connect().ask("/b").body, "/b|");
}

TEST_F(ServerTest, AFaultWhileACallBlocksClosesAllAtOnce) {
    start();
    handler_.set_commits(Commits::blocks_in_call);
    Client waiting = connect();
    waiting.send(get("/a"));
    handler_.wait_for_block();
    server_->post([this] { server_->fail(internal("the log is gone")); });
    EXPECT_TRUE(waiting.closed_by_server()) << "while the call still blocks";
    handler_.unblock();
    const Status ended = joined();
    ASSERT_FALSE(ended.ok());
    EXPECT_EQ(ended.error().message, "the log is gone");
}

/// Every call may lose its thread the loop, at any moment of the call.
TEST_F(ServerTest, ManyConnectionsShareTheirCommitsWhileTheLoopChangesThreads) {
    options_.blocking_call_max = std::chrono::milliseconds(0);
    start();
    handler_.set_commits(Commits::in_call);
    constexpr std::size_t clients = 16;
    constexpr int rounds = 100;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < clients; ++i)
        threads.emplace_back([this, i] {
            Client client(port_);
            for (int round = 0; round < rounds; ++round) {
                const std::string target = "/" + std::to_string(i) + "/" + std::to_string(round);
                client.send(get(target) + get("/now" + target));
                ASSERT_EQ(client.read_answer().body, target + "|");
                ASSERT_EQ(client.read_answer().body, "/now" + target + "|");
            }
        });
    for (std::thread& thread : threads) thread.join();
    std::size_t covered = 0;
    for (const std::size_t commit : handler_.commits()) covered += commit;
    EXPECT_EQ(covered, clients * rounds) << "a request was covered by no commit, or by two";
}

} // namespace
} // namespace questlog::http
