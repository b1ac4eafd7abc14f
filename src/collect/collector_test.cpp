// What clients are answered, and what is stored for it. How commits end: collector_commit_test.cpp.
#include "collect/collector_fixture.h"

#include <fstream>

namespace questlog::collect {
namespace {

constexpr std::string_view log_and_partition = R"("log": "AAAAAAAAAAAAAAAAAAAAAQ", "partition": 0)";

std::string join(std::initializer_list<std::string_view> parts) {
    std::string all;
    for (const std::string_view part : parts) all += part;
    return all;
}

TEST_F(CollectorTest, AnswersTheReferencesCallsAndLogsTheReferencesBytes) {
    std::ifstream golden(QUESTLOG_SOURCE_DIR "/tests/golden/events/calls.txt", std::ios::binary);
    std::vector<std::string> wanted;
    for (std::string line; std::getline(golden, line);) wanted.push_back(line);

    std::vector<std::string> bodies;
    for (const std::string_view host : {"user1.comcast.com", "user2.att.com"}) {
        for (const std::string_view path : {"/", "/purchase_a_sword", "/purchase_knife", "/join_guild"}) {
            const AnswerPtr answer =
                send("GET", path, "", {{"Host", host}, {"User-Agent", "ApacheBench/2.3"}, {"Accept", "*/*"}});
            EXPECT_EQ(answer->status, 200U);
            EXPECT_EQ(answer->content_type, "text/html; charset=utf-8");
            EXPECT_EQ(answer->extra_headers, "");
            bodies.push_back(answer->body);
        }
    }
    turn();
    EXPECT_EQ(std::vector<std::string>(bodies.begin(), bodies.begin() + 4),
              (std::vector<std::string>{"\nThis is the default response!\n", "\nSword Purchased!\n",
                                        "Knife Purchased!\n", "\nJoin Guild!\n"}));
    auto stored = values();
    std::sort(stored.begin(), stored.end());
    std::sort(wanted.begin(), wanted.end());
    EXPECT_EQ(stored, wanted);
}

TEST_F(CollectorTest, HoldsAnswersBackUntilTheCommit) {
    const AnswerPtr answer = get("/purchase_a_sword");
    EXPECT_TRUE(answer->after_commit);
    EXPECT_FALSE(answer->sent);
    turn();
    EXPECT_TRUE(answer->sent);
    EXPECT_EQ(partition().durable, 1U);
}

TEST_F(CollectorTest, CommitsATurnAsOneBatch) {
    for (int i = 0; i < 5; ++i) get("/");
    turn();
    for (int i = 0; i < 3; ++i) get("/");
    turn();
    EXPECT_EQ(partition().batches, 2U);
    EXPECT_EQ(partition().durable, 8U);
}

TEST_F(CollectorTest, GivesTheReceiptOfADeclaredCallAsJson) {
    ask("GET", "/");
    const AnswerPtr answer = ask("GET", "/purchase_a_sword?receipt=1");
    EXPECT_EQ(answer->content_type, "application/json");
    EXPECT_EQ(answer->body, join({"{", log_and_partition, ", \"offset\": 1}\n"}));
    EXPECT_EQ(values().back(), R"({"event_type": "purchase_sword", "Host": "user1.comcast.com"})");
    EXPECT_EQ(ask("GET", "/?receipt=0&wait=durable")->body, "\nThis is the default response!\n");
}

TEST_F(CollectorTest, RefusesReceiptsAndWaitsThatItDoesNotGive) {
    for (const char* target : {"/?receipt=yes", "/?receipt=", "/?%72eceipt=2", "/?wait=kafka", "/?wait=0"}) {
        const AnswerPtr answer = ask("GET", target);
        EXPECT_EQ(answer->status, 400U) << target;
        EXPECT_EQ(answer->content_type, "application/json");
        EXPECT_TRUE(answer->body.starts_with("{\"error\": \"")) << answer->body;
    }
    EXPECT_EQ(ask("POST", "/events?receipt=2", R"({"event_type":"a"})")->status, 400U);
    EXPECT_TRUE(values().empty());
}

TEST_F(CollectorTest, TellsWhichFieldIsWrong) {
    EXPECT_EQ(ask("POST", "/trade", R"({"gold": 7})")->body, "{\"done\": true}");
    const AnswerPtr answer = ask("POST", "/trade", R"({"gold": "much"})");
    EXPECT_EQ(answer->status, 400U);
    EXPECT_EQ(answer->body, R"({"error": "field \"gold\": expected a bigint, got \"much\""})"
                            "\n");
    EXPECT_EQ(ask("POST", "/trade")->status, 400U);
    EXPECT_EQ(partition().durable, 1U);
    EXPECT_EQ(collector_->tally().invalid_calls, 2);
}

