#include "collect/served_collector_fixture.h"

#include <condition_variable>
#include <mutex>

/// A disk that does not answer, under a collector behind a real server: whoever does not wait for it is served. Every
/// commit is short until the disk hangs.
namespace questlog::collect {
namespace {

using std::chrono::milliseconds;

/// What syncs pass. Closed, they hang.
class Gate {
public:
    void close() {
        const std::lock_guard lock(mutex_);
        open_ = false;
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void pass() {
        std::unique_lock lock(mutex_);
        waits_ = !open_;
        changed_.notify_all();
        EXPECT_TRUE(changed_.wait_for(lock, deadline, [this] { return open_; })) << "never opened";
        waits_ = false;
    }
    void wait_for_one() {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, deadline, [this] { return waits_; })) << "no sync hangs";
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    bool waits_ = false;
};

class HungDisk : public ServedCollectorTest {
protected:
    static CollectorOptions waits_two_seconds() {
        CollectorOptions options;
        options.commit_wait_max = milliseconds(2'000);
        options.inline_commit_max = std::chrono::hours(1); // no hang drives commits from the io thread
        return options;
    }
    HungDisk() {
        partition().on_sync = [this] { gate_.pass(); };
        serve(waits_two_seconds());
    }
    ~HungDisk() override { stop(); }

    void stop() {
        gate_.open();
        ServedCollectorTest::stop();
    }

    Gate gate_;
};

TEST_F(HungDisk, HoldsUpNobodyLongerThanItsLimitAndIsUsedAgainOnceItAnswers) {
    std::size_t offset = 0;
    for (int round = 0; round < 3; ++round) {
        EXPECT_TRUE(says(get("/?receipt=1"), "\"offset\": " + std::to_string(offset++) + "}"));
        gate_.close();
        auto hung = begin_get("/?receipt=1");
        gate_.wait_for_one();
        EXPECT_TRUE(says(get("/healthz"), "ok\n"));
        EXPECT_TRUE(says(get("/readyz"), "ready\n"));
        EXPECT_FALSE(is_there(hung)) << "answered before its event was durable";
        clock_.pass(milliseconds(2'001));
        ASSERT_TRUE(says(hung.get(), "the disk has not answered for 2000 ms"));
        EXPECT_TRUE(says(get("/"), "the disk does not answer"));
        EXPECT_TRUE(says(get("/healthz"), "ok\n"));
        EXPECT_TRUE(says(get("/readyz"), "503"));
        gate_.open();
        while (!says(get("/readyz"), "ready\n")) {
        }
        ++offset; // it is in the log after all
        EXPECT_TRUE(says(get("/?receipt=1"), "\"offset\": " + std::to_string(offset++) + "}"));
    }
    stop();
    EXPECT_TRUE(ended_.ok());
    EXPECT_EQ(collector_->tally().undecided, 3);
    EXPECT_EQ(collector_->tally().accepted, 6);
    EXPECT_EQ(partition().durable, offset);
}

TEST_F(HungDisk, ThatAnswersWithinItsLimitCostsNoAnswer) {
    for (int round = 0; round < 3; ++round) {
        gate_.close();
        auto hung = begin_get("/");
        gate_.wait_for_one();
        EXPECT_TRUE(says(get("/healthz"), "ok\n"));
        auto behind = begin_get("/");
        gate_.open();
        EXPECT_TRUE(says(hung.get(), "200 OK"));
        EXPECT_TRUE(says(behind.get(), "200 OK"));
    }
    stop();
    EXPECT_TRUE(ended_.ok());
    EXPECT_EQ(collector_->tally().accepted, 6);
    EXPECT_EQ(partition().durable, 6U);
}

TEST_F(HungDisk, IsWaitedForByAStop) {
    gate_.close();
    auto hung = begin_get("/");
    gate_.wait_for_one();
    EXPECT_TRUE(says(get("/healthz"), "ok\n"));
    server_->request_stop();
    clock_.pass(milliseconds(2'001));
    ASSERT_TRUE(says(hung.get(), "the disk has not answered for 2000 ms"));
    stop();
    EXPECT_TRUE(ended_.ok());
    EXPECT_EQ(partition().durable, 1U) << "run() returned while the disk was being written to";
    EXPECT_EQ(collector_->tally().undecided, 1);
}

TEST_F(HungDisk, ThatAnswersToAStopGivesItsAnswers) {
    gate_.close();
    auto hung = begin_get("/");
    gate_.wait_for_one();
    server_->request_stop();
    gate_.open();
    EXPECT_TRUE(says(hung.get(), "200 OK"));
    stop();
    EXPECT_TRUE(ended_.ok());
    EXPECT_EQ(collector_->tally().accepted, 1);
}

TEST_F(HungDisk, ThatTurnsOutToHaveFailedEndsTheServer) {
    gate_.close();
    auto hung = begin_get("/");
    gate_.wait_for_one();
    EXPECT_TRUE(says(get("/healthz"), "ok\n"));
    partition().sync_error = internal("Input/output error");
    gate_.open();
    EXPECT_EQ(hung.get(), "") << "answered although its sync failed";
    thread_.join();
    ASSERT_FALSE(ended_.ok());
    EXPECT_TRUE(says(ended_.error().message, "syncing the log"));
}

} // namespace
} // namespace questlog::collect
