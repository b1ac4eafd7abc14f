// How commits end, and that every event of every request has one fate whatever happens to the log.
#include "collect/collector_fixture.h"

#include <random>
#include <semaphore>

namespace questlog::collect {
namespace {

TEST_F(CollectorTest, AFullDiskIsAnswered503AndTheNextRequestTriesAgain) {
    ask("GET", "/");
    partition().append_error = disk_full;
    const AnswerPtr first = get("/");
    const AnswerPtr second = post("/events?receipt=1", R"({"event_type":"a"})");
    turn();
    for (const AnswerPtr& answer : {first, second}) {
        EXPECT_TRUE(answer->sent);
        EXPECT_EQ(answer->status, 503U);
        EXPECT_EQ(answer->content_type, "application/json");
        EXPECT_EQ(answer->body, "{\"error\": \"the log takes no events: No space left on device\"}\n");
        EXPECT_EQ(answer->extra_headers, "Retry-After: 1\r\n");
    }
    EXPECT_EQ(collector_->tally().log_failed, 2);
    partition().append_error.reset();
    EXPECT_NE(ask("GET", "/?receipt=1")->body.find("\"offset\": 1}"), std::string::npos);
    EXPECT_EQ(partition().durable, 2U);
    EXPECT_EQ(metric("questlog_events_rejected_total{reason=\"log_failed\"}"), "2");
}

TEST_F(CollectorTest, IsNotReadyWhileTheLogTakesNothing) {
    partition().append_error = disk_full;
    ask("GET", "/");
    const AnswerPtr answer = ask("GET", "/readyz");
    EXPECT_EQ(answer->status, 503U);
    EXPECT_EQ(answer->body, "{\"error\": \"the log takes no events: No space left on device\"}\n");
    EXPECT_EQ(answer->extra_headers, "Retry-After: 1\r\n");
    EXPECT_EQ(ask("GET", "/healthz")->status, 200U);
    partition().append_error.reset();
    ask("GET", "/");
    EXPECT_EQ(ask("GET", "/readyz")->status, 200U) << "a commit has shown that it does";
}

TEST_F(CollectorTest, IsReadyAgainAfterAWhileWithoutTrafficForNothingElseCanShowIt) {
    partition().append_error = disk_full;
    ask("GET", "/");
    clock_.pass(std::chrono::milliseconds(4'999));
    EXPECT_EQ(ask("GET", "/readyz")->status, 503U);
    clock_.pass(std::chrono::milliseconds(1));
    EXPECT_EQ(ask("GET", "/readyz")->status, 200U);
    ask("GET", "/");
    EXPECT_EQ(ask("GET", "/readyz")->status, 503U);
}

TEST_F(CollectorTest, ASyncThatFailsEndsTheProcessAndNothingIsAnswered) {
    partition().sync_error = internal("Input/output error");
    const AnswerPtr answer = ask("GET", "/");
    ASSERT_TRUE(server_.failure);
    EXPECT_EQ(server_.failure->kind, ErrorKind::internal);
    EXPECT_EQ(server_.failure->message, "syncing the log: Input/output error");
    EXPECT_FALSE(answer->sent);
    EXPECT_EQ(collector_->tally().accepted, 0);
}

TEST_F(CollectorTest, ASyncOnAFullDiskEndsTheProcessTooItIsNeverRetried) {
    partition().sync_error = disk_full;
    const AnswerPtr answer = ask("GET", "/");
    EXPECT_TRUE(server_.failure);
    EXPECT_FALSE(answer->sent);
}

TEST_F(CollectorTest, AnAppendThatFailsForGoodEndsTheProcess) {
    partition().append_error = internal("Input/output error");
    const AnswerPtr answer = ask("GET", "/");
    ASSERT_TRUE(server_.failure);
    EXPECT_EQ(server_.failure->message, "writing the log: Input/output error");
    EXPECT_FALSE(answer->sent);
}

TEST_F(CollectorTest, CommitsNothingWhereNothingWasStaged) {
    EXPECT_FALSE(collector_->commit());
    get("/healthz");
    post("/events", "[7]");
    EXPECT_FALSE(collector_->commit());
    EXPECT_EQ(partition().batches, 0U);
}

class SmallQueue : public CollectorTest {
protected:
    static CollectorOptions options() {
        CollectorOptions options = on_io_thread();
        options.commit_bytes_max = 1'000;
        return options;
    }
    SmallQueue() : CollectorTest(options()) {}
};

TEST_F(SmallQueue, AnswersAtOnceWhatDoesNotFitAndTakesTheNextBatchAgain) {
    std::vector<AnswerPtr> answers;
    for (int i = 0; i < 25; ++i) answers.push_back(get("/"));
    const auto refused =
        std::count_if(answers.begin(), answers.end(), [](const AnswerPtr& answer) { return answer->sent; });
    EXPECT_GT(refused, 5);
    EXPECT_LT(refused, 15);
    EXPECT_EQ(answers.back()->status, 503U);
    EXPECT_EQ(answers.back()->extra_headers, "Retry-After: 1\r\n");
    turn();
    EXPECT_EQ(collector_->tally().queue_full, refused);
    EXPECT_EQ(partition().durable, static_cast<std::size_t>(25 - refused));
    EXPECT_EQ(ask("GET", "/")->status, 200U);
}

TEST_F(SmallQueue, TakesABodyWholeOrNotAtAll) {
    std::string body;
    for (int i = 0; i < 25; ++i) body += "{\"event_type\":\"a\"}\n";
    get("/");
    get("/");
    get("/");
    EXPECT_EQ(post("/events", body + "7\n")->status, 503U);
    EXPECT_EQ(collector_->tally().queue_full, 26);
    turn();
    EXPECT_EQ(ask("POST", "/events", body + "7\n")->status, 207U) << "an empty batch has the room";
    EXPECT_EQ(partition().durable, 28U);
}

TEST_F(SmallQueue, DoesNotAskAClientToComeBackForWhatNoBatchHolds) {
    std::string body;
    for (int i = 0; i < 30; ++i) body += "{\"event_type\":\"a\"}\n";
    const AnswerPtr answer = ask("POST", "/events", body);
    EXPECT_EQ(answer->status, 413U);
    EXPECT_EQ(answer->body, "{\"error\": \"the events are more than one commit takes: send fewer at once\"}\n");
    EXPECT_EQ(collector_->tally().unreadable_bodies, 1);
    EXPECT_EQ(partition().durable, 0U);
}

/// Commits on their own thread, held there until the test lets them go.
class HeldPartition final : public log::PartitionWriter {
public:
    explicit HeldPartition(FakePartition& held) : held_(held) {}
    [[nodiscard]] Offset next_offset() const override { return held_.next_offset(); }
    [[nodiscard]] TimestampMs max_timestamp() const override { return held_.max_timestamp(); }
    Status append(std::span<const std::byte> batch) override {
        go_.acquire();
        return held_.append(batch);
    }
    Status take_back() override { return held_.take_back(); }
    Status sync() override { return held_.sync(); }
    void let_go() { go_.release(); }

private:
    FakePartition& held_;
    std::counting_semaphore<> go_{0};
};

class HeldLog final : public log::LogWriter {
public:
    explicit HeldLog(FakeLog& log) : log_(log) {
        for (auto& partition : log.partitions) held_.push_back(std::make_unique<HeldPartition>(*partition));
    }
    [[nodiscard]] const log::Topic& topic() const override { return log_.topic(); }
    log::PartitionWriter& partition(Partition partition) override {
        return held(static_cast<std::size_t>(partition.value));
    }
    Status close() override { return {}; }
    HeldPartition& held(std::size_t index) { return *held_.at(index); }

private:
    FakeLog& log_;
    std::vector<std::unique_ptr<HeldPartition>> held_;
};

class PipelinedCommits : public CollectorTest {
protected:
    static CollectorOptions options() {
        CollectorOptions options;
        options.commit_on = CommitOn::own_thread;
        return options;
    }
    explicit PipelinedCommits(std::int32_t partitions = 1) : CollectorTest(options(), partitions), held_log_(log_) {
        collector_.reset();
        collector_ = std::make_unique<Collector>(io::Env{clock_, sim_.env().files, sim_.env().entropy}, catalogue_,
                                                 held_log_, server_, metrics_, options_, seen_ids());
    }
    /// Lets the commit in flight run to its end.
    void finish_commit(std::size_t index = 0) {
        held_log_.held(index).let_go();
        server_.wait_for_posted();
    }

    HeldLog held_log_;
};

TEST_F(PipelinedCommits, StageTheNextBatchWhileOneIsInFlightAndKnowItsOffsets) {
    const AnswerPtr first = ask("GET", "/?receipt=1");
    const AnswerPtr second = ask("GET", "/?receipt=1");
    const AnswerPtr third = ask("POST", "/events?receipt=1", R"([{"event_type":"a"},{"event_type":"b"}])");
    EXPECT_TRUE(server_.commit_in_flight());
    EXPECT_FALSE(first->sent);
    finish_commit();
    EXPECT_TRUE(first->sent);
    EXPECT_FALSE(second->sent);
    turn();
    EXPECT_FALSE(second->sent);
    finish_commit();
    EXPECT_TRUE(second->sent && third->sent);
    EXPECT_NE(first->body.find("\"offset\": 0}"), std::string::npos);
    EXPECT_NE(second->body.find("\"offset\": 1}"), std::string::npos);
    EXPECT_NE(third->body.find("\"first_offset\": 2}"), std::string::npos);
    EXPECT_EQ(partition().batches, 2U);
}

TEST_F(PipelinedCommits, FailTogetherWithTheBatchTheyFollow) {
    partition().append_error = disk_full;
    const AnswerPtr first = ask("GET", "/?receipt=1");
    const AnswerPtr second = ask("GET", "/?receipt=1");
    finish_commit();
    EXPECT_EQ(first->status, 503U);
    partition().append_error.reset();
    const AnswerPtr third = ask("GET", "/?receipt=1"); // still in the second batch, whose offsets have moved
    EXPECT_EQ(second->status, 503U);
    EXPECT_EQ(third->status, 503U);
    EXPECT_TRUE(second->sent && third->sent);
    EXPECT_NE(second->body.find("No space left"), std::string::npos);
    const AnswerPtr fourth = ask("GET", "/?receipt=1");
    finish_commit();
    EXPECT_NE(fourth->body.find("\"offset\": 0}"), std::string::npos) << fourth->body;
    EXPECT_EQ(collector_->tally().log_failed, 3);
    EXPECT_EQ(partition().durable, 1U);
}

TEST_F(PipelinedCommits, ReadTheClockForEachRequestWhileACommitIsInFlight) {
    const std::int64_t began = clock_.wall;
    ask("GET", "/");
    get("/");
    clock_.wall = began + 900;
    get("/");
    finish_commit();
    turn();
    finish_commit();
    EXPECT_EQ(partition().events.at(2).timestamp.value, began + 900);
}

TEST_F(PipelinedCommits, ASyncThatFailsOnItsThreadEndsTheProcessOnTheIoThread) {
    partition().sync_error = internal("Input/output error");
    const AnswerPtr answer = ask("GET", "/");
    finish_commit();
    EXPECT_TRUE(server_.failure);
    EXPECT_FALSE(answer->sent);
}

TEST_F(PipelinedCommits, MayBeAbandonedWithACommitInFlight) {
    const AnswerPtr answer = ask("GET", "/");
    held_log_.held(0).let_go();
    collector_ = nullptr; // waits for the thread
    server_.run_posted();
    EXPECT_FALSE(answer->sent);
    server_.failure = internal("abandoned");
    start();
}

class PipelinedPartitions : public PipelinedCommits {
protected:
    PipelinedPartitions() : PipelinedCommits(2) {}
};

TEST_F(PipelinedPartitions, OfOnePartitionDoNotFailWithAnothers) {
    partition(0).append_error = disk_full;
    const AnswerPtr first = ask("GET", "/?receipt=1");
    const AnswerPtr second = ask("GET", "/?receipt=1");
    finish_commit(0);
    turn();
    finish_commit(1);
    EXPECT_EQ(first->status, 503U);
    EXPECT_EQ(second->status, 200U);
    EXPECT_NE(second->body.find("\"partition\": 1, \"offset\": 0}"), std::string::npos);
}

/// A long random run: requests of all kinds, commits on time or late, disks that fill and empty. TearDown checks the
/// books.
class RandomTraffic : public PipelinedCommits {};

TEST_F(RandomTraffic, GivesEachEventOneFate) {
    std::mt19937 random(3); // NOLINT: a fixed seed is the point
    std::int64_t sent = 0;
    const auto roll = [&](unsigned sides) { return random() % sides; };
    for (int step = 0; step < 3'000; ++step) {
        switch (roll(8)) {
        case 0:
        case 1: get(roll(4) == 0 ? "/?receipt=maybe" : "/?receipt=1"), ++sent; break;
        case 2: post("/trade", roll(2) == 0 ? R"({"gold": 1})" : R"({"gold": null})"), ++sent; break;
        case 3: post("/events", R"([{"event_type":"a"},7,{"event_type":"b"}])"), sent += 3; break;
        case 4: post("/events", "[broken"); break;
        case 5: get("/metrics"); break;
        case 6: turn(); break;
        default:
            if (!server_.commit_in_flight() || server_.failure) break;
            if (roll(3) == 0) partition().append_error = disk_full;
            finish_commit();
            partition().append_error.reset();
        }
    }
    while (turn(), server_.commit_in_flight() && !HasFatalFailure() && !server_.failure) finish_commit();
    const Tally& tally = collector_->tally();
    EXPECT_EQ(tally.received, sent);
    EXPECT_GT(tally.accepted, 0);
    EXPECT_GT(tally.log_failed, 0);
    EXPECT_GT(tally.invalid_calls, 0);
    EXPECT_GT(tally.invalid_events, 0);
    EXPECT_EQ(metric("questlog_events_accepted_total"), std::to_string(tally.accepted));
}

} // namespace
} // namespace questlog::collect