TEST_F(CollectorTest, HeadAndOptionsMakeNoEvent) {
    const AnswerPtr head = ask("HEAD", "/purchase_a_sword");
    EXPECT_EQ(head->status, 200U);
    EXPECT_EQ(head->body, "\nSword Purchased!\n") << "the server sends its length";
    const AnswerPtr options = ask("OPTIONS", "/purchase_a_sword");
    EXPECT_EQ(options->status, 200U);
    EXPECT_EQ(options->extra_headers, "Allow: GET, POST, HEAD, OPTIONS\r\n");
    EXPECT_EQ(ask("OPTIONS", "/events")->extra_headers, "Allow: POST, OPTIONS\r\n");
    EXPECT_EQ(ask("OPTIONS", "*")->status, 200U);
    EXPECT_EQ(ask("HEAD", "/healthz")->status, 200U);
    EXPECT_TRUE(values().empty());
}

TEST_F(CollectorTest, HelpsWhereThePathOrTheMethodIsWrong) {
    const AnswerPtr missing = ask("GET", "/purchase_a_shield");
    EXPECT_EQ(missing->status, 404U);
    for (const char* path :
         {"  GET, POST    /purchase_a_sword\n", "  POST         /trade\n", "  POST         /events\n"})
        EXPECT_NE(missing->body.find(path), std::string::npos) << path;
    const AnswerPtr wrong = ask("DELETE", "/trade");
    EXPECT_EQ(wrong->status, 405U);
    EXPECT_EQ(wrong->extra_headers, "Allow: POST, OPTIONS\r\n");
    EXPECT_EQ(wrong->body, "This path takes POST.\n");
    EXPECT_EQ(ask("HEAD", "/trade")->status, 405U) << "there is no GET that it would be the head of";
    EXPECT_EQ(ask("GET", "/events")->status, 405U);
    EXPECT_EQ(ask("POST", "/metrics")->status, 405U);
    EXPECT_EQ(ask("GET", "*")->status, 405U);
    EXPECT_TRUE(values().empty());
}

TEST_F(CollectorTest, TakesOneEventAndGivesItsReceipt) {
    EXPECT_EQ(ask("POST", "/events", R"({"event_type":"a"})")->body, "{\"accepted\": 1, \"rejected\": 0}\n");
    const AnswerPtr answer = ask("POST", "/events?receipt=1", " {\"event_type\" : \"b\"}\n");
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->content_type, "application/json");
    EXPECT_EQ(answer->body, join({R"({"accepted": 1, "rejected": 0, )", log_and_partition, ", \"offset\": 1}\n"}));
    EXPECT_EQ(values(), (std::vector<std::string>{R"({"event_type":"a"})", R"({"event_type" : "b"})"}));
}

TEST_F(CollectorTest, TakesSomeEventsAndNamesTheOthers) {
    get("/");
    const AnswerPtr answer =
        ask("POST", "/events?receipt=1", "{\"event_type\":\"a\"}\n{}\n{\"event_type\":\"b\"}\nnull\n");
    EXPECT_EQ(answer->status, 207U);
    EXPECT_EQ(answer->body, join({R"({"accepted": 2, "rejected": 2, "rejections": [{"index": 1, "reason": )",
                                  R"("no event_type: every event needs one, a non-empty string"}, )",
                                  R"({"index": 3, "reason": "not a JSON object"}], )", log_and_partition,
                                  ", \"first_offset\": 1}\n"}));
    EXPECT_EQ(partition().durable, 3U);
    EXPECT_EQ(collector_->tally().invalid_events, 2);
}

