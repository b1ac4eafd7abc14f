// How a table is found: by _last_checkpoint or without it, and with what is deleted in time.
#include "lake/delta_log_fixture.h"
#include "lake/delta_retention.h"

#include <algorithm>

namespace questlog::lake {
namespace {

using std::chrono::hours;

class DeltaLogOpenTest : public DeltaLogTest {
protected:
    static std::string checkpoint_name(std::int64_t version) {
        return fmt::format("{:020}.checkpoint.parquet", version);
    }
    std::string hint() { return world_.contents(path("_last_checkpoint")).value(); }
    void put_hint(std::string_view text) { world_.put(path("_last_checkpoint"), text); }
    bool is_there(const std::string& name) { return world_.contents(path(name)).has_value(); }
    /// How many operations on files it takes to open the table.
    std::int64_t operations_to_open() {
        const std::int64_t before = world_.operations();
        EXPECT_TRUE(open().value());
        return world_.operations() - before;
    }
    /// Commits [from, to), a day between one and the next.
    DeltaState commit_by_the_day(int from, int to, DeltaState state = {}) {
        for (int i = from; i < to; ++i) {
            state = commit_all(i, i + 1, std::move(state));
            world_.advance(hours(24));
        }
        return state;
    }
};

TEST_F(DeltaLogOpenTest, TakesNoMoreWhereMoreWasBeforeTheCheckpoint) {
    DeltaState state = commit_all(0, 104);
    const std::int64_t operations = operations_to_open();
    EXPECT_LT(operations, 40);
    state = commit_all(104, 404, std::move(state));
    EXPECT_EQ(operations_to_open(), operations);
    world_.remove(path("_last_checkpoint"));
    EXPECT_LT(operations_to_open(), operations + 5) << "by the listing";
}

TEST_F(DeltaLogOpenTest, AnOldHintLeadsToTheEndAllTheSame) {
    DeltaState state = commit_all(0, 101);
    const std::string old = hint();
    state = commit_all(101, 203, std::move(state));
    put_hint(old);
    EXPECT_EQ(open().value(), state);
}

TEST_F(DeltaLogOpenTest, AnOldHintIsNotTrustedWhereCommitsAfterItAreGone) {
    DeltaState state = commit_all(0, 101);
    const std::string old = hint();
    state = commit_all(101, 203, std::move(state));
    put_hint(old);
    for (int i = 0; i < 150; ++i)
        world_.remove(path(commit_name(i))); // as a cleanup does, of which the hint tells nothing
    EXPECT_EQ(open().value(), state);
}

TEST_F(DeltaLogOpenTest, ADamagedHintIsDoneWithout) {
    const DeltaState state = commit_all(0, 103);
    const std::string good = hint();
    for (std::size_t size = 0; size < good.size(); ++size) {
        put_hint(std::string_view(good).substr(0, size));
        ASSERT_EQ(open().value(), state) << size;
    }
    for (const char* text : {"{}", "[]", "null", R"({"version":"100"})", R"({"version":-1})", R"({"version":9})",
                             R"({"version":99999999999999999999999})", R"({"version":9223372036854775807})",
                             R"({"version":200,"size":3})"}) {
        put_hint(text);
        EXPECT_EQ(open().value(), state) << text;
    }
}

TEST_F(DeltaLogOpenTest, ACheckpointWithoutWhatMakesATableIsDoneWithout) {
    const DeltaState state = commit_all(0, 103);
    const auto parquet = [&](const std::string& select) {
        const std::string file = world_.env().files.scratch_directory("/lake").value() + "/made";
        EXPECT_TRUE(connection_->execute(fmt::format("COPY ({}) TO '{}' (FORMAT parquet)", select, file)).ok());
        world_.remove(path(checkpoint_name(100)));
        EXPECT_TRUE(world_.env().files.adopt(file, path(checkpoint_name(100))).ok());
    };
    for (const char* select : {"SELECT 1 AS a LIMIT 0", "SELECT {'appId': 'x', 'version': 1} AS txn", "SELECT 7 AS add",
                               "SELECT {'path': ''} AS add"}) {
        parquet(select);
        EXPECT_EQ(open().value(), state) << select;
    }
}

TEST_F(DeltaLogOpenTest, WhatIsOldAndNotNeededIsDeleted) {
    DeltaState state = commit_by_the_day(0, 301);
    // At version 300, commit 200 is 100 days old: what is before it goes, and the checkpoint before the last stays.
    EXPECT_FALSE(is_there(commit_name(199)));
    EXPECT_TRUE(is_there(commit_name(200)));
    EXPECT_FALSE(is_there(checkpoint_name(100)));
    EXPECT_TRUE(is_there(checkpoint_name(200)));
    EXPECT_EQ(open().value(), state);
    world_.remove(path("_last_checkpoint"));
    EXPECT_EQ(open().value(), state);
    world_.shorten(path(checkpoint_name(300)), 50);
    EXPECT_EQ(open().value(), state) << "by the checkpoint before";
}

TEST_F(DeltaLogOpenTest, WhatIsYoungIsKept) {
    DeltaState state = commit_all(0, 100);
    world_.advance(hours(24 * 29));
    state = commit_all(100, 401, std::move(state));
    EXPECT_TRUE(is_there(commit_name(0)));
    world_.advance(hours(24 * 2)); // commit 0 is 31 days old, the commit of checkpoint 100 is 2
    state = commit_all(401, 501, std::move(state));
    EXPECT_TRUE(is_there(commit_name(0))) << "a reader of version 99 needs it, which was the present 2 days ago";
    world_.advance(hours(24 * 29));
    state = commit_all(501, 601, std::move(state));
    EXPECT_FALSE(is_there(commit_name(399)));
    EXPECT_TRUE(is_there(commit_name(400))) << "checkpoint 500 was 29 days old";
    EXPECT_TRUE(is_there(checkpoint_name(400)));
    EXPECT_EQ(open().value(), state);
}

TEST_F(DeltaLogOpenTest, ATableSaysHowLongItRemembers) {
    for (const auto& [key, value, deletes] :
         {std::tuple("delta.logRetentionDuration", "interval 2 years", false),
          std::tuple("delta.logRetentionDuration", "interval 5 days", true),
          std::tuple("delta.enableExpiredLogCleanup", "false", false), std::tuple("unknown", "5", false)}) {
        ASSERT_TRUE(world_.env().files.remove_tree("/lake/sword").ok());
        DeltaCommit first = append(0);
        first.metadata->configuration[key] = value;
        DeltaState state;
        ASSERT_TRUE(log().commit(state, first).value());
        state = commit_all(1, 200, std::move(state));
        world_.advance(hours(24 * 10));
        state = commit_all(200, 301, std::move(state));
        world_.advance(hours(24 * 10));
        state = commit_all(301, 401, std::move(state));
        EXPECT_EQ(!is_there(commit_name(0)), deletes) << key << " = " << value;
    }
}

TEST_F(DeltaLogOpenTest, TheLastCheckpointIsNeverTheOnlyWay) {
    DeltaCommit first = append(0);
    first.metadata->configuration["delta.logRetentionDuration"] = "interval 0 seconds";
    DeltaState state;
    ASSERT_TRUE(log().commit(state, first).value());
    state = commit_all(1, 201, std::move(state));
    world_.advance(hours(1));
    ASSERT_TRUE(checkpoint(state).ok()); // all commits are older than what the table remembers
    EXPECT_FALSE(is_there(commit_name(99)));
    world_.shorten(path(checkpoint_name(200)), 50);
    EXPECT_EQ(open().value(), state);
}

TEST_F(DeltaLogOpenTest, AStateThatTheLogHasLeftBehindOverwritesNothing) {
    DeltaState old = commit_by_the_day(0, 50);
    DeltaState state = commit_by_the_day(50, 301, old);
    ASSERT_FALSE(is_there(commit_name(50))) << "its number is free";
    DeltaState tried = old;
    EXPECT_FALSE(log().commit(tried, append(1000)).value());
    EXPECT_FALSE(is_there(commit_name(50)));
    ASSERT_TRUE(log().refresh(*connection_, tried).ok());
    EXPECT_EQ(tried, state);
    EXPECT_TRUE(log().commit(tried, append(301)).value());
}

TEST_F(DeltaLogOpenTest, ATableThatIsGoneIsNone) {
    DeltaState state = commit_all(0, 3);
    ASSERT_TRUE(world_.env().files.remove_tree("/lake/sword").ok());
    EXPECT_FALSE(log().commit(state, append(3)).value());
    ASSERT_TRUE(log().refresh(*connection_, state).ok());
    EXPECT_EQ(state.version, -1);
    EXPECT_EQ(open().value(), std::nullopt);
}

TEST_F(DeltaLogOpenTest, RefreshingReadsWhatIsNewAlone) {
    const DeltaState state = commit_all(0, 90);
    DeltaState refreshed = state;
    std::int64_t before = world_.operations();
    ASSERT_TRUE(log().refresh(*connection_, refreshed).ok());
    EXPECT_LE(world_.operations() - before, 2) << "nothing is new";
    const DeltaState later = commit_all(90, 93, state);
    before = world_.operations();
    ASSERT_TRUE(log().refresh(*connection_, refreshed).ok());
    EXPECT_EQ(refreshed, later);
    EXPECT_LT(world_.operations() - before, 20);
}

TEST_F(DeltaLogOpenTest, ACommitIsTheSameWorkHoweverLargeTheTable) {
    DeltaState state = commit_all(0, 10);
    const auto operations_to_commit = [&](int number) {
        const std::int64_t before = world_.operations();
        EXPECT_TRUE(log().commit(state, append(number)).value());
        return world_.operations() - before;
    };
    const std::int64_t operations = operations_to_commit(10);
    state = commit_all(11, 150, std::move(state));
    EXPECT_EQ(operations_to_commit(150), operations);
}

TEST(DeltaRetention, ReadsIntervals) {
    constexpr std::int64_t day = 24 * 60 * 60 * 1000;
    EXPECT_EQ(interval_ms("interval 30 days"), 30 * day);
    EXPECT_EQ(interval_ms("7 days"), 7 * day);
    EXPECT_EQ(interval_ms("INTERVAL 1 week 12 hours"), 7 * day + day / 2);
    EXPECT_EQ(interval_ms("interval 90 minutes 1 second 5 milliseconds"), 5'401'005);
    for (const char* text : {"", "interval", "days", "3", "interval 3 moons", "-3 days", "3days", "interval 1 month"})
        EXPECT_EQ(interval_ms(text), std::nullopt) << text;
    EXPECT_EQ(tombstone_retention_ms({}), 7 * day);
    EXPECT_EQ(tombstone_retention_ms({{"delta.deletedFileRetentionDuration", "interval 2 days"}}), 2 * day);
    EXPECT_GT(tombstone_retention_ms({{"delta.deletedFileRetentionDuration", "a while"}}), 100'000 * day);
    EXPECT_EQ(log_retention_ms({}), 30 * day);
    EXPECT_EQ(log_retention_ms({{"delta.logRetentionDuration", "a while"}}), std::nullopt);
}

} // namespace
} // namespace questlog::lake
