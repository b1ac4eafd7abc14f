#include "http/scripted_server.h"

namespace questlog::http {
namespace {

using Commits = ScriptedHandler::Commits;

TEST_F(ServerTest, OneCommitCoversAPipeline) {
    start();
    Client client = connect();
    std::string pipeline;
    for (int i = 0; i < 16; ++i) pipeline += get("/" + std::to_string(i));
    client.send(pipeline);
    for (int i = 0; i < 16; ++i) EXPECT_EQ(client.read_answer().body, "/" + std::to_string(i) + "|");
    EXPECT_EQ(handler_.commits(), std::vector<std::size_t>{16});
}

TEST_F(ServerTest, NoAnswerLeavesBeforeItsCommitAndNoneOvertakes) {
    handler_.keep_log();
    start();
    handler_.set_commits(Commits::held);
    Client client = connect();
    client.send(get("/now/1") + get("/2") + get("/now/3") + get("/4"));
    EXPECT_EQ(client.read_answer().body, "/now/1|");
    handler_.wait_for_commits(1);
    client.send(get("/now/5") + get("/6"));
    handler_.wait_for_handled(6); // read and handled while the commit is in flight …
    EXPECT_EQ(handler_.commits().size(), 1u) << "a second commit began before the first was done";
    EXPECT_EQ(handler_.logged().size(), 1u) << "an answer left before its commit";
    handler_.finish_commit(true);
    for (const char* body : {"/2|", "/now/3|", "/4|", "/now/5|"}) EXPECT_EQ(client.read_answer().body, body);
    handler_.wait_for_commits(2); // … and staged for the next
    EXPECT_EQ(handler_.commits(), (std::vector<std::size_t>{2, 1}));
    handler_.wait_for_logged(5);
    EXPECT_EQ(handler_.logged().size(), 5u) << "an answer left before its commit";
    handler_.finish_commit(true);
    EXPECT_EQ(client.read_answer().body, "/6|");
}

TEST_F(ServerTest, AFailedCommitIsToldToEachWhoWaitedForIt) {
    start();
    handler_.set_commits(Commits::held);
    Client one = connect();
    one.send(get("/a") + get("/now/b") + get("/c"));
    handler_.wait_for_commits(1);
    Client two = connect();
    two.send(get("/next"));
    handler_.wait_for_handled(4);
    handler_.finish_commit(false);
    const Answer failed = one.read_answer();
    EXPECT_EQ(failed.status, 503u);
    EXPECT_EQ(failed.body, "not stored");
    EXPECT_NE(failed.head.find("Retry-After: 1\r\n"), std::string::npos);
    EXPECT_EQ(one.read_answer().body, "/now/b|");
    EXPECT_EQ(one.read_answer().status, 503u);
    handler_.finish_commit(true);
    EXPECT_EQ(two.read_answer().body, "/next|") << "the next commit is another";
    handler_.set_commits(Commits::succeed);
    EXPECT_EQ(one.ask("/again").status, 200u);
}

TEST_F(ServerTest, AFailedCommitIsToldAlsoWhereTheNextOneFailsBeforeItsAnswersAreSent) {
    start();
    handler_.set_commits(Commits::held);
    Client one = connect();
    one.send(get("/a"));
    handler_.wait_for_commits(1);
    Client two = connect();
    two.send(get("/next"));
    handler_.wait_for_handled(2);
    handler_.set_commits(Commits::fail);
    handler_.finish_commit(false);
    EXPECT_EQ(one.read_answer().status, 503u) << "an event that is not stored was acknowledged";
    EXPECT_EQ(two.read_answer().status, 503u);
}

TEST_F(ServerTest, ACommitThatFailsAtOnceIsToldToo) {
    start();
    handler_.set_commits(Commits::fail);
    Client client = connect();
    client.send("HEAD /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const Answer failed = client.read_answer(true);
    EXPECT_EQ(failed.status, 503u);
    EXPECT_NE(failed.head.find("Content-Length: 10\r\n"), std::string::npos);
    EXPECT_NE(failed.head.find("Connection: keep-alive\r\n"), std::string::npos) << "the failure keeps the framing";
    EXPECT_EQ(client.ask("/now").status, 200u);
}

TEST_F(ServerTest, OtherConnectionsAreServedWhileACommitIsInFlight) {
    start();
    handler_.set_commits(Commits::held);
    Client waiting = connect();
    waiting.send(get("/slow"));
    handler_.wait_for_commits(1);
    Client other = connect();
    for (int i = 0; i < 50; ++i) EXPECT_EQ(other.ask("/now").status, 200u);
    handler_.finish_commit(true);
    EXPECT_EQ(waiting.read_answer().body, "/slow|");
}

TEST_F(ServerTest, WhereNothingWasStagedNothingIsWaitedFor) {
    start();
    handler_.set_commits(Commits::nothing_staged);
    Client client = connect();
    EXPECT_EQ(client.ask("/a").status, 200u);
    EXPECT_EQ(client.ask("/b").status, 200u);
}

TEST_F(ServerTest, AHeldAnswerWaitsForItsResolutionAndHoldsUpNoOtherConnection) {
    start();
    Client waiting = connect();
    waiting.send(get("/held/7") + get("/now/next"));
    handler_.wait_for_handled(2);
    Client other = connect();
    EXPECT_EQ(other.ask("/b").status, 200u);
    EXPECT_EQ(other.ask("/now/resolve/8").status, 200u);
    EXPECT_FALSE(waiting.has_input());
    EXPECT_EQ(other.ask("/now/resolve/7").status, 200u);
    EXPECT_EQ(waiting.read_answer().body, "/held/7|");
    EXPECT_EQ(waiting.read_answer().body, "/now/next|");
}

/// What is resolved may not have been looked at since it was answered.
TEST_F(ServerTest, AHeldAnswerMayBeResolvedWithinItsTurn) {
    start();
    for (const std::string target : {"/now/held/1", "/held/2"}) {
        Client client = connect();
        client.send(get(target) + get("/now/resolve/" + target.substr(target.size() - 1)));
        EXPECT_EQ(client.read_answer().body, target + "|");
        EXPECT_EQ(client.read_answer().status, 200u);
    }
}

TEST_F(ServerTest, AHeldAnswerGoesWithItsConnection) {
    start();
    {
        Client gone = connect();
        gone.send(get("/held/3"));
        handler_.wait_for_commits(1);
    }
    Client client = connect();
    EXPECT_EQ(client.ask("/now/resolve/3").status, 200u);
    EXPECT_EQ(client.ask("/a").status, 200u);
}

TEST_F(ServerTest, ImmediateAnswersNeedNoCommit) {
    start();
    Client client = connect();
    for (int i = 0; i < 10; ++i) (void)client.ask("/now");
    EXPECT_TRUE(handler_.commits().empty());
}

TEST_F(ServerTest, AfterAFatalFaultNothingIsAnswered) {
    start();
    handler_.set_commits(Commits::held);
    Client client = connect();
    client.send(get("/a"));
    handler_.wait_for_commits(1);
    server_->post([this] {
        server_->fail(internal("the log is gone"));
        server_->committed(true);
    });
    const Status ended = joined();
    ASSERT_FALSE(ended.ok());
    EXPECT_EQ(ended.error().message, "the log is gone");
    EXPECT_TRUE(client.closed_by_server()) << "an answer left after the fault";
}

TEST_F(ServerTest, ManyConnectionsShareTheirCommits) {
    start();
    constexpr std::size_t clients = 32;
    constexpr int rounds = 50;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < clients; ++i)
        threads.emplace_back([this, i] {
            Client client(port_);
            for (int round = 0; round < rounds; ++round) {
                const std::string target = "/" + std::to_string(i) + "/" + std::to_string(round);
                ASSERT_EQ(client.ask(target).body, target + "|");
            }
        });
    for (std::thread& thread : threads) thread.join();
    std::size_t covered = 0;
    for (const std::size_t commit : handler_.commits()) covered += commit;
    EXPECT_EQ(covered, clients * rounds) << "a request was covered by no commit, or by two";
}

} // namespace
} // namespace questlog::http
