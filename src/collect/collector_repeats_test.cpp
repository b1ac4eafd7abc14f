#include "collect/collector_fixture.h"
#include "log/key_partition.h"

/// An event that is sent again with its message id: it is stored once, and answered as the first one, once that is
/// durable.
namespace questlog::collect {
namespace {

using std::chrono::milliseconds;

class Repeats : public CollectorTest {
protected:
    explicit Repeats(CollectorOptions options = on_io_thread(), std::int32_t partitions = 1)
        : CollectorTest(std::move(options), partitions) {}

    AnswerPtr buy(const std::string& id) {
        return send("GET", "/purchase_a_sword?receipt=1", {}, {{"Host", "game"}, {"Idempotency-Key", id}});
    }
};

TEST_F(Repeats, AreAnsweredAtOnceWithTheReceiptOfTheFirst) {
    ask("GET", "/");
    const AnswerPtr first = ask("POST", "/events?receipt=1", raid("a"));
    EXPECT_EQ(first->body,
              R"({"accepted": 1, "rejected": 0, "log": "AAAAAAAAAAAAAAAAAAAAAQ", "partition": 0, "offset": 1})"
              "\n");
    const AnswerPtr again = post("/events?receipt=1", raid("a"));
    EXPECT_TRUE(again->sent) << "there is nothing to wait for";
    EXPECT_EQ(again->status, 200U);
    EXPECT_EQ(again->body, R"({"accepted": 1, "rejected": 0, "duplicates": 1, "log": "AAAAAAAAAAAAAAAAAAAAAQ", )"
                           R"("partition": 0, "offset": 1})"
                           "\n");
    const AnswerPtr sword = buy("k");
    turn();
    const AnswerPtr sword_again = buy("k");
    EXPECT_NE(sword->body.find("\"offset\": 2}"), std::string::npos) << sword->body;
    EXPECT_NE(sword_again->body.find("\"offset\": 2, \"duplicate\": true}"), std::string::npos) << sword_again->body;
    EXPECT_EQ(send("GET", "/purchase_a_sword?message_id=k")->body, "\nSword Purchased!\n") << "however it is named";
    EXPECT_EQ(partition().events.size(), 3U);
    EXPECT_EQ(collector_->tally().repeated, 3);
    EXPECT_EQ(metric("questlog_events_repeated_total"), "3");
    EXPECT_EQ(metric("questlog_events_accepted_total"), "3");
}

TEST_F(Repeats, InABatchAreStoredOnce) {
    const AnswerPtr answer =
        ask("POST", "/events?receipt=1", "[" + raid("a") + "," + raid("b") + "," + raid("a") + ", 7]");
    EXPECT_EQ(answer->status, 207U);
    EXPECT_EQ(answer->body, R"({"accepted": 3, "rejected": 1, "duplicates": 1, "rejections": [{"index": 3, "reason": )"
                            R"("not a JSON object"}], "log": "AAAAAAAAAAAAAAAAAAAAAQ", "receipts": )"
                            R"([{"partition": 0, "offset": 0}, {"partition": 0, "offset": 1}, )"
                            R"({"partition": 0, "offset": 0}]})"
                            "\n");
    const AnswerPtr partly = ask("POST", "/events?receipt=1", raid("b") + raid("c"));
    EXPECT_NE(
        partly->body.find(R"("duplicates": 1, "log": "AAAAAAAAAAAAAAAAAAAAAQ", "partition": 0, "first_offset": 1)"),
        std::string::npos)
        << "they follow each other: " << partly->body;
    EXPECT_EQ(partition().events.size(), 3U);
    EXPECT_EQ(collector_->tally().repeated, 2);
}

TEST_F(Repeats, OfTheSameTurnWaitForItsCommit) {
    const AnswerPtr first = buy("k");
    const AnswerPtr again = buy("k");
    EXPECT_FALSE(again->sent);
    partition().append_error = disk_full;
    turn();
    EXPECT_EQ(first->status, 503U);
    EXPECT_EQ(again->status, 503U) << "a 200 without an event";
    partition().append_error.reset();
    const AnswerPtr third = buy("k");
    turn();
    EXPECT_NE(third->body.find("\"offset\": 0}"), std::string::npos)
        << "the first one was never stored: " << third->body;
    EXPECT_EQ(partition().events.size(), 1U);
}

TEST_F(Repeats, AreKnownAfterARestart) {
    const AnswerPtr first = buy("k");
    turn();
    start();
    const AnswerPtr again = buy("k");
    EXPECT_TRUE(again->sent);
    EXPECT_EQ(partition().events.size(), 1U);
    EXPECT_NE(again->body.find("\"offset\": 0, \"duplicate\": true}"), std::string::npos) << again->body;
}

TEST_F(Repeats, BeyondTheWindowAreNewEvents) {
    buy("k");
    turn();
    clock_.wall += 24 * 3600 * 1000;
    EXPECT_TRUE(buy("k")->sent);
    clock_.wall += 1;
    buy("k");
    turn();
    EXPECT_EQ(partition().events.size(), 2U);
    clock_.wall -= 48L * 3600 * 1000; // time does not go back within a partition
    EXPECT_TRUE(buy("k")->sent);
}

class SpreadRepeats : public Repeats {
protected:
    SpreadRepeats() : Repeats(on_io_thread(), 3) {}
};

TEST_F(SpreadRepeats, MeetInThePartitionOfTheirId) {
    for (const std::string id : {"a", "b", "c", "d", "e", "f"}) {
        for (int i = 0; i < 2; ++i) {
            const AnswerPtr answer = ask("POST", "/events?receipt=1", raid(id));
            const std::string expected = "\"partition\": " + std::to_string(log::partition_of_key(id, 3).value);
            EXPECT_NE(answer->body.find(expected), std::string::npos) << id << ": " << answer->body;
        }
    }
    EXPECT_EQ(log_.durable_events(), 6U);
}

/// A commit takes until the test says so.
class RepeatsInFlight : public Repeats {
protected:
    RepeatsInFlight() : Repeats(waits_two_seconds_for_a_commit()) { server_.calls_block = true; }

