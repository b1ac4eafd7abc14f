#include "collect/collector_fixture.h"

/// `wait=landed`: the answer waits until its events are in their tables, for a while.
namespace questlog::collect {
namespace {

using std::chrono::milliseconds;

class WaitLanded : public CollectorTest {
protected:
    static CollectorOptions waits_two_seconds() {
        CollectorOptions options = on_io_thread();
        options.landed_wait_max = milliseconds(2'000);
        return options;
    }
    WaitLanded() : CollectorTest(waits_two_seconds(), 2) {
        options_.ask_for_landing = [this] { ++asked_; };
        start();
    }
    void pass(milliseconds time) {
        clock_.pass(time);
        collector_->tick();
    }
    static std::vector<Offset> ends(std::int64_t first, std::int64_t second) { return {Offset{first}, Offset{second}}; }

    int asked_ = 0;
};

TEST_F(WaitLanded, HoldsTheAnswerUntilItsEventsAreLanded) {
    const AnswerPtr answer = ask("GET", "/purchase_a_sword?wait=landed");
    EXPECT_NE(answer->hold, 0U);
    EXPECT_GT(asked_, 1) << "at once, and when it is durable";
    collector_->landed(ends(0, 0));
    EXPECT_NE(answer->hold, 0U);
    collector_->landed(ends(1, 1));
    EXPECT_EQ(answer->hold, 0U);
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->body, "\nSword Purchased!\n");
    const int asked = asked_;
    ask("GET", "/");
    EXPECT_EQ(asked_, asked) << "nobody waits";
}

TEST_F(WaitLanded, IsOverWithAReceipt) {
    const AnswerPtr call = ask("GET", "/purchase_a_sword?wait=landed");
    const AnswerPtr batch = ask("POST", "/events?wait=landed", R"([{"event_type":"a"},{"event_type":"b"},7])");
    pass(milliseconds(1'999));
    EXPECT_EQ(call->status, 200U);
    pass(milliseconds(1));
    EXPECT_EQ(call->hold, 0U);
    EXPECT_EQ(call->status, 202U);
    EXPECT_NE(call->body.find("\"log\": \"AAAAAAAAAAAAAAAAAAAAAQ\", \"partition\": "), std::string::npos) << call->body;
    EXPECT_EQ(batch->status, 202U);
    EXPECT_NE(batch->body.find("\"accepted\": 2, \"rejected\": 1"), std::string::npos) << batch->body;
    EXPECT_NE(batch->body.find("\"first_offset\": "), std::string::npos) << batch->body;
    collector_->landed(ends(9, 9)); // too late, and no matter
}

TEST_F(WaitLanded, OfSeveralPartitionsWaitsForAll) {
    std::string body;
    for (const char c : std::string("abcdefgh"))
        body += std::string(R"({"event_type":"a","message_id":")") + c + "\"}\n";
    const AnswerPtr answer = ask("POST", "/events?wait=landed", body);
    const auto first = static_cast<std::int64_t>(partition(0).events.size());
    const auto second = static_cast<std::int64_t>(partition(1).events.size());
    ASSERT_TRUE(first > 1 && second > 1);
    collector_->landed(ends(first, second - 1));
    EXPECT_NE(answer->hold, 0U);
    collector_->landed(ends(first, second));
    EXPECT_EQ(answer->hold, 0U);
    const AnswerPtr again = ask("POST", "/events?wait=landed", body);
    EXPECT_EQ(again->hold, 0U) << "they repeat what is landed";
    EXPECT_TRUE(again->sent);
}

TEST_F(WaitLanded, EndsWhenTheServerStops) {
    const AnswerPtr answer = ask("GET", "/?wait=landed");
    collector_->drain();
    collector_->tick();
    EXPECT_EQ(answer->hold, 0U);
    EXPECT_EQ(answer->status, 202U);
}

TEST_F(WaitLanded, IsRefusedWhereNobodyLands) {
    options_.ask_for_landing = nullptr;
    start();
    for (const AnswerPtr& answer :
         {ask("GET", "/?wait=landed"), ask("POST", "/events?wait=landed", R"({"event_type":"a"})")}) {
        EXPECT_EQ(answer->status, 400U);
        EXPECT_NE(answer->body.find("[landing] enabled = false"), std::string::npos) << answer->body;
    }
    EXPECT_EQ(log_.durable_events(), 0U);
}

} // namespace
} // namespace questlog::collect
