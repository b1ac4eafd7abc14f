#include "collect/collector_fixture.h"
#include "collect/served_collector_fixture.h"

/// Answers that wait until their events are confirmed by where the log is forwarded to, for a while.
namespace questlog::collect {
namespace {

using std::chrono::milliseconds;

CollectorOptions waits_for_forwarding(CollectorOptions options) {
    options.wait_for_forwarding = true;
    options.forwarded_wait_max = milliseconds(2'000);
    options.landed_wait_max = milliseconds(3'000);
    options.drain_forwarded_wait = milliseconds(1'000);
    options.ask_for_landing = [] {};
    return options;
}

class WaitForwarded : public CollectorTest {
protected:
    explicit WaitForwarded(std::int32_t partitions = 1)
        : CollectorTest(waits_for_forwarding(on_io_thread()), partitions) {}

    void pass(milliseconds time) {
        clock_.pass(time);
        collector_->tick();
    }
    /// Of the one partition.
    void forwarded(std::int64_t end) { collector_->forwarded({Offset{end}}); }
    void landed(std::int64_t end) { collector_->landed({Offset{end}}); }
};

TEST_F(WaitForwarded, HoldsAnAnswerUntilItsEventsAreForwarded) {
    const AnswerPtr call = ask("GET", "/purchase_a_sword");
    const AnswerPtr batch = ask("POST", "/events", R"([{"event_type":"a"},{"event_type":"b"}])");
    EXPECT_TRUE(call->sent) << "its commit is done";
    EXPECT_FALSE(call->is_out() || batch->is_out());
    landed(9);
    forwarded(0);
    EXPECT_FALSE(call->is_out()) << "it is the next one";
    forwarded(2);
    EXPECT_TRUE(call->is_out());
    EXPECT_EQ(call->status, 200U);
    EXPECT_EQ(call->body, "\nSword Purchased!\n");
    EXPECT_FALSE(batch->is_out()) << "its second event is not";
    forwarded(3);
    EXPECT_TRUE(batch->is_out());
    EXPECT_EQ(batch->body, "{\"accepted\": 2, \"rejected\": 0}\n");
    EXPECT_EQ(collector_->tally().unconfirmed, 0);
}

TEST_F(WaitForwarded, IsOverWithTheReceiptsOfWhatIsStoredHere) {
    const AnswerPtr call = ask("GET", "/purchase_a_sword");
    const AnswerPtr batch = ask("POST", "/events", R"([{"event_type":"a"},{"event_type":"b"},7])");
    pass(milliseconds(1'999));
    EXPECT_FALSE(call->is_out() || batch->is_out());
    pass(milliseconds(1));
    ASSERT_TRUE(call->is_out() && batch->is_out());
    EXPECT_EQ(call->status, 504U);
    EXPECT_EQ(call->body, R"({"error": "stored here, outcome pending; retry with the same message_id", )"
                          R"("log": "AAAAAAAAAAAAAAAAAAAAAQ", "partition": 0, "offset": 0})"
                          "\n");
    EXPECT_EQ(batch->status, 504U);
    EXPECT_EQ(batch->body,
              R"({"error": "stored here, outcome pending; retry with the same message_id", )"
              R"("accepted": 2, "rejected": 1, "rejections": [{"index": 2, "reason": "not a JSON object"}])"
              R"(, "log": "AAAAAAAAAAAAAAAAAAAAAQ", "partition": 0, "first_offset": 1})"
              "\n");
    EXPECT_EQ(metric("questlog_answers_unconfirmed_total"), "2");
    EXPECT_EQ(metric("questlog_events_accepted_total"), "3") << "they are in the log";
    forwarded(9);
    EXPECT_EQ(call->status, 504U) << "it is too late";
}

TEST_F(WaitForwarded, DoesNotHoldWhatBringsNoEventsOrWasNotStored) {
    EXPECT_TRUE(get("/healthz")->is_out());
    EXPECT_TRUE(post("/trade", "{}")->is_out());
    EXPECT_TRUE(post("/events", "7")->is_out());
    partition().append_error = retry_later("No space left on device");
    const AnswerPtr failed = ask("GET", "/");
    EXPECT_TRUE(failed->is_out());
    EXPECT_EQ(failed->status, 503U);
    pass(milliseconds(2'000));
    EXPECT_EQ(failed->status, 503U);
    EXPECT_EQ(collector_->tally().unconfirmed, 0);
}

TEST_F(WaitForwarded, ForgetsTheAnswersOfACommitThatFailedAlone) {
    const AnswerPtr stored = ask("GET", "/");
    partition().append_error = retry_later("No space left on device");
    ask("GET", "/?wait=landed");
    partition().append_error.reset();
    const AnswerPtr after = ask("GET", "/");
    forwarded(1);
    EXPECT_TRUE(stored->is_out());
    EXPECT_FALSE(after->is_out()) << "its event has the offset of the one that was not stored";
    pass(milliseconds(2'000));
    EXPECT_EQ(after->status, 504U);
    EXPECT_EQ(collector_->tally().unconfirmed, 1);
}

TEST_F(WaitForwarded, ARepeatWaitsForTheFirstOne) {
    const AnswerPtr first = ask("POST", "/events", raid("k"));
    const AnswerPtr again = ask("POST", "/events?receipt=1", raid("k"));
    const AnswerPtr call_again = send("GET", "/", {}, {{"Host", "game"}, {"Idempotency-Key", "k"}});
    EXPECT_FALSE(first->is_out());
    EXPECT_FALSE(again->is_out() || call_again->is_out()) << "a 200 for what may be lost yet";
    forwarded(1);
    EXPECT_TRUE(first->is_out() && again->is_out() && call_again->is_out());
    EXPECT_EQ(again->status, 200U);
    EXPECT_EQ(call_again->status, 200U);
    const AnswerPtr later = post("/events", raid("k"));
    EXPECT_TRUE(later->is_out()) << "there is nothing to wait for";
    EXPECT_EQ(partition().events.size(), 1U);
}

TEST_F(WaitForwarded, ARepeatsTimeIsItsOwn) {
    const AnswerPtr first = ask("POST", "/events", raid("k"));
    pass(milliseconds(2'000));
    EXPECT_EQ(first->status, 504U);
    const AnswerPtr again = post("/events", raid("k"));
    pass(milliseconds(1'999));
    EXPECT_FALSE(again->is_out());
    pass(milliseconds(1));
    EXPECT_EQ(again->status, 504U);
    EXPECT_NE(again->body.find(R"("duplicates": 1, "log": "AAAAAAAAAAAAAAAAAAAAAQ", "partition": 0, )"),
              std::string::npos)
        << again->body;
    const AnswerPtr third = post("/events", raid("k"));
    forwarded(1);
    EXPECT_TRUE(third->is_out());
    EXPECT_EQ(third->status, 200U);
}

TEST_F(WaitForwarded, AfterARestartWaitsUntilToldHowFarItGot) {
    ask("POST", "/events", raid("k"));
    forwarded(1);
    start();
    const AnswerPtr again = post("/events", raid("k"));
    EXPECT_FALSE(again->is_out());
    forwarded(1);
    EXPECT_TRUE(again->is_out());
    EXPECT_EQ(again->status, 200U);
}

TEST_F(WaitForwarded, AndLandedWaitsForBoth) {
    const AnswerPtr first = ask("GET", "/?wait=landed");
    forwarded(1);
    EXPECT_FALSE(first->is_out());
    landed(1);
    EXPECT_TRUE(first->is_out());
    EXPECT_EQ(first->status, 200U);
    const AnswerPtr second = ask("GET", "/?wait=landed");
    landed(2);
    EXPECT_FALSE(second->is_out());
    forwarded(2);
    EXPECT_TRUE(second->is_out());
    EXPECT_EQ(second->status, 200U);
}

TEST_F(WaitForwarded, AndLandedIsOverByEach) {
    const AnswerPtr not_landed = ask("GET", "/?wait=landed");
    forwarded(1);
    pass(milliseconds(2'999));
    EXPECT_FALSE(not_landed->is_out());
    pass(milliseconds(1));
    EXPECT_EQ(not_landed->status, 202U);
    const AnswerPtr not_forwarded = ask("GET", "/?wait=landed");
    pass(milliseconds(2'000));
    EXPECT_TRUE(not_forwarded->is_out()) << "that it is landed later makes it no better";
    EXPECT_EQ(not_forwarded->status, 504U);
    landed(9);
    EXPECT_EQ(collector_->tally().unconfirmed, 1);
}

TEST_F(WaitForwarded, WaitsOnWhereTheTimeToLandIsOverFirst) {
    options_.landed_wait_max = milliseconds(1'000);
    start();
    const AnswerPtr forwarded_later = ask("GET", "/?wait=landed");
    const AnswerPtr never = ask("GET", "/?wait=landed");
    pass(milliseconds(1'000));
    EXPECT_FALSE(forwarded_later->is_out()) << "a 202 for what may be lost yet";
    forwarded(1);
    EXPECT_TRUE(forwarded_later->is_out());
    EXPECT_EQ(forwarded_later->status, 202U);
    EXPECT_EQ(forwarded_later->body.find("error"), std::string::npos) << forwarded_later->body;
    pass(milliseconds(1'000));
    EXPECT_EQ(never->status, 504U);
}

TEST_F(WaitForwarded, AtAStopGoesOnForAsLongAsItCan) {
    const AnswerPtr in_time = ask("GET", "/");
    const AnswerPtr landing = ask("GET", "/?wait=landed");
    const AnswerPtr never = ask("GET", "/");
    collector_->drain();
    collector_->tick();
    pass(milliseconds(500));
    EXPECT_FALSE(in_time->is_out() || landing->is_out() || never->is_out());
    forwarded(2);
    EXPECT_TRUE(in_time->is_out() && landing->is_out());
    EXPECT_EQ(in_time->status, 200U);
    EXPECT_EQ(landing->status, 202U) << "for that nobody waits at a stop";
    pass(milliseconds(499));
    EXPECT_FALSE(never->is_out());
    pass(milliseconds(1));
    EXPECT_TRUE(never->is_out());
    EXPECT_EQ(never->status, 504U);
    const AnswerPtr late = ask("GET", "/");
    collector_->tick();
    EXPECT_EQ(late->status, 504U);
}

class WaitForwardedOfTwo : public WaitForwarded {
protected:
    WaitForwardedOfTwo() : WaitForwarded(2) {}
};

TEST_F(WaitForwardedOfTwo, WaitsForEachPartitionAndForRepeatsToo) {
    std::string body;
    for (const char c : std::string("abcdefgh")) body += raid(std::string(1, c));
    const AnswerPtr answer = ask("POST", "/events", body);
    const auto first = static_cast<std::int64_t>(partition(0).events.size());
    const auto second = static_cast<std::int64_t>(partition(1).events.size());
    ASSERT_TRUE(first > 1 && second > 1);
    collector_->forwarded({Offset{first}, Offset{second - 1}});
    EXPECT_FALSE(answer->is_out());
    const AnswerPtr again = post("/events", body);
    EXPECT_FALSE(again->is_out()) << "one of them is not";
    collector_->forwarded({Offset{first}, Offset{second}});
    EXPECT_TRUE(answer->is_out() && again->is_out());
    EXPECT_EQ(log_.durable_events(), 8U);
}

/// Behind a real server, whose stop cuts off what has not been answered in the end.
class StopOfWaits : public ServedCollectorTest {
protected:
    StopOfWaits() { serve(waits_for_forwarding({})); }
    ~StopOfWaits() override { stop(); }

    std::future<std::string> begin_call() {
        auto call = begin_get("/?receipt=1");
        while (!says(get("/metrics"), "\nquestlog_events_accepted_total 1\n")) {
        }
        EXPECT_FALSE(is_there(call));
        return call;
    }
    void request_stop() {
        collector_->drain();
        server_->request_stop();
    }
};

TEST_F(StopOfWaits, GivesTheAnswerThatComesInTime) {
    auto call = begin_call();
    request_stop();
    server_->post([this] { collector_->forwarded({Offset{1}}); });
    EXPECT_TRUE(says(call.get(), "200 OK"));
}

TEST_F(StopOfWaits, AnswersWhatNobodyConfirms) {
    auto call = begin_call();
    if (HasFailure()) return;
    request_stop();
    const auto ticked = std::make_shared<std::promise<void>>();
    server_->post([this, ticked] {
        collector_->tick(); // it sees the stop
        ticked->set_value();
    });
    ASSERT_EQ(ticked->get_future().wait_for(deadline), std::future_status::ready) << "the stop did not wait";
    clock_.pass(milliseconds(1'000));
    const std::string answer = call.get();
    EXPECT_TRUE(says(answer, "504 Gateway Timeout") && says(answer, "\"offset\": 0}")) << answer;
    stop();
    EXPECT_EQ(collector_->tally().unconfirmed, 1);
}

} // namespace
} // namespace questlog::collect
