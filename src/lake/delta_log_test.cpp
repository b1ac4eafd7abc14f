#include "lake/delta_log_fixture.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace questlog::lake {
namespace {

TEST_F(DeltaLogTest, IsReadAsItWasWritten) {
    EXPECT_EQ(open().value(), std::nullopt);
    DeltaState state = commit_all(0, 3);
    EXPECT_EQ(state.version, 2);
    EXPECT_EQ(state.files, (std::vector{file(0), file(1), file(2)}));
    EXPECT_EQ(open().value(), state);
    DeltaCommit removal;
    removal.operation = "DELETE";
    removal.remove.push_back(file(1).path);
    ASSERT_TRUE(log().commit(state, removal).value());
    EXPECT_EQ(state.files, (std::vector{file(0), file(2)}));
    EXPECT_EQ(open().value(), state);
    EXPECT_EQ(state.tombstones.size(), 1U);
    EXPECT_TRUE(world_.names("/lake/.staging").empty());
}

TEST_F(DeltaLogTest, OfTwoWritersOfAVersionOneWins) {
    DeltaState one = commit_all(0, 1);
    DeltaState other = one;
    ASSERT_TRUE(log().commit(one, append(1)).value());
    const DeltaState before = other;
    EXPECT_FALSE(log().commit(other, append(2)).value());
    EXPECT_EQ(other, before);
    ASSERT_TRUE(log().refresh(*connection_, other).ok());
    EXPECT_EQ(other, one);
    EXPECT_TRUE(log().commit(other, append(2)).value());
    EXPECT_EQ(open().value()->files, (std::vector{file(0), file(1), file(2)}));
}

TEST_F(DeltaLogTest, ACheckpointSparesReadingWhatIsBeforeIt) {
    DeltaState state = commit_all(0, 105);
    EXPECT_EQ(open().value(), state);
    EXPECT_EQ(world_.contents(path("_last_checkpoint")).value_or("").substr(0, 14), R"({"version":100)");
    for (int i = 0; i <= 100; ++i) world_.remove(path(commit_name(i)));
    EXPECT_EQ(open().value(), state);
    world_.remove(path("_last_checkpoint"));
    EXPECT_EQ(open().value(), state) << "the folder tells, too";
}

TEST_F(DeltaLogTest, ADamagedCheckpointIsDoneWithout) {
    const DeltaState state = commit_all(0, 203);
    const std::string newest = path("00000000000000000200.checkpoint.parquet");
    world_.shorten(newest, 100);
    EXPECT_EQ(open().value(), state) << "by the one before";
    world_.put(path("00000000000000000100.checkpoint.parquet"), "PAR1 is not all");
    EXPECT_EQ(open().value(), state) << "by the commits alone";
    world_.remove(path(commit_name(57)));
    const auto failed = open();
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::corrupt);
    EXPECT_NE(failed.error().message.find(commit_name(57) + " is missing"), std::string::npos)
        << failed.error().message;
}

TEST_F(DeltaLogTest, ADamagedCommitIsNamed) {
    commit_all(0, 3);
    const std::string bytes = *world_.contents(path(commit_name(1)));
    for (const std::string& damaged : {std::string(), bytes.substr(0, bytes.size() / 2), std::string("[]\n")}) {
        world_.put(path(commit_name(1)), damaged);
        const auto failed = open();
        ASSERT_FALSE(failed.ok()) << damaged;
        EXPECT_EQ(failed.error().kind, ErrorKind::corrupt);
    }
}

TEST_F(DeltaLogTest, OtherWritersMayAddWhatTheyLike) {
    DeltaState state = commit_all(0, 2);
    // As an OPTIMIZE and a later property change write it.
    world_.put(path(commit_name(2)),
               R"({"commitInfo":{"operation":"OPTIMIZE"},"unknown":{"x":[1]}}
{"add":{"path":"date=2026-11-25/part%20one.parquet","partitionValues":{"date":"2026-11-25"},"size":7,"modificationTime":8,"dataChange":false,"stats":"{\"numRecords\":6}","tags":{"a":"b"}}}
{"remove":{"path":"date=2026-11-25/part-id-0-0-1.parquet","deletionTimestamp":4102444800000,"dataChange":false,"extendedFileMetadata":true}}
{"remove":{"path":"date=2026-11-25/part-id-0-1-2.parquet","deletionTimestamp":4102444800000,"dataChange":false}}
)");
    ASSERT_TRUE(log().refresh(*connection_, state).ok());
    ASSERT_EQ(state.files.size(), 1U);
    EXPECT_EQ(state.files[0].path, "date=2026-11-25/part one.parquet");
    EXPECT_EQ(state.files[0].rows, 6);
    ASSERT_TRUE(checkpoint(state).ok());
    EXPECT_EQ(open().value(), state);
    world_.put(path(commit_name(3)),
               R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["x"]}})");
    EXPECT_EQ(log().refresh(*connection_, state).error().kind, ErrorKind::reject);
}

TEST_F(DeltaLogTest, AFileThatComesBackIsNoTombstone) {
    DeltaState state = commit_all(0, 1);
    DeltaCommit removal;
    removal.remove.push_back(file(0).path);
    ASSERT_TRUE(log().commit(state, removal).value());
    DeltaCommit again;
    again.add.push_back(file(0));
    ASSERT_TRUE(log().commit(state, again).value());
    ASSERT_TRUE(checkpoint(state).ok());
    const auto read = open().value();
    EXPECT_EQ(read->files, (std::vector{file(0)}));
    EXPECT_TRUE(read->tombstones.empty());
}

TEST_F(DeltaLogTest, OldTombstonesAreForgotten) {
    DeltaState state = commit_all(0, 2);
    DeltaCommit removal;
    removal.remove.push_back(file(0).path);
    ASSERT_TRUE(log().commit(state, removal).value());
    world_.advance(std::chrono::hours(24 * 7 - 1));
    ASSERT_TRUE(checkpoint(state).ok());
    EXPECT_EQ(open().value()->tombstones.size(), 1U);
    world_.advance(std::chrono::hours(2));
    ASSERT_TRUE(checkpoint(state).ok());
    EXPECT_TRUE(open().value()->tombstones.empty());
}

} // namespace
} // namespace questlog::lake
