#include "batch/run_fixture.h"

namespace questlog::batch {
namespace {

class RefusedJobs : public JobFixture {
protected:
    void expect_refusal(const Result<JobReport>& report, ErrorKind kind, const std::string& text) {
        ASSERT_FALSE(report.ok());
        EXPECT_EQ(report.error().kind, kind);
        EXPECT_NE(report.error().message.find(text), std::string::npos) << report.error().message;
    }

    /// A table as a job over `log_id` would have left it.
    void landed_before(const std::string& log_id, std::int64_t from, std::int64_t to) {
        lake::SnapshotFacts facts;
        facts.log_id = log_id;
        facts.topic = "game-events";
        facts.ranges = {{0, Offset{from}, Offset{to}}};
        facts.examined = to - from;
        ASSERT_TRUE(store_->overwrite("tmp/purchases", *connection_, "SELECT 'old' AS event_type", facts).ok());
    }

    std::string purchases() { return ask("tmp/purchases", "SELECT max(event_type) FROM %s"); }
    const RunOptions force_{.force = true};
};

TEST_F(RefusedJobs, aTableOfAnotherLogIsLeftUnlessForced) {
    append_reference_flow();
    landed_before("another log", 0, 10);
    expect_refusal(run(builtin("filtered_writes")), ErrorKind::reject, "another log");
    EXPECT_EQ(purchases(), "old");
    ASSERT_TRUE(run(builtin("filtered_writes"), force_).ok());
    EXPECT_EQ(purchases(), "purchase_sword");
}

TEST_F(RefusedJobs, aTableThatHoldsMoreThanTheLogIsLeftUnlessForced) {
    append_reference_flow();
    landed_before(reader_->topic().id, 0, 100);
    expect_refusal(run(builtin("filtered_writes")), ErrorKind::reject, "up to 40 events would be lost");
    EXPECT_EQ(purchases(), "old");
    ASSERT_TRUE(run(builtin("filtered_writes"), force_).ok());
}

TEST_F(RefusedJobs, aTableOfThisLogIsReplaced) {
    append_reference_flow();
    landed_before(reader_->topic().id, 0, 60);
    ASSERT_TRUE(run(builtin("filtered_writes")).ok());
    EXPECT_EQ(purchases(), "purchase_sword");
}

TEST_F(RefusedJobs, aDamagedTableIsMadeAnewFromTheLog) {
    append_reference_flow();
    ASSERT_TRUE(run(builtin("filtered_writes")).ok());
    const auto snapshot = opened("tmp/purchases");
    world_.shorten("/data/lake/tmp/purchases/" + snapshot.names.front(), snapshot.bytes - 1);
    ASSERT_EQ(store_->open("tmp/purchases").error().kind, ErrorKind::corrupt);
    ASSERT_TRUE(run(builtin("filtered_writes")).ok());
    EXPECT_EQ(purchases(), "purchase_sword");
}

TEST_F(RefusedJobs, aSecondRunIsRefusedBeforeItReads) {
    append_reference_flow();
    const auto first = store_->writer("tmp/purchases");
    ASSERT_TRUE(first.ok());
    bool planned = false;
    events_.on_progress = [&](const Progress&) { planned = true; };
    expect_refusal(run(builtin("filtered_writes")), ErrorKind::retry_later, "being written");
    EXPECT_FALSE(planned);
    EXPECT_TRUE(run(builtin("separate_events")).ok()) << "other tables are free";
}

TEST_F(RefusedJobs, twoOutputsDoNotShareAPath) {
    Job job = job_where("event_type = 'a'");
    job.outputs.push_back(job.outputs.front());
    job.outputs.back().at = {"questlog.toml", 12, 1};
    expect_refusal(run(job), ErrorKind::reject, "questlog.toml:12:1");
}

TEST_F(RefusedJobs, whatCannotBeShownIsNotWritten) {
    append_reference_flow();
    events_.on_preview = [](const JobOutput&, duck::Rows&) -> Status { return internal("standard output is closed"); };
    expect_refusal(run(builtin("filtered_writes")), ErrorKind::internal, "standard output is closed");
    EXPECT_FALSE(*store_->open("tmp/purchases"));
}

TEST_F(RefusedJobs, aFullDiskLeavesTheTablesAsTheyWere) {
    append_reference_flow();
    ASSERT_TRUE(run(builtin("separate_events")).ok());
    const std::string before = file_bytes("tmp/sword_purchases");
    append({event("purchase_sword", "c")});
    world_.fill_disk(true);
    expect_refusal(run(builtin("separate_events")), ErrorKind::retry_later, "free space");
    EXPECT_TRUE(before == file_bytes("tmp/sword_purchases"));
    world_.fill_disk(false);
    EXPECT_TRUE(run(builtin("separate_events")).ok());
}

TEST_F(RefusedJobs, aDamagedLogIsToldAndNothingIsSwappedIn) {
    append_reference_flow();
    ASSERT_TRUE(run(builtin("filtered_writes")).ok());
    const std::string before = file_bytes("tmp/purchases");
    append({event("purchase_sword", "c")});
    for (const std::string& name : world_.names("/data/log/game-events-0"))
        if (name.ends_with(".log")) world_.flip_bit("/data/log/game-events-0/" + name, 300, 2);
    const auto report = run(builtin("filtered_writes"));
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().kind, ErrorKind::corrupt) << report.error().message;
    EXPECT_TRUE(before == file_bytes("tmp/purchases"));
}

} // namespace
} // namespace questlog::batch