    void disk_answers() {
        server_.run_posted();
        turn();
    }
};

TEST_F(RepeatsInFlight, WaitForTheFirstOnesCommit) {
    const AnswerPtr first = buy("k");
    turn();
    const AnswerPtr again = buy("k");
    turn();
    EXPECT_FALSE(first->sent || again->sent);
    disk_answers();
    EXPECT_TRUE(first->sent && again->sent);
    EXPECT_EQ(again->status, 200U);
    EXPECT_EQ(partition().events.size(), 1U);
}

TEST_F(RepeatsInFlight, FailWithTheFirstOne) {
    partition().append_error = disk_full;
    const AnswerPtr first = buy("k");
    turn();
    const AnswerPtr again = buy("k");
    server_.run_posted();
    partition().append_error.reset();
    turn(); // nothing new is in it
    EXPECT_TRUE(first->sent && again->sent);
    EXPECT_EQ(first->status, 503U);
    EXPECT_EQ(again->status, 503U) << "a 200 without an event";
    EXPECT_EQ(partition().events.size(), 0U);
    const AnswerPtr third = buy("k");
    turn();
    disk_answers();
    EXPECT_EQ(third->status, 200U);
    EXPECT_EQ(partition().events.size(), 1U);
}

TEST_F(RepeatsInFlight, AreRefusedWhileTheDiskHangsAndKnownOnceItHasTaken) {
    const AnswerPtr first = buy("k");
    turn();
    const AnswerPtr again = buy("k"); // waits behind it
    clock_.pass(milliseconds(2'001));
    collector_->tick();
    turn();
    EXPECT_EQ(first->status, 503U);
    EXPECT_TRUE(again->sent);
    EXPECT_EQ(again->status, 503U) << "nobody knows";
    EXPECT_EQ(buy("k")->status, 503U);
    disk_answers();
    EXPECT_EQ(partition().durable, 1U);
    const AnswerPtr later = buy("k");
    EXPECT_TRUE(later->sent);
    EXPECT_EQ(later->status, 200U);
    EXPECT_EQ(partition().events.size(), 1U) << "it had been stored after all";
    server_.told_accepted = 1; // by the repeat
}

TEST_F(RepeatsInFlight, OfAnEventBehindOneThatHangsAreNotKnown) {
    buy("first");
    turn();
    const AnswerPtr behind = buy("k");
    clock_.pass(milliseconds(2'001));
    collector_->tick();
    turn(); // drops it
    EXPECT_EQ(behind->status, 503U);
    disk_answers();
    const AnswerPtr again = buy("k");
    turn();
    disk_answers();
    EXPECT_EQ(again->status, 200U);
    EXPECT_EQ(partition().events.size(), 2U) << "it was refused, and is new";
    server_.told_accepted += 1; // "first" was never told
}

} // namespace
} // namespace questlog::collect
