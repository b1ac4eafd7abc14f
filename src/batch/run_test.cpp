#include "batch/run_fixture.h"

namespace questlog::batch {
namespace {

using Jobs = JobFixture;

TEST_F(Jobs, separateEventsMakesATypedTableOfEachKind) {
    append_reference_flow();
    const auto report = run(builtin("separate_events"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(report->outputs.size(), 2U);
    for (const OutputReport& output : report->outputs) {
        EXPECT_EQ(output.tally->of(Fate::landed), 20);
        EXPECT_EQ(output.tally->of(Fate::filtered), 40);
        EXPECT_EQ(output.tally->of(Fate::dead_lettered), 0);
        EXPECT_EQ(columns_of(output.path), (std::vector<std::string>{"Accept", "Cache-Control", "Host", "User-Agent",
                                                                     "event_type", "timestamp"}))
            << "no description: it is of other types' events";
    }
    EXPECT_EQ(report->outputs[0].path, "tmp/sword_purchases");
    EXPECT_EQ(report->outputs[1].path, "tmp/default_hits");
    EXPECT_EQ(ask("tmp/sword_purchases", R"(SELECT DISTINCT "Host" || "Cache-Control" || event_type FROM %s)"),
              "moeno-cachepurchase_sword");
    EXPECT_EQ(ask("tmp/default_hits", "SELECT min(timestamp) || ' ' || max(timestamp) FROM %s"),
              "2018-08-04 19:36:47 2018-08-04 19:36:47.029");
}

TEST_F(Jobs, aTableIsNeverAheadOfALogThatIsNotSyncedAtEachCommit) {
    sync_ = log::Sync::never;
    reopen_log("game-events");
    append_reference_flow();
    const auto report = run(builtin("separate_events"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    append_reference_flow();
    world_.power_cut();
    reopen_log("game-events");
    EXPECT_GE(reader_->partition(Partition{0}).end_offset().value(), report->range.front().to);
}

TEST_F(Jobs, theReportNamesWhatLiesInTheLake) {
    append_reference_flow();
    const auto report = run(builtin("filtered_writes"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    const OutputReport& output = report->outputs.front();
    EXPECT_EQ(world_.names("/data/lake/tmp/purchases"), (std::vector<std::string>{"_SUCCESS", output.file}));
    EXPECT_EQ(world_.contents("/data/lake/tmp/purchases/" + output.file)->size(),
              static_cast<std::size_t>(output.bytes));
    EXPECT_EQ(report->range.front().from, Offset{0});
    EXPECT_EQ(report->range.front().to, Offset{60});
    EXPECT_EQ(ask("tmp/purchases", R"(SELECT string_agg(DISTINCT "Host" ORDER BY "Host") FROM %s)"),
              "user1.comcast.com,user2.att.com");
}

TEST_F(Jobs, eachOutputIsShownAndThenWrittenInOrder) {
    append_reference_flow();
    std::vector<std::string> told;
    events_.on_schema = [&](const JobOutput& output, const scan::Relation& relation) -> Status {
        told.push_back(fmt::format("schema {} {}", output.table.name, relation.columns.size()));
        return {};
    };
    events_.on_preview = [&](const JobOutput& output, duck::Rows& rows) -> Status {
        TRY(count, rows.next());
        told.push_back(fmt::format("{} rows {} {}", count, output.table.name,
                                   world_.names("/data/lake/" + output.table.path).size()));
        return {};
    };
    ASSERT_TRUE(run(builtin("separate_events")).ok());
    EXPECT_EQ(told, (std::vector<std::string>{"20 rows sword_purchases 0", "20 rows default_hits 0"}));
    told.clear();
    append({event("purchase_sword", "a"), event("purchase_sword", "b")});
    ASSERT_TRUE(run(builtin("filtered_writes")).ok());
    EXPECT_EQ(told, (std::vector<std::string>{"schema purchases 5", "21 rows purchases 0"}))
        << "one more than are shown, so that it can be said";
}

TEST_F(Jobs, justFilteringWritesNothing) {
    append_reference_flow();
    int previews = 0;
    events_.on_preview = [&](const JobOutput&, duck::Rows&) -> Status { return ++previews, Status{}; };
    const auto report = run(builtin("just_filtering"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(previews, 1);
    EXPECT_FALSE(report->outputs.front().tally);
    EXPECT_TRUE(world_.names("/data/lake").empty());
}

TEST_F(Jobs, sameRangeSameBytes) {
    append_reference_flow();
    ASSERT_TRUE(run(builtin("separate_events")).ok());
    const std::string swords = file_bytes("tmp/sword_purchases");
    const std::string hits = file_bytes("tmp/default_hits");
    world_.advance(std::chrono::hours(1));
    ASSERT_TRUE(run(builtin("separate_events")).ok());
    EXPECT_TRUE(swords == file_bytes("tmp/sword_purchases"));
    EXPECT_TRUE(hits == file_bytes("tmp/default_hits"));
    append({event("purchase_sword", "c")});
    ASSERT_TRUE(run(builtin("separate_events")).ok());
    EXPECT_FALSE(swords == file_bytes("tmp/sword_purchases"));
}

TEST_F(Jobs, whatIsNoEventIsADeadLetter) {
    append_reference_flow();
    append({"not json", R"({"no": "type"})", R"({"event_type": 7})", R"({"event_type": "purchase_sword")", "[]"});
    const auto report = run(builtin("filtered_writes"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->outputs.front().tally->of(Fate::landed), 20);
    EXPECT_EQ(report->outputs.front().tally->of(Fate::filtered), 40);
    EXPECT_EQ(report->outputs.front().tally->of(Fate::dead_lettered), 5);
    const auto facts = opened("tmp/purchases").facts;
    EXPECT_EQ(facts.dead_lettered, 5);
    EXPECT_EQ(facts.filtered, 40);
    EXPECT_EQ(facts.examined, 65);
}

TEST_F(Jobs, theFiltersRefusalsAreCounted) {
    append_reference_flow();
    const auto report = run(job_where(R"(event_type = 'purchase_sword' AND "Host" = 'user2.att.com')"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->outputs.front().tally->of(Fate::landed), 10);
    EXPECT_EQ(report->outputs.front().tally->of(Fate::filtered), 50);
}

TEST_F(Jobs, aFilterThatIsNeverTrueMakesAnEmptyTable) {
    append_reference_flow();
    const auto report = run(job_where("event_type = 'a' AND event_type = 'b'"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->outputs.front().tally->of(Fate::landed), 0);
    EXPECT_EQ(report->outputs.front().tally->total(), 60);
}

TEST_F(Jobs, anEmptyLogMakesEmptyTables) {
    const auto report = run(builtin("separate_events"));
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->outputs.front().tally->total(), 0);
    EXPECT_EQ(world_.names("/data/lake/tmp/sword_purchases").size(), 2U);
    for (const char* column : {"Cache-Control", "Host", "timestamp"}) {
        const auto columns = columns_of("tmp/sword_purchases");
        EXPECT_NE(std::find(columns.begin(), columns.end(), column), columns.end()) << column;
    }
}

TEST_F(Jobs, typesAreInferredOverAllOfATablesEvents) {
    std::vector<std::string> values(3000, R"({"event_type": "hit", "damage": 3})");
    values.back() = R"({"event_type": "hit", "damage": 2.5})";
    append(values);
    append({R"({"event_type": "miss", "damage": "none"})"});
    ASSERT_TRUE(run(job_where("event_type = 'hit'")).ok());
    EXPECT_EQ(ask("tmp/own", "SELECT typeof(damage) FROM %s LIMIT 1"), "DOUBLE");
    EXPECT_EQ(ask("tmp/own", "SELECT sum(damage)::VARCHAR FROM %s"), "8999.5");
}

TEST_F(Jobs, allPartitionsAreLanded) {
    log::TopicOptions two;
    two.partitions = 2;
    ASSERT_TRUE(topics_.create("two", two).ok());
    reopen_log("two");
    append({event("hit", "a"), event("miss", "a")}, Partition{0});
    append({event("hit", "b"), event("hit", "c"), "no event"}, Partition{1});
    Job job = job_where("event_type = 'hit'");
    job.topic = "two";
    const auto report = run(job);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->outputs.front().tally->of(Fate::landed), 3);
    EXPECT_EQ(report->outputs.front().tally->total(), 5);
    EXPECT_EQ(ask("tmp/own", R"(SELECT string_agg("Host", '') FROM %s)"), "abc") << "in order of partition and offset";
    const auto facts = opened("tmp/own").facts;
    ASSERT_EQ(facts.ranges.size(), 2U);
    EXPECT_EQ(facts.ranges[1].to, Offset{3});
}

TEST_F(Jobs, progressIsToldToTheEnd) {
    append(std::vector<std::string>(70'000, event("purchase_sword", "a")));
    Progress planned;
    Progress written;
    events_.on_progress = [&](const Progress& progress) {
        (progress.step == Progress::Step::planning ? planned : written) = progress;
    };
    ASSERT_TRUE(run(builtin("filtered_writes")).ok());
    EXPECT_EQ(planned.total, 70'000);
    EXPECT_EQ(written.total, 70'000);
    EXPECT_GE(written.done, 65'536);
    EXPECT_EQ(written.table, "purchases");
}

} // namespace
} // namespace questlog::batch
