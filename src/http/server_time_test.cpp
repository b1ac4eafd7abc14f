#include "http/scripted_server.h"

namespace questlog::http {
namespace {

using Commits = ScriptedHandler::Commits;

TEST_F(ServerTest, SlowHeadersAndBodiesGet408) {
    options_.header_timeout = std::chrono::milliseconds(60);
    options_.body_timeout = std::chrono::milliseconds(60);
    start();
    Client head = connect();
    head.send("GET /now HTTP/1.1\r\nHost:");
    Client body = connect();
    body.send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 10\r\n\r\nhalf");
    Client chunked = connect();
    chunked.send("POST /now HTTP/1.1\r\nHost: game\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha");
    for (Client* client : {&head, &body, &chunked}) {
        const Answer answer = client->read_answer();
        EXPECT_EQ(answer.status, 408u);
        EXPECT_NE(answer.body.find("60 ms"), std::string::npos);
        EXPECT_TRUE(client->closed_by_server());
    }
    EXPECT_TRUE(handler_.handled().empty());
    (void)connect().ask("/now");
    EXPECT_EQ(handler_.last_stats().timeouts, 3);
}

TEST_F(ServerTest, ATrickledHeaderIsNotSavedByItsTrickle) {
    options_.header_timeout = std::chrono::milliseconds(60);
    start();
    Client slow = connect();
    Client clock = connect();
    slow.send("GET /now HTTP/1.1\r\nX: ");
    while (!slow.has_input()) {
        slow.send("x");
        ASSERT_EQ(clock.ask("/now").status, 200u); // the byte has been read
    }
    EXPECT_EQ(slow.read_answer().status, 408u) << "not 431, the header's limit";
}

TEST_F(ServerTest, ABodyThatKeepsItsRateHasItsTime) {
    options_.body_timeout = std::chrono::milliseconds(40);
    options_.body_bytes_per_second_min = 1; // 300,000 bytes have earned days
    start();
    Client slow = connect();
    slow.send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 300004\r\n\r\n" + std::string(300'000, 'x'));
    Client late = connect(); // is refused after its 40 ms, with which slow's have passed too
    late.send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 4\r\n\r\n");
    EXPECT_EQ(late.read_answer().status, 408u);
    slow.send("tail");
    EXPECT_EQ(slow.read_answer().status, 200u);
}

TEST_F(ServerTest, IdleConnectionsAreClosedWithoutAWord) {
    options_.idle_timeout = std::chrono::milliseconds(250);
    start();
    Client fresh = connect();
    Client used = connect();
    EXPECT_EQ(used.ask("/now").status, 200u);
    EXPECT_TRUE(fresh.closed_by_server());
    EXPECT_TRUE(used.closed_by_server());
}

TEST_F(ServerTest, AWaitForTheCommitIsNotTheClientsDelay) {
    options_.idle_timeout = options_.header_timeout = std::chrono::milliseconds(100);
    start();
    handler_.set_commits(Commits::held);
    Client waiting = connect();
    waiting.send(get("/durable"));
    handler_.wait_for_commits(1);
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(connect().closed_by_server()); // three times the idle time
    handler_.finish_commit(true);
    EXPECT_EQ(waiting.read_answer().status, 200u);
}

TEST_F(ServerTest, AWaitForWhatIsGivenUpInATickIsNotTheClientsDelay) {
    options_.send_timeout = std::chrono::milliseconds(1); // a tick
    start();
    Client waiting = connect();
    waiting.send(get("/now/held/7"));
    handler_.wait_for_handled(1);
    handler_.resolve_in_tick(7, 20);
    EXPECT_EQ(waiting.read_answer().body, "/now/held/7|");
    EXPECT_EQ(waiting.ask("/now").status, 200u) << "the connection goes on";
}

TEST_F(ServerTest, WhoReadsNothingOfItsAnswersIsDropped) {
    options_.send_timeout = std::chrono::milliseconds(60);
    start();
    Client stuck = connect();
    stuck.send(get("/large/50000000"));
    handler_.wait_for_handled(1);
    for (;;) {
        Client other = connect();
        ASSERT_EQ(other.ask("/now").status, 200u);
        if (handler_.last_stats().timeouts == 1) break;
    }
    EXPECT_LT(stuck.read_all().size(), 50'000'000u);
}

TEST_F(ServerTest, StoppingClosesTheIdleAndAnswersTheRest) {
    start();
    handler_.set_commits(Commits::held);
    Client idle = connect();
    EXPECT_EQ(idle.ask("/now").status, 200u);
    Client waiting = connect();
    waiting.send(get("/durable"));
    handler_.wait_for_commits(1);
    Client half = connect();
    half.send(get("/now/first") + "GET /now/half HTTP/1.1\r\n");
    EXPECT_EQ(half.read_answer().body, "/now/first|");
    request_stop();
    EXPECT_TRUE(idle.closed_by_server());
    half.send("Host: game\r\n\r\n");
    const Answer last = half.read_answer();
    EXPECT_EQ(last.body, "/now/half|");
    EXPECT_NE(last.head.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(half.closed_by_server());
    handler_.finish_commit(true);
    EXPECT_EQ(waiting.read_answer().body, "/durable|");
    EXPECT_TRUE(waiting.closed_by_server());
    EXPECT_TRUE(joined().ok());
    ServerOptions again = options_;
    again.port = port_;
    EXPECT_TRUE(Server::listen(again).ok()) << "the port is still held";
}

TEST_F(ServerTest, StoppingAnswersAWholePipelineAndClosesWithItsLast) {
    start();
    handler_.set_commits(Commits::held);
    Client client = connect();
    client.send(get("/1"));
    handler_.wait_for_commits(1);
    request_stop();
    client.send(get("/now/2") + get("/now/3"));
    handler_.finish_commit(true);
    // What had come before the server looked is answered; the last answer says that it was the last, or the connection
    // was idle and closed.
    const std::string all = client.read_all();
    EXPECT_NE(all.find("/1|"), std::string::npos);
    if (all.find("/now/2|") != std::string::npos) {
        EXPECT_NE(all.find("Connection: close\r\n"), std::string::npos);
    }
    EXPECT_TRUE(joined().ok());
}

TEST_F(ServerTest, StoppingDoesNotWaitForeverForASlowClient) {
    options_.drain_timeout = std::chrono::milliseconds(50);
    start();
    Client half = connect();
    half.send(get("/now") + "GET /never");
    EXPECT_EQ(half.read_answer().status, 200u);
    EXPECT_TRUE(stop().ok());
    EXPECT_TRUE(half.closed_by_server());
}

TEST_F(ServerTest, ACommitOfClientsThatAreGoneIsStillWaitedFor) {
    start();
    handler_.set_commits(Commits::held);
    {
        Client gone = connect();
        gone.send(get("/a"));
        handler_.wait_for_commits(1);
        gone.send(get("/b"));
        handler_.wait_for_handled(2);
        gone.reset();
    }
    request_stop();
    handler_.finish_commit(true);
    handler_.finish_commit(true); // the one that /b was staged for
    EXPECT_TRUE(joined().ok());
    EXPECT_EQ(handler_.commits(), (std::vector<std::size_t>{1, 1}));
}

} // namespace
} // namespace questlog::http
