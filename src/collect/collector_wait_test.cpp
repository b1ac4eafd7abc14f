#include "collect/collector_fixture.h"

/// A disk that does not answer: nobody waits for it without end.
namespace questlog::collect {
namespace {

using std::chrono::milliseconds;

class SilentDisk : public CollectorTest {
protected:
    SilentDisk() : CollectorTest(waits_two_seconds_for_a_commit()) {
        server_.calls_block = true; // the test says how long, by disk_answers()
    }

    void pass(milliseconds time) {
        clock_.pass(time);
        collector_->tick();
        turn();
    }
    void disk_answers() {
        server_.run_posted();
        turn();
        server_.run_posted();
    }
};

TEST_F(SilentDisk, IsWaitedForWithinTheLimit) {
    const AnswerPtr answer = ask("GET", "/");
    pass(milliseconds(2'000));
    EXPECT_FALSE(answer->sent);
    disk_answers();
    EXPECT_EQ(answer->status, 200U);
}

TEST_F(SilentDisk, CostsTheRequestsOfItsCommitAnAnswerThatSaysWhatIsNotKnown) {
    const AnswerPtr answer = ask("GET", "/");
    pass(milliseconds(2'001));
    ASSERT_TRUE(answer->sent);
    EXPECT_EQ(answer->status, 503U);
    EXPECT_NE(answer->extra_headers.find("Retry-After: 1"), std::string::npos);
    EXPECT_EQ(answer->body,
              "{\"error\": \"the log takes no events: the disk has not answered for 2000 ms; whether these "
              "events are stored is not known: send them again with the same message_id\"}\n");
    EXPECT_EQ(collector_->tally().undecided, 1);
    disk_answers();
    EXPECT_EQ(collector_->tally().undecided, 1) << "it is in the log now, and its client does not know";
    EXPECT_EQ(metric("questlog_events_undecided_total"), "1");
    EXPECT_EQ(partition().durable, 1U);
    server_.told_accepted = 1; // as far as TearDown compares
}

TEST_F(SilentDisk, RefusesAtOnceWhatComesMeanwhileAndWhatWasStagedBehindIt) {
    const AnswerPtr first = ask("GET", "/");
    const AnswerPtr staged = ask("GET", "/?receipt=1");
    pass(milliseconds(2'001));
    EXPECT_TRUE(first->sent && staged->sent);
    EXPECT_EQ(staged->status, 503U);
    EXPECT_EQ(collector_->tally().log_failed, 1) << "it never went to the disk";
    EXPECT_EQ(get("/")->body, "{\"error\": \"the disk does not answer\"}\n");
    EXPECT_EQ(post("/events", R"({"event_type": "a"})")->status, 503U);
    EXPECT_EQ(collector_->tally().queue_full, 2);
    EXPECT_EQ(get("/readyz")->status, 503U);
    EXPECT_EQ(get("/healthz")->status, 200U);
    disk_answers();
    EXPECT_EQ(get("/readyz")->status, 200U);
    const AnswerPtr after = ask("GET", "/?receipt=1");
    disk_answers();
    EXPECT_EQ(after->status, 200U);
    EXPECT_NE(after->body.find("\"offset\": 1}"), std::string::npos) << "what was staged is not there: " << after->body;
    EXPECT_EQ(partition().durable, 2U);
    server_.told_accepted = 2;
}

TEST_F(SilentDisk, ThatTurnsOutToBeFullHasStoredNothing) {
    ask("GET", "/");
    pass(milliseconds(2'001));
    partition().append_error = retry_later("No space left on device");
    disk_answers();
    partition().append_error.reset();
    const AnswerPtr after = ask("GET", "/?receipt=1");
    disk_answers();
    EXPECT_NE(after->body.find("\"offset\": 0}"), std::string::npos) << after->body;
}

TEST_F(SilentDisk, ThatFailsInTheEndEndsTheProcess) {
    ask("GET", "/");
    pass(milliseconds(2'001));
    partition().sync_error = internal("Input/output error");
    disk_answers();
    EXPECT_TRUE(server_.failure);
}

} // namespace
} // namespace questlog::collect
