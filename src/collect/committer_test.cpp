#include "collect/collector_fixture.h"

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>
#include <unistd.h>

namespace questlog::collect {
namespace {

using std::chrono::microseconds;

std::set<std::string> threads() {
    std::set<std::string> all;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task"))
        all.insert(thread.path().filename());
    return all;
}

/// What the kernel says of this process's threads but those `before`: whether each sleeps, and how often it woke to
/// sleep again.
std::string threads_since(const std::set<std::string>& before) {
    std::string all;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        if (before.contains(thread.path().filename())) continue;
        std::ifstream status(thread.path() / "status");
        for (std::string line; std::getline(status, line);)
            if (line.starts_with("State:") || line.starts_with("voluntary_ctxt_switches:")) all += line + "; ";
    }
    return all;
}

class CommitterTest : public ::testing::Test {
protected:
    CommitterTest() : log_(clock_, 1), server_(log_) {}

    Committer committer(CommitOn where) {
        return Committer(clock_, where, microseconds(500), server_, [this](const CommitOutcome& outcome) {
            ++done_;
            last_ = outcome;
            done_on_ = std::this_thread::get_id();
        });
    }

    /// Commits one event whose sync takes `sync_time`; returns whether it was done within submit().
    bool commit(Committer& committer, microseconds sync_time) {
        partition().sync_time = sync_time;
        builder_.begin(partition().next_offset());
        builder_.add(TimestampMs{1}, "{}");
        const int before = done_;
        committer.submit(append_);
        if (done_ > before) return true;
        server_.wait_for_posted();
        EXPECT_EQ(done_, before + 1);
        return false;
    }
    FakePartition& partition() { return *log_.partitions.front(); }

    FakeClock clock_;
    FakeLog log_;
    FakeServer server_;
    log::BatchBuilder builder_;
    std::vector<PartitionAppend> append_{{&partition(), &builder_}};
    int done_ = 0;
    CommitOutcome last_;
    std::thread::id done_on_;
};

TEST_F(CommitterTest, CommitsShortSyncsWithinSubmit) {
    Committer committer = this->committer(CommitOn::whichever_is_better);
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(commit(committer, microseconds(60)));
    EXPECT_EQ(partition().durable, 100U);
    EXPECT_EQ(last_.sync_time, microseconds(60));
}

TEST_F(CommitterTest, LeavesTheIoThreadWhenSyncsAreLongAndComesBack) {
    Committer committer = this->committer(CommitOn::whichever_is_better);
    EXPECT_TRUE(commit(committer, microseconds(60)));
    int inline_ones = 0;
    while (commit(committer, microseconds(1'000))) ASSERT_LT(++inline_ones, 10);
    EXPECT_GT(inline_ones, 1) << "one slow sync is no slow disk";
    EXPECT_EQ(done_on_, std::this_thread::get_id()) << "done is told on the io thread";
    for (int i = 0; i < 20; ++i) EXPECT_FALSE(commit(committer, microseconds(1'000)));
    int outside = 0;
    while (!commit(committer, microseconds(60))) ASSERT_LT(++outside, 30);
    EXPECT_GT(outside, 3);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(commit(committer, microseconds(60)));
}

TEST_F(CommitterTest, DoesNotSwitchThreadsAboutTheLimit) {
    Committer committer = this->committer(CommitOn::whichever_is_better);
    while (commit(committer, microseconds(700))) {
    }
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(commit(committer, microseconds(i % 2 == 0 ? 400 : 450)));
}

TEST_F(CommitterTest, StaysWhereItIsTold) {
    Committer on_io = committer(CommitOn::io_thread);
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(commit(on_io, microseconds(10'000)));
    Committer on_own = committer(CommitOn::own_thread);
    for (int i = 0; i < 50; ++i) EXPECT_FALSE(commit(on_own, microseconds(1)));
}

TEST_F(CommitterTest, ItsThreadSleepsUntilItHasSomethingToDo) {
    const std::set<std::string> before = threads(); // a sanitizer has one of its own
    Committer committer = this->committer(CommitOn::own_thread);
    EXPECT_FALSE(commit(committer, microseconds(1)));
    std::string seen;
    int same_looks = 0;
    for (int looks = 0; same_looks < 2000; ++looks) { // some 20 ms: a thread that polls wakes, one that spins runs
        ASSERT_LT(looks, 200'000) << "never at rest: " << seen;
        const std::string now = threads_since(before);
        same_looks = now == seen && now.find("S (sleeping)") != std::string::npos ? same_looks + 1 : 0;
        seen = now;
    }
    EXPECT_FALSE(commit(committer, microseconds(1))) << "and wakes";
}

TEST_F(CommitterTest, DoesNotSyncWhatItCouldNotAppend) {
    Committer committer = this->committer(CommitOn::io_thread);
    partition().append_error = retry_later("full");
    partition().sync_error = internal("must not be reached");
    EXPECT_TRUE(commit(committer, microseconds(0)));
    EXPECT_TRUE(last_.append_error.has_value());
    EXPECT_FALSE(last_.sync_error.has_value());
}

} // namespace
} // namespace questlog::collect
