#include "lake/delta_log.h"

#include "io/sim_env.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace questlog::lake {
namespace {

using duck::ValueType;

class DeltaLogTest : public ::testing::Test {
protected:
    DeltaLogTest() : DeltaLogTest(1) {}
    explicit DeltaLogTest(std::uint64_t seed) : world_(seed) {
        database_ = duck::Database::open({}).value();
        connection_ = database_->connect().value();
    }

    DeltaLog log() { return {world_.env(), "/lake/sword", "/lake/.staging"}; }
    std::string path(const std::string& name) { return "/lake/sword/_delta_log/" + name; }
    static std::string commit_name(std::int64_t version) { return fmt::format("{:020}.json", version); }

    static DeltaFile file(int number) {
        return {fmt::format("date=2026-11-25/part-id-0-{}-{}.parquet", number, number + 1),
                "2026-11-25",
                1000 + number,
                1'795'384'733'873 + number,
                3,
                fmt::format(R"({{"numRecords":3,"minValues":{{"n":{}}}}})", number)};
    }
    static DeltaCommit append(int number) {
        DeltaCommit commit;
        commit.operation = "WRITE";
        commit.add.push_back(file(number));
        commit.transactions["questlog:id:0"] = number + 1;
        if (number == 0)
            commit.metadata = DeltaMetadata{{},
                                            "sword",
                                            {{"event_type", ValueType::varchar},
                                             {"n", ValueType::bigint},
                                             {"price", ValueType::double_},
                                             {"gift", ValueType::boolean},
                                             {"at", ValueType::timestamp_tz},
                                             {"value", ValueType::blob}},
                                            {{"questlog.topic", "game \"events\""}},
                                            0};
        return commit;
    }
    /// Commits numbers [from, to), checkpoints where they are due.
    DeltaState commit_all(int from, int to, DeltaState state = {}) {
        for (int i = from; i < to; ++i) {
            EXPECT_EQ(log().commit(state, append(i)).value(), true) << i;
            EXPECT_TRUE(!DeltaLog::due(state.version) || checkpoint(state).ok());
        }
        return state;
    }
    Status checkpoint(const DeltaState& state) {
        TRY(scratch, world_.env().files.scratch_directory("/lake"));
        return log().checkpoint(*connection_, state, scratch + "/checkpoint");
    }
    Result<std::optional<DeltaState>> open() { return log().open(*connection_); }

    io::SimEnv world_;
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> connection_;
};

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
    ASSERT_TRUE(log().refresh(other).ok());
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
    ASSERT_TRUE(log().refresh(state).ok());
    ASSERT_EQ(state.files.size(), 1U);
    EXPECT_EQ(state.files[0].path, "date=2026-11-25/part one.parquet");
    EXPECT_EQ(state.files[0].rows, 6);
    ASSERT_TRUE(checkpoint(state).ok());
    EXPECT_EQ(open().value(), state);
    world_.put(path(commit_name(3)),
               R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["x"]}})");
    EXPECT_EQ(log().refresh(state).error().kind, ErrorKind::reject);
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

class DeltaLogSim : public DeltaLogTest, public ::testing::WithParamInterface<io::SimEnv::Fault> {};

/// Whatever fails in a commit or in a checkpoint: the table is as before or as after, and what was told stays.
TEST_P(DeltaLogSim, SurvivesAPowerCutAtAnyStep) {
    const DeltaState before = commit_all(0, 99);
    for (std::int64_t n = 0;; ++n) {
        io::SimEnv world(static_cast<std::uint64_t>(n) + 5);
        const DeltaLog log(world.env(), "/lake/sword", "/lake/.staging");
        ASSERT_TRUE(world.env().files.make_directories("/lake/sword/_delta_log").ok());
        for (int i = 0; i < 99; ++i) world.put(path(commit_name(i)), *world_.contents(path(commit_name(i))));
        const std::string scratch = world.env().files.scratch_directory("/lake").value() + "/checkpoint";
        DeltaState state = before;
        world.fail_operation(n, GetParam());
        const auto ninety_nine = log.commit(state, append(99));
        const auto hundred = ninety_nine.ok() ? log.commit(state, append(100)) : ninety_nine;
        if (hundred.ok()) static_cast<void>(log.checkpoint(*connection_, state, scratch));
        const bool failed = world.fault_happened();
        world.fail_nothing();
        world.power_cut();
        const auto read = DeltaLog(world.env(), "/lake/sword", "/lake/.staging").open(*connection_);
        ASSERT_TRUE(read.ok() && *read) << n << ": " << (read.ok() ? "no table" : read.error().message);
        ASSERT_GE((*read)->version, hundred.ok() ? 100 : ninety_nine.ok() ? 99 : 98) << n;
        ASSERT_EQ((*read)->files.size(), static_cast<std::size_t>((*read)->version + 1)) << n;
        ASSERT_EQ((*read)->transactions.at("questlog:id:0"), (*read)->version + 1) << n;
        ASSERT_EQ((*read)->metadata, before.metadata) << n;
        if (!failed) break;
    }
}

INSTANTIATE_TEST_SUITE_P(Faults, DeltaLogSim,
                         ::testing::Values(io::SimEnv::Fault::stop, io::SimEnv::Fault::io_error,
                                           io::SimEnv::Fault::disk_full));

} // namespace
} // namespace questlog::lake
