#include "http/listener.h"
#include "http/scripted_server.h"

#include <algorithm>
#include <sys/resource.h>

namespace questlog::http {
namespace {

using Commits = ScriptedHandler::Commits;

TEST_F(ServerTest, AnswersAreTheSameBytesAlways) {
    start();
    Client client = connect();
    const Answer answer = client.ask("/durable");
    EXPECT_EQ(answer.head, "HTTP/1.1 200 OK\r\nServer: questlog\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                           "Content-Type: text/plain\r\nContent-Length: 9\r\n");
    EXPECT_EQ(answer.body, "/durable|");
    for (int i = 0; i < 100; ++i) EXPECT_EQ(client.ask("/now").status, 200u) << "the connection is kept";
}

TEST_F(ServerTest, HeadHasTheLengthWithoutTheBody) {
    start();
    Client client = connect();
    client.send("HEAD /now HTTP/1.1\r\nHost: game\r\n\r\n");
    const Answer answer = client.read_answer(true);
    EXPECT_NE(answer.head.find("Content-Length: 5\r\n"), std::string::npos);
    EXPECT_EQ(client.ask("/now").body, "/now|") << "HEAD's body was sent";
}

TEST_F(ServerTest, BodiesSizedAndChunkedInAnyPieces) {
    start();
    Client client = connect();
    const std::string chunked = "POST /now HTTP/1.1\r\nHost: game\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    for (std::size_t cut = 1; cut < chunked.size(); ++cut) {
        client.send(chunked.substr(0, cut));
        client.send(chunked.substr(cut));
        ASSERT_EQ(client.read_answer().body, "/now|hello world") << cut;
    }
    const std::string body(900'000, 'b');
    client.send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 900000\r\n\r\n" + body);
    EXPECT_EQ(client.read_answer().body, "/now|" + body);
}

TEST_F(ServerTest, HttpOneZeroClosesUnlessAsked) {
    start();
    Client closing = connect();
    closing.send("GET /now HTTP/1.0\r\n\r\n");
    EXPECT_NE(closing.read_answer().head.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(closing.closed_by_server());
    Client staying = connect();
    for (int i = 0; i < 3; ++i) {
        staying.send("GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        EXPECT_NE(staying.read_answer().head.find("Connection: keep-alive\r\n"), std::string::npos);
    }
    Client told = connect();
    told.send("GET /now HTTP/1.1\r\nHost: game\r\nConnection: close\r\n\r\n");
    EXPECT_NE(told.read_answer().head.find("Connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(told.closed_by_server());
}

TEST_F(ServerTest, ContinuesWhoWaitsForItInOrder) {
    start();
    handler_.set_commits(Commits::held);
    Client client = connect();
    client.send(get("/durable") +
                "POST /now HTTP/1.1\r\nHost: game\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    handler_.wait_for_commits(1);
    handler_.finish_commit(true);
    EXPECT_EQ(client.read_answer().body, "/durable|");
    EXPECT_EQ(client.read_answer().head, "HTTP/1.1 100 Continue\r\n");
    client.send("abc");
    EXPECT_EQ(client.read_answer().body, "/now|abc");
}

TEST_F(ServerTest, ARefusalNamesTheFaultAndIsReadableWhileTheClientStillSends) {
    options_.linger_timeout = std::chrono::seconds(15);
    start();
    Client client = connect();
    client.send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 20000000\r\n\r\n");
    client.send(std::string(20'000'000, 'x')); // a client that sends all before it reads
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 413u);
    EXPECT_EQ(answer.body, "the body is larger than 1048576 bytes: send it in parts\n");
    EXPECT_NE(answer.head.find("Connection: close\r\n"), std::string::npos);
    EXPECT_NE(answer.head.find("Content-Type: text/plain; charset=utf-8\r\n"), std::string::npos);
    EXPECT_TRUE(client.closed_by_server()) << "a reset can cost the client its answer";
    EXPECT_TRUE(handler_.handled().empty());
}

TEST_F(ServerTest, NothingBehindARefusedRequestIsHandled) {
    start();
    for (const std::string attack :
         {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/3.0\r\nHost: a\r\n\r\n"}) {
        Client client = connect();
        client.send(get("/now/before") + attack + get("/canary"));
        EXPECT_EQ(client.read_answer().body, "/now/before|");
        EXPECT_GE(client.read_answer().status, 400u);
        EXPECT_TRUE(client.closed_by_server()) << "something was answered after the refusal of " << attack;
    }
    for (const std::string& target : handler_.handled()) EXPECT_EQ(target, "/now/before");
}

TEST_F(ServerTest, HalfClosedClientsGetTheirAnswers) {
    start();
    handler_.set_commits(Commits::held);
    Client client = connect();
    client.send(get("/one") + get("/now/two") + "GET /part");
    client.half_close();
    handler_.wait_for_commits(1);
    handler_.finish_commit(true);
    EXPECT_EQ(client.read_answer().body, "/one|");
    EXPECT_EQ(client.read_answer().body, "/now/two|");
    EXPECT_EQ(client.read_answer().status, 400u) << "the request that was cut off is named";
    EXPECT_TRUE(client.closed_by_server());
}

TEST_F(ServerTest, AHandlerWithoutAnAnswerIsAnswered500) {
    start();
    Client client = connect();
    EXPECT_EQ(client.ask("/silent").status, 500u);
    EXPECT_EQ(client.ask("/now").status, 200u);
}

TEST_F(ServerTest, TheAccessLogHasEveryAnswerOnceAndRefusalsToo) {
    handler_.keep_log();
    start();
    handler_.set_commits(Commits::fail);
    Client client = connect();
    client.send(get("/now?x=1") + get("/durable") + "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n");
    (void)client.read_all();
    Client odd = connect();
    odd.send("\x16\x03");
    (void)odd.read_all();
    EXPECT_TRUE(stop().ok());
    EXPECT_EQ(handler_.logged(),
              (std::vector<std::string>{"127.0.0.1 GET /now?x=1 11 200", "127.0.0.1 GET /durable 11 503",
                                        "127.0.0.1 POST /big 11 413", "127.0.0.1   11 400"}));
}

TEST_F(ServerTest, WhoDoesNotReadItsAnswersIsNotReadFromAndLosesNothing) {
    options_.unsent_bytes_max = 100'000;
    start();
    Client slow = connect();
    constexpr std::size_t requests = 1000;
    std::string pipeline;
    for (std::size_t i = 0; i < requests; ++i) pipeline += get("/large/50000");
    slow.send(pipeline);
    Client other = connect();
    std::size_t before = 0;
    std::size_t handled = 1;
    while (handled != before) { // until the kernel's buffers are full
        before = handled;
        ASSERT_EQ(other.ask("/now").status, 200u);
        const auto all = handler_.handled();
        handled = static_cast<std::size_t>(std::count(all.begin(), all.end(), "/large/50000"));
    }
    EXPECT_LT(handled, requests) << "answers pile up without bound";
    for (std::size_t i = 0; i < requests; ++i) ASSERT_EQ(slow.read_answer().body.size(), 50'000u) << i;
}

TEST_F(ServerTest, PipelinesBeyondTheLimitWaitTheirTurn) {
    options_.pipelined_requests_max = 4;
    start();
    handler_.set_commits(Commits::held);
    Client client = connect();
    std::string pipeline;
    for (int i = 0; i < 10; ++i) pipeline += get("/" + std::to_string(i));
    client.send(pipeline);
    handler_.wait_for_commits(1);
    handler_.finish_commit(true);
    handler_.wait_for_commits(2);
    EXPECT_EQ(handler_.commits()[0], 4u);
    EXPECT_EQ(handler_.commits()[1], 4u);
    handler_.finish_commit(true);
    handler_.finish_commit(true);
    for (int i = 0; i < 10; ++i) EXPECT_EQ(client.read_answer().body, "/" + std::to_string(i) + "|");
}

TEST_F(ServerTest, OneConnectionTooManyIsToldSo) {
    options_.connections_max = 2;
    start();
    Client one = connect();
    EXPECT_EQ(one.ask("/now").status, 200u);
    Client two = connect();
    EXPECT_EQ(two.ask("/now").status, 200u);
    {
        Client three = connect();
        const Answer answer = three.read_answer();
        EXPECT_EQ(answer.status, 503u);
        EXPECT_NE(answer.head.find("Retry-After: 1\r\n"), std::string::npos);
        EXPECT_TRUE(three.closed_by_server());
    }
    EXPECT_EQ(one.ask("/now").status, 200u);
    EXPECT_EQ(handler_.last_stats().connections_refused, 1);
}

TEST_F(ServerTest, RequestsThatNeedMoreMemoryThanThereIsAreToldSo) {
    options_.buffered_bytes_max = 200'000;
    start();
    Client client = connect();
    client.send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 500000\r\n\r\n" + std::string(100'000, 'x'));
    EXPECT_EQ(client.read_answer().status, 503u);
    EXPECT_EQ(connect().ask("/now").status, 200u);
}

TEST_F(ServerTest, WhoeverLeftHoldsNoMemory) {
    options_.buffered_bytes_max = 400'000;
    start();
    Client stays = connect();
    EXPECT_EQ(stays.ask("/now").status, 200u);
    for (int i = 0; i < 40; ++i) {
        Client leaves = connect();
        leaves.send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 100000\r\n\r\n" + std::string(50'000, 'x'));
        EXPECT_EQ(connect().ask("/now").status, 200u); // by then those bytes were read
    }
    stays.send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x'));
    EXPECT_EQ(stays.read_answer().status, 200u);
}

TEST_F(ServerTest, AnAnnouncedBodyTakesNoMemoryBeforeItComes) {
    options_.buffered_bytes_max = 400'000;
    start();
    std::vector<Client> announced;
    for (int i = 0; i < 20; ++i) {
        announced.push_back(connect());
        announced.back().send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 300000\r\n\r\nx");
    }
    Client other = connect();
    other.send("POST /now HTTP/1.1\r\nHost: game\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x'));
    EXPECT_EQ(other.read_answer().status, 200u);
}

TEST_F(ServerTest, AllUnreadAnswersTogetherHaveALimit) {
    options_.unsent_bytes_of_all_max = 1;
    start();
    Client unread = connect();
    unread.send(get("/large/20000000") + get("/now/after"));
    handler_.wait_for_handled(1);
    Client other = connect();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(other.ask("/now/other").status, 200u);
    EXPECT_EQ(handler_.handled().size(), 6u) << "more was taken from a client that does not read";
    EXPECT_EQ(unread.read_answer().body.size(), 20'000'000u);
    EXPECT_EQ(unread.read_answer().body, "/now/after|");
}

TEST_F(ServerTest, TwoThousandIdleConnectionsDisturbNobody) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < 4200) GTEST_SKIP() << "needs 4,200 file descriptors";
    start();
    std::vector<Client> idle;
    idle.reserve(2000);
    for (int i = 0; i < 2000; ++i) idle.push_back(connect());
    Client busy = connect();
    for (int i = 0; i < 100; ++i) ASSERT_EQ(busy.ask("/durable").status, 200u);
    EXPECT_EQ(handler_.last_stats().connections_open, 2001);
    EXPECT_EQ(idle[1234].ask("/now").status, 200u);
    EXPECT_TRUE(stop().ok());
    for (Client& client : idle) EXPECT_TRUE(client.closed_by_server());
}

TEST_F(ServerTest, ClientsThatVanishHarmNobody) {
    start();
    handler_.set_commits(Commits::held);
    for (int i = 0; i < 20; ++i) {
        Client gone = connect();
        gone.send(get("/durable"));
        gone.reset();
    }
    Client client = connect();
    client.send(get("/last"));
    handler_.set_commits(Commits::succeed);
    handler_.wait_for_commits(1);
    server_->post([this] { server_->committed(true); });
    EXPECT_EQ(client.read_answer().body, "/last|");
}

TEST_F(ServerTest, StatsCountWhatHappened) {
    start();
    Client bad = connect();
    bad.send("nonsense\r\n\r\n");
    EXPECT_EQ(bad.read_answer().status, 400u);
    Client client = connect();
    (void)client.ask("/now");
    (void)client.ask("/now");
    const ServerStats stats = handler_.last_stats();
    EXPECT_EQ(stats.requests, 2);
    EXPECT_EQ(stats.bad_requests, 1);
    EXPECT_EQ(stats.connections_accepted, 2);
    EXPECT_EQ(stats.timeouts, 0);
}

TEST_F(ServerTest, ATakenPortIsToldAndNoConnectionIsStolen) {
    start();
    ServerOptions second = options_;
    second.port = port_;
    const auto refused = Server::listen(second);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::reject);
    EXPECT_NE(refused.error().message.find("port " + std::to_string(port_) + " is taken"), std::string::npos);
    EXPECT_NE(refused.error().message.find("--listen 127.0.0.1:0"), std::string::npos);
    second.host = "0.0.0.0";
    EXPECT_FALSE(Server::listen(second).ok()) << "every address includes the taken one";
    for (int i = 0; i < 10; ++i) EXPECT_EQ(connect().ask("/now").status, 200u);
}

TEST_F(ServerTest, APortIsFreeAgainAtOnceAfterItsServerIsGone) {
    start();
    Client client = connect();
    client.send("GET /now HTTP/1.0\r\n\r\n"); // the server closes first: TIME_WAIT is on its side
    EXPECT_EQ(client.read_answer().status, 200u);
    EXPECT_TRUE(client.closed_by_server());
    EXPECT_TRUE(stop().ok());
    server_.reset();
    options_.port = port_;
    start();
    EXPECT_EQ(connect().ask("/now").status, 200u);
}

TEST_F(ServerTest, ListensOnNamesAndIpv6) {
    options_.host = "localhost";
    start();
    EXPECT_EQ(Client(port_).ask("/now").status, 200u);
    EXPECT_TRUE(stop().ok());
    options_.host = "[::1]";
    options_.port = 0;
    auto listener = open_listener(options_.host, 0);
    if (!listener) GTEST_SKIP() << listener.error().message;
    server_.reset();
    start();
    EXPECT_EQ(Client(port_, "::1").ask("/now").status, 200u);
}

TEST(ListenAddress, IsHostAndPort) {
    const auto read = [](std::string_view text) {
        const auto address = parse_listen_address(text);
        return address ? address->host + " " + std::to_string(address->port) : "refused: " + address.error().message;
    };
    EXPECT_EQ(read("127.0.0.1:5000"), "127.0.0.1 5000");
    EXPECT_EQ(read("[::1]:5000"), "::1 5000");
    EXPECT_EQ(read("localhost:0"), "localhost 0");
    for (const char* wrong : {"", "host", "5000", ":5000", "host:", "host:x", "host:-1", "host:65536", "::1:5000",
                              "[::1]", "[]:1", "[::1:5000", "h:5 ", "h: 5"})
        EXPECT_EQ(read(wrong).substr(0, 8), "refused:") << wrong;
}

TEST(ListenAddress, UnknownHostsAreNamed) {
    const auto unknown = open_listener("no-such-host.invalid", 0);
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(unknown.error().kind, ErrorKind::reject);
    EXPECT_NE(unknown.error().message.find("no-such-host.invalid"), std::string::npos);
    const auto elsewhere = open_listener("192.0.2.1", 0);
    ASSERT_FALSE(elsewhere.ok());
    EXPECT_NE(elsewhere.error().message.find("no such address"), std::string::npos);
}

} // namespace
} // namespace questlog::http
