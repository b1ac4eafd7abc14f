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

    /// Under /data.
    void remove(const std::string& path) { ASSERT_TRUE(world_.env().files.remove_tree("/data/" + path).ok()); }
    /// Puts a file where a folder should be.
    void block(const std::string& path) {
        const std::string whole = "/data/" + path;
        ASSERT_TRUE(world_.env().files.make_directories(whole.substr(0, whole.rfind('/'))).ok());
        ASSERT_TRUE(world_.env().files.open(whole, io::Open::create_new).ok());
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
    const auto forced = run(builtin("filtered_writes"), force_);
    ASSERT_TRUE(forced.ok());
    EXPECT_NE(forced->outputs[0].given_up.find("up to 40 events would be lost"), std::string::npos);
    EXPECT_EQ(run(builtin("filtered_writes"), force_)->outputs[0].given_up, "") << "this time nothing was lost";
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

TEST_F(RefusedJobs, aTableThatLostItsFileIsMadeAnewFromTheWholeLog) {
    append_reference_flow();
    ASSERT_TRUE(run(builtin("filtered_writes")).ok());
    remove("lake/tmp/purchases/" + opened("tmp/purchases").names.front());
    ASSERT_EQ(store_->open("tmp/purchases").error().kind, ErrorKind::corrupt);
    auto report = run(builtin("filtered_writes"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(purchases(), "purchase_sword");
    EXPECT_NE(report->outputs[0].mended.find("_SUCCESS stands there without the Parquet file"), std::string::npos);
    report = run(builtin("filtered_writes"));
    EXPECT_EQ(report->outputs[0].mended, "") << "it is sound by now";
}

TEST_F(RefusedJobs, aTableThatLostItsFileIsLeftWhereTheLogNoLongerHasItsFirstEvents) {
    append_reference_flow();
    ASSERT_TRUE(run(builtin("filtered_writes")).ok());
    remove("lake/tmp/purchases/" + opened("tmp/purchases").names.front());
    LaterLog later(*reader_, Offset{15});
    const auto run_later = [&](const RunOptions& options) -> Result<JobReport> {
        TRY(report, run_job({later, *store_, *database_}, builtin("filtered_writes"), options, events_));
        CHECK_OK(report.outcome());
        return report;
    };
    expect_refusal(run_later({}), ErrorKind::reject, "--force");
    expect_refusal(run_later({}), ErrorKind::reject, "no longer begins at its first event");
    const auto forced = run_later(force_);
    ASSERT_TRUE(forced.ok()) << forced.error().message;
    EXPECT_NE(forced->outputs[0].mended, "");
    EXPECT_EQ(opened("tmp/purchases").facts.rows, 15);
}

TEST_F(RefusedJobs, anOutputThatFailsLeavesTheOthersToBeMade) {
    append_reference_flow();
    const Job job = builtin("separate_events");
    ASSERT_EQ(job.outputs.size(), 2U);
    for (std::size_t wrong = 0; wrong < 2; ++wrong) {
        const scan::TableDeclaration& blocked = job.outputs[wrong].table;
        const scan::TableDeclaration& other = job.outputs[1 - wrong].table;
        for (const JobOutput& output : job.outputs) remove("lake/" + output.table.path);
        block("lake/" + blocked.path);
        const auto report = run_job(world(), job, {}, events_);
        ASSERT_TRUE(report.ok()) << report.error().message;
        EXPECT_FALSE(report->outputs[wrong].tally);
        ASSERT_TRUE(report->outputs[1 - wrong].tally);
        EXPECT_EQ(report->outputs[1 - wrong].tally->of(Fate::landed), 20);
        EXPECT_EQ(opened(other.path).facts.rows, 20);
        const Error outcome = report->outcome().error();
        EXPECT_EQ(exit_code_of(outcome.kind), 1);
        EXPECT_NE(outcome.message.find("1 of the 2 outputs of job separate_events failed"), std::string::npos);
        EXPECT_NE(outcome.message.find(blocked.name + ": "), std::string::npos) << outcome.message;
        EXPECT_EQ(outcome.message.find(other.name), std::string::npos) << outcome.message;
    }
}

TEST_F(RefusedJobs, anOutputThatFailsWhileItIsWrittenLeavesTheOthersToBeMade) {
    append_reference_flow();
    const Job job = builtin("separate_events");
    for (std::size_t wrong = 0; wrong < 2; ++wrong) {
        const scan::TableDeclaration& blocked = job.outputs[wrong].table;
        const scan::TableDeclaration& other = job.outputs[1 - wrong].table;
        for (const JobOutput& output : job.outputs) remove("lake/" + output.table.path);
        events_.on_preview = [&](const JobOutput& output, duck::Rows&) -> Status {
            if (output.table.name == blocked.name) block("lake/" + blocked.path);
            return {};
        };
        const auto report = run_job(world(), job, {}, events_);
        ASSERT_TRUE(report.ok()) << report.error().message;
        EXPECT_TRUE(report->outputs[wrong].failure);
        EXPECT_FALSE(report->outputs[1 - wrong].failure);
        EXPECT_EQ(opened(other.path).facts.rows, 20);
        EXPECT_NE(report->outcome().error().message.find(blocked.name + ": "), std::string::npos);
    }
}

TEST_F(RefusedJobs, whereNoOutputCanBeMadeNothingIsRead) {
    append_reference_flow();
    const Job job = builtin("separate_events");
    for (const JobOutput& output : job.outputs) block("lake/" + output.table.path);
    bool planned = false;
    events_.on_progress = [&](const Progress&) { planned = true; };
    expect_refusal(run(job), ErrorKind::reject, "2 of the 2 outputs");
    EXPECT_FALSE(planned);
}

TEST_F(RefusedJobs, aFolderThatCannotBeMadeIsItsOutputsFailure) {
    append_reference_flow();
    Job job = builtin("separate_events");
    job.outputs[0].table.path = "blocked/deep/swords";
    block("lake/blocked");
    const auto report = run_job(world(), job, {}, events_);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_TRUE(report->outputs[0].failure);
    EXPECT_EQ(opened(job.outputs[1].table.path).facts.rows, 20);
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

TEST_F(RefusedJobs, aRunIsRefusedWholeWhileOneOfItsTablesIsBeingWritten) {
    append_reference_flow();
    const Job job = builtin("separate_events");
    for (std::size_t held = 0; held < 2; ++held) {
        const auto other_job = store_->writer(job.outputs[held].table.path);
        ASSERT_TRUE(other_job.ok());
        expect_refusal(run_job(world(), job, {}, events_), ErrorKind::retry_later, "being written");
        EXPECT_FALSE(*store_->open(job.outputs[1 - held].table.path));
    }
}

TEST_F(RefusedJobs, twoOutputsDoNotShareAPath) {
    Job job = job_where("event_type = 'a'");
    job.outputs.push_back(job.outputs.front());
    job.outputs.back().at = {"questlog.toml", 12, 1};
    expect_refusal(run(job), ErrorKind::reject, "questlog.toml:12:1");
}

TEST_F(RefusedJobs, whatCannotBeShownIsNotWrittenAndEndsTheRun) {
    append_reference_flow();
    const Job job = builtin("separate_events");
    events_.on_preview = [](const JobOutput&, duck::Rows&) -> Status { return internal("standard output is closed"); };
    expect_refusal(run_job(world(), job, {}, events_), ErrorKind::internal, "standard output is closed");
    for (const JobOutput& output : job.outputs) EXPECT_FALSE(*store_->open(output.table.path));
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
