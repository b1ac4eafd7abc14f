#include "collect/collector_fixture.h"

/// What comes after the log takes no more, or does: as the test says.
namespace questlog::collect {
namespace {

class Refusal : public CollectorTest {
protected:
    Refusal() {
        options_.refusal = [this] {
            ++asked_;
            return reason_;
        };
        start();
    }
    void expect_refused(const AnswerPtr& answer) const {
        EXPECT_TRUE(answer->is_out());
        EXPECT_EQ(answer->status, 503U);
        EXPECT_NE(answer->extra_headers.find("Retry-After: 1"), std::string::npos);
        EXPECT_EQ(answer->body, "{\"error\": \"" + reason_ + "\"}\n");
    }

    std::string reason_;
    int asked_ = 0;
};

TEST_F(Refusal, OfAllThatBringsEventsAppendsNothing) {
    for (const bool waits : {false, true}) {
        reason_ = "the brokers are down";
        options_.wait_for_forwarding = waits;
        start();
        expect_refused(ask("GET", "/"));
        expect_refused(ask("POST", "/events", raid("c")));
        expect_refused(ask("POST", "/events", raid("a") + raid("b") + "7"));
        const AnswerPtr replayed = send("POST", "/events?replay=1", raid("a"), {{"Idempotency-Key", "k"}});
        turn();
        expect_refused(replayed);
        EXPECT_EQ(partition().batches, waits ? 1U : 0U) << "the one of the round before";
        EXPECT_EQ(collector_->tally().not_taken, 6);
        EXPECT_EQ(metric("questlog_events_rejected_total{reason=\"not_taken\"}"), waits ? "12" : "6");
        reason_.clear();
        const AnswerPtr taken = ask("POST", "/events?receipt=1", raid(waits ? "c" : "a"));
        EXPECT_EQ(taken->status, 200U);
        EXPECT_EQ(taken->body.find("duplicate"), std::string::npos) << "what was refused is not known";
        EXPECT_EQ(partition().events.size(), waits ? 2U : 1U) << "it is stored with what was refused before";
    }
}

TEST_F(Refusal, IsAskedForOnceARequest) {
    ask("GET", "/");
    EXPECT_EQ(asked_, 1);
    ask("POST", "/events", raid("a") + raid("b") + raid("c"));
    EXPECT_EQ(asked_, 2);
    EXPECT_EQ(log_.durable_events(), 4U);
}

TEST_F(Refusal, IsShownByReadiness) {
    EXPECT_EQ(get("/readyz")->status, 200U);
    reason_ = "4 GiB wait to be forwarded";
    expect_refused(get("/readyz"));
    EXPECT_EQ(get("/healthz")->status, 200U);
    reason_.clear();
    EXPECT_EQ(get("/readyz")->status, 200U);
}

TEST_F(Refusal, LeavesOtherAnswersAsTheyAre) {
    const AnswerPtr first = send("GET", "/", {}, {{"Host", "game"}, {"Idempotency-Key", "k"}});
    turn();
    ask("POST", "/events", raid("a") + raid("b"));
    reason_ = "the brokers are down";
    const AnswerPtr again = send("GET", "/", {}, {{"Host", "game"}, {"Idempotency-Key", "k"}});
    EXPECT_EQ(again->status, 200U) << "it is stored";
    EXPECT_EQ(again->body, first->body);
    EXPECT_EQ(ask("POST", "/events", raid("b") + raid("a"))->body,
              "{\"accepted\": 2, \"rejected\": 0, \"duplicates\": 2}\n");
    EXPECT_EQ(post("/trade", "{}")->status, 400U);
    EXPECT_EQ(post("/events", "7")->status, 400U);
    EXPECT_EQ(get("/nowhere")->status, 404U);
}

} // namespace
} // namespace questlog::collect