TEST_F(CollectorTest, TakesNoneAndStoresNone) {
    const AnswerPtr answer = ask("POST", "/events?receipt=1", "[{}, 7]");
    EXPECT_EQ(answer->status, 400U);
    EXPECT_FALSE(answer->after_commit);
    EXPECT_TRUE(answer->body.starts_with(R"({"accepted": 0, "rejected": 2, "rejections": [{"index": 0,)"))
        << answer->body;
    EXPECT_EQ(answer->body.find("offset"), std::string::npos);
    EXPECT_EQ(ask("POST", "/events", "")->body,
              "{\"error\": \"the body is empty: send one JSON object, an array of them, or one a line\"}\n");
    EXPECT_EQ(ask("POST", "/events", "[{\"event_type\":\"a\"}")->status, 400U);
    EXPECT_EQ(collector_->tally().unreadable_bodies, 2);
    EXPECT_TRUE(values().empty());
}

TEST_F(CollectorTest, StampsEventsWithTheTurnsTimeAndNeverBackwards) {
    const std::int64_t began = clock_.wall;
    get("/");
    clock_.wall = began + 50;
    get("/");
    turn();
    clock_.wall = began - 10'000;
    ask("GET", "/");
    clock_.wall = began + 70;
    ask("GET", "/");
    start(); // the floor is the log's, not the process's
    clock_.wall = began;
    ask("GET", "/");
    std::vector<std::int64_t> stamps;
    for (const LoggedEvent& event : partition().events) stamps.push_back(event.timestamp.value - began);
    EXPECT_EQ(stamps, (std::vector<std::int64_t>{0, 0, 0, 70, 70}));
}

TEST_F(CollectorTest, IsHealthyAndReadyUntilItDrains) {
    EXPECT_EQ(ask("GET", "/healthz")->status, 200U);
    EXPECT_EQ(ask("GET", "/readyz")->body, "ready\n");
    collector_->drain();
    EXPECT_EQ(ask("GET", "/healthz")->status, 200U);
    EXPECT_EQ(ask("GET", "/readyz")->status, 503U);
    EXPECT_EQ(ask("GET", "/purchase_a_sword")->status, 200U) << "what still comes is answered";
}

TEST_F(CollectorTest, ShowsItsBooksAsMetrics) {
    partition().sync_time = std::chrono::milliseconds(2);
    get("/");
    get("/?receipt=x");
    post("/events", "{\"event_type\":\"a\"}\n7");
    post("/events", "[");
    turn();
    EXPECT_EQ(metric("questlog_events_accepted_total"), "2");
    EXPECT_EQ(metric("questlog_events_rejected_total{reason=\"invalid_call\"}"), "1");
    EXPECT_EQ(metric("questlog_events_rejected_total{reason=\"invalid_event\"}"), "1");
    EXPECT_EQ(metric("questlog_events_rejected_total{reason=\"unreadable_body\"}"), "1");
    EXPECT_EQ(metric("questlog_events_rejected_total{reason=\"log_failed\"}"), "0");
    EXPECT_EQ(metric("questlog_ack_seconds_count"), "2") << "requests";
    EXPECT_EQ(metric("questlog_ack_seconds_bucket{le=\"0.001\"}"), "0");
    EXPECT_EQ(metric("questlog_ack_seconds_bucket{le=\"0.0025\"}"), "2");
    EXPECT_EQ(metric("questlog_fsync_seconds_count"), "1");
    EXPECT_EQ(metric("questlog_log_end_offset{partition=\"0\"}"), "2");
    EXPECT_EQ(metric("questlog_http_requests_total"), "0");
    EXPECT_EQ(get("/metrics")->content_type, "text/plain; version=0.0.4; charset=utf-8");
}

class ThreePartitions : public CollectorTest {
protected:
    ThreePartitions() : CollectorTest(on_io_thread(), 3) {}
};

