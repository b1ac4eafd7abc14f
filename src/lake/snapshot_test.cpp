#include "lake/snapshot_fixture.h"

#include <regex>

namespace questlog::lake {
namespace {

using Snapshots = SnapshotFixture;

TEST_F(Snapshots, aTableNeverLandedIsNone) {
    EXPECT_EQ(present(), "none");
    EXPECT_FALSE(std::filesystem::exists(root_)) << "a reader must not write";
}

TEST_F(Snapshots, aFolderLooksAsSparkLeavesIt) {
    ASSERT_TRUE(land(1, 1000).ok());
    const auto names = names_in(table_);
    ASSERT_EQ(names.size(), 2U);
    EXPECT_EQ(names[0], "_SUCCESS");
    EXPECT_EQ(std::filesystem::file_size(table_folder() + "/_SUCCESS"), 0U);
    EXPECT_TRUE(
        std::regex_match(names[1], std::regex("part-00000-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}"
                                              "-[0-9a-f]{12}-c000\\.snappy\\.parquet")))
        << names[1];
    EXPECT_EQ(names_in("tmp"), std::vector<std::string>{"sword_purchases"});
    EXPECT_EQ(litter(), std::vector<std::string>{});
}

TEST_F(Snapshots, factsComeBackAsTheyWereWritten) {
    const auto written = land(1, 1000);
    ASSERT_TRUE(written.ok()) << written.error().message;
    const auto opened = store_->open(table_);
    ASSERT_TRUE(opened.ok() && *opened);
    for (const SnapshotFacts& facts : {*written, (*opened)->facts}) {
        EXPECT_EQ(facts.log_id, "4L6g3nShT-eMCtK--X86sw");
        EXPECT_EQ(facts.topic, "game-events");
        EXPECT_EQ(facts.declaration, "5f3a");
        ASSERT_EQ(facts.ranges.size(), 2U);
        EXPECT_EQ(facts.ranges[0].from, Offset{3});
        EXPECT_EQ(facts.ranges[0].to, Offset{1006});
        EXPECT_EQ(facts.ranges[1].partition, 1);
        EXPECT_EQ(facts.rows, 1000);
        EXPECT_EQ(facts.examined, 1010);
        EXPECT_EQ(facts.dead_lettered, 2);
        EXPECT_EQ(facts.filtered, 8);
        const event::Schema schema{{"even", event::ColumnType::boolean},
                                   {"generation", event::ColumnType::string},
                                   {"half", event::ColumnType::double_},
                                   {"n", event::ColumnType::bigint}};
        EXPECT_EQ(facts.schema, schema);
    }
    EXPECT_EQ((*opened)->bytes, static_cast<std::int64_t>(std::filesystem::file_size(data_file())));
    EXPECT_EQ((*opened)->names, std::vector<std::string>{std::filesystem::path(data_file()).filename()});
    EXPECT_EQ(present(), "1000|generation 1");
}

TEST_F(Snapshots, columnNamesOfAnyTextSurvive) {
    const std::string select = R"(SELECT 1::BIGINT AS "it's ""quoted"" \ größe 🗡", 'x' AS "a,b")";
    ASSERT_TRUE(store_->overwrite(table_, *connection_, select, facts_of(20)).ok());
    const auto opened = store_->open(table_);
    ASSERT_TRUE(opened.ok() && *opened) << opened.error().message;
    EXPECT_EQ((*opened)->facts.schema[1].key, "it's \"quoted\" \\ größe 🗡");
}

TEST_F(Snapshots, noRowsStillMakeAFileWithTheColumns) {
    ASSERT_TRUE(land(1, 0).ok());
    const auto opened = store_->open(table_);
    ASSERT_TRUE(opened.ok() && *opened);
    EXPECT_EQ((*opened)->facts.rows, 0);
    EXPECT_EQ((*opened)->facts.schema.size(), 4U);
    EXPECT_EQ(names_in(table_).size(), 2U);
    EXPECT_EQ(present(), "0|");
}

TEST_F(Snapshots, sameInputSameBytes) {
    ASSERT_TRUE(land(1, 300'000).ok());
    const std::string first_name = data_file();
    const std::string first = bytes_of(first_name);
    clock_.sleep(std::chrono::hours(1));
    ASSERT_TRUE(land(1, 300'000).ok());
    EXPECT_NE(first_name, data_file()) << "each generation's file has a name of its own";
    EXPECT_TRUE(first == bytes_of(data_file()));
}

TEST_F(Snapshots, anOpenedGenerationOutlivesItsReplacement) {
    ASSERT_TRUE(land(1, 10).ok());
    const auto old = store_->open(table_);
    ASSERT_TRUE(old.ok() && *old);
    for (int generation = 2; generation < 8; ++generation) {
        clock_.sleep(2 * limits::retired_grace);
        ASSERT_TRUE(land(generation, 20).ok());
    }
    EXPECT_EQ(read((*old)->files).value(), "10|generation 1");
    EXPECT_EQ(present(), "20|generation 7");
}

TEST_F(Snapshots, replacedFilesGoWhenTheirGraceIsOver) {
    ASSERT_TRUE(land(1, 10).ok());
    ASSERT_TRUE(land(2, 10).ok());
    EXPECT_EQ(litter().size(), 2U) << "generation 1 and its _SUCCESS";
    clock_.sleep(limits::retired_grace - std::chrono::milliseconds(1));
    ASSERT_TRUE(store_->sweep().ok());
    EXPECT_EQ(litter().size(), 2U);
    clock_.sleep(std::chrono::milliseconds(1));
    ASSERT_TRUE(store_->sweep().ok());
    EXPECT_EQ(litter().size(), 0U);
    EXPECT_EQ(present(), "10|generation 2");
}

TEST_F(Snapshots, aJobInALoopDoesNotFillTheDisk) {
    for (int generation = 0; generation < 12; ++generation) ASSERT_TRUE(land(generation, 10).ok());
    EXPECT_EQ(names_in(".retired/tmp%2Fsword_purchases").size(), limits::retired_generations_max);
}

TEST_F(Snapshots, aTableHasOneWriter) {
    ASSERT_TRUE(land(1, 10).ok());
    {
        auto writer = store_->writer(table_);
        ASSERT_TRUE(writer.ok());
        const auto second = land(2, 10);
        ASSERT_FALSE(second.ok());
        EXPECT_EQ(second.error().kind, ErrorKind::retry_later);
        EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos) << second.error().message;
        EXPECT_TRUE(store_->overwrite("tmp/other", *connection_, "SELECT 1 AS n", facts_of(20)).ok());
        EXPECT_EQ(present(), "10|generation 1") << "readers need no lock";
        EXPECT_TRUE(store_->sweep().ok());
    }
    EXPECT_TRUE(land(2, 10).ok());
}

TEST_F(Snapshots, aTableDoesNotLieInsideAnother) {
    ASSERT_TRUE(land(1, 10).ok());
    const auto inside = store_->writer(table_ + "/by_day");
    ASSERT_FALSE(inside.ok());
    EXPECT_EQ(inside.error().kind, ErrorKind::reject);
}

TEST_F(Snapshots, pathsOutsideTheRootAreRefused) {
    EXPECT_EQ(store_->open("../x").error().kind, ErrorKind::reject);
    EXPECT_EQ(store_->writer("../x").error().kind, ErrorKind::reject);
}

TEST_F(Snapshots, nothingIsSwappedInThatTheCallerDoesNotAccept) {
    ASSERT_TRUE(land(1, 10).ok());
    OverwriteOptions options;
    options.accept = [](const SnapshotFacts& written) -> Status {
        return internal("{} rows are too many", written.rows);
    };
    const auto refused = land(2, 11, options);
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("11 rows are too many"), std::string::npos);
    EXPECT_EQ(present(), "10|generation 1");
    EXPECT_EQ(litter(), std::vector<std::string>{});
}

TEST_F(Snapshots, aQueryThatFailsHalfWayLeavesNothing) {
    ASSERT_TRUE(land(1, 10).ok());
    const auto failed = store_->overwrite(
        table_, *connection_,
        "SELECT CASE WHEN i = 250000 THEN error('boom') ELSE i END AS n FROM range(300000) AS t(i)", facts_of(300'000));
    ASSERT_FALSE(failed.ok());
    EXPECT_NE(failed.error().message.find("boom"), std::string::npos);
    EXPECT_EQ(present(), "10|generation 1");
    EXPECT_EQ(litter(), std::vector<std::string>{});
}

TEST_F(Snapshots, moreRowsThanEventsAreNeverSwappedIn) {
    const auto impossible = store_->overwrite(table_, *connection_, generation_select(1, 100), facts_of(50));
    ASSERT_FALSE(impossible.ok());
    EXPECT_EQ(impossible.error().kind, ErrorKind::internal);
    EXPECT_EQ(present(), "none");
}

} // namespace
} // namespace questlog::lake