TEST_F(ThreePartitions, TakeABatchEachInTurn) {
    std::vector<std::string> receipts;
    for (int commit = 0; commit < 4; ++commit) {
        get("/");
        receipts.push_back(ask("GET", "/?receipt=1")->body);
    }
    EXPECT_EQ(partition(0).durable, 4U);
    EXPECT_EQ(partition(1).durable, 2U);
    EXPECT_EQ(partition(2).durable, 2U);
    EXPECT_NE(receipts[1].find(R"("partition": 1, "offset": 1)"), std::string::npos) << receipts[1];
    EXPECT_NE(receipts[3].find(R"("partition": 0, "offset": 3)"), std::string::npos) << receipts[3];
    EXPECT_EQ(metric("questlog_log_end_offset{partition=\"2\"}"), "2");
}

class HeadersStored : public CollectorTest {
protected:
    HeadersStored() : CollectorTest(with_headers()) {}
    static CollectorOptions with_headers() {
        CollectorOptions options = on_io_thread();
        options.intake_headers = true;
        options.intake_store_headers = {"Cookie"};
        return options;
    }
};

TEST_F(HeadersStored, WithEveryPostedEventAsWithDeclaredCalls) {
    const std::vector<http::Header> headers{{"host", "h"}, {"Authorization", "secret"}, {"Cookie", "c"}};
    const AnswerPtr answer =
        send("POST", "/events?receipt=1", "{\"event_type\":\"a\"}\n7\n{\"event_type\":\"b\"}", headers);
    send("POST", "/", "{\"n\":1}", headers);
    turn();
    EXPECT_EQ(answer->status, 207U);
    EXPECT_EQ(values(), (std::vector<std::string>{R"({"event_type": "a", "Host": "h", "Cookie": "c"})",
                                                  R"({"event_type": "b", "Host": "h", "Cookie": "c"})",
                                                  R"({"event_type": "default", "n": 1, "Host": "h"})"}));
}

TEST_F(HeadersStored, NotWithWhatIsReplayed) {
    const std::string value = R"({"event_type":"a", "Host":"of old"})";
    send("POST", "/events?replay=1", value, {{"Host", "h"}, {"Idempotency-Key", "dead-letter/x/0/1"}});
    turn();
    EXPECT_EQ(values(), (std::vector<std::string>{value}));
}

class AccessLogged : public CollectorTest {
protected:
    AccessLogged() : CollectorTest(on_io_thread()) {
        EXPECT_FALSE(collector_->wants_answered());
        options_.access_log = [this](std::string_view lines) { written_.emplace_back(lines); };
        start();
    }
    std::vector<std::string> written_; ///< One string a write.
};

TEST_F(AccessLogged, WritesATurnsLinesAtOnceAndTheRestAtTheEnd) {
    EXPECT_TRUE(collector_->wants_answered());
    collector_->answered("127.0.0.1", "GET", "/purchase_a_sword", 10, 200);
    collector_->answered("127.0.0.1", "GET", "/", 11, 503);
    EXPECT_TRUE(written_.empty());
    server_.run_posted();
    ASSERT_EQ(written_.size(), 1U);
    EXPECT_EQ(written_[0], "127.0.0.1 - - [04/Aug/2018 18:27:12] \"GET /purchase_a_sword HTTP/1.0\" 200 -\n"
                           "127.0.0.1 - - [04/Aug/2018 18:27:12] \"GET / HTTP/1.1\" 503 -\n");
    clock_.wall += 6'000 + 24L * 3600 * 1000 * 28;
    collector_->answered("::1", "", "", 11, 400);
    start();
    ASSERT_EQ(written_.size(), 2U);
    EXPECT_EQ(written_[1], "::1 - - [01/Sep/2018 18:27:18] \"-\" 400 -\n");
    server_.run_posted(); // the one that the first collector posted has nothing left to write
}

TEST(AccessLogFormat, KeepsALineALineWhateverAClientSends) {
    AccessLogFormat format;
    std::string out;
    format.append(out, TimestampMs{1'709'164'800'999}, {"10.0.0.9", "GET", "/a\"b\\c\n\x7f\xe9 d", 11, 404});
    EXPECT_EQ(out, "10.0.0.9 - - [29/Feb/2024 00:00:00] \"GET /a\\\"b\\\\c\\x0a\\x7f\\xe9 d HTTP/1.1\" 404 -\n");
}

} // namespace
} // namespace questlog::collect
