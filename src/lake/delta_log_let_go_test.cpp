// A state that keeps nothing of what grows with the table: what it leads to is what one with all files leads to.
#include "lake/delta_log_fixture.h"

namespace questlog::lake {
namespace {

class DeltaLogLetGoTest : public DeltaLogTest {
protected:
    /// Commits numbers [from, to), and lets go of the files after each; checkpoints where they are due.
    DeltaState commit_letting_go(int from, int to, DeltaState state = {}) {
        for (int i = from; i < to; ++i) {
            state = commit_all(i, i + 1, std::move(state));
            state.let_go_of_files();
        }
        return state;
    }
    void put_commit(std::int64_t version, const std::string& lines) {
        world_.put(path(commit_name(version)),
                   R"({"commitInfo":{"operation":"OPTIMIZE","engineInfo":"other/1"}})" + ("\n" + lines));
    }
    static std::string add(const std::string& file) {
        return R"({"add":{"path":")" + file +
               R"(","partitionValues":{"date":"2026-11-25"},"size":7,"modificationTime":8,"dataChange":false}})";
    }
    static std::string remove(const std::string& file) {
        return R"({"remove":{"path":")" + file + R"(","deletionTimestamp":4102444800000,"dataChange":false}})";
    }
    std::string checkpoint_bytes(const DeltaState& state) {
        EXPECT_TRUE(checkpoint(state).ok());
        return made_checkpoint(state);
    }
    std::string made_checkpoint(const DeltaState& state) { return world_.contents(path_of(state.version)).value(); }
    std::string path_of(std::int64_t version) { return path(fmt::format("{:020}.checkpoint.parquet", version)); }
    io::Files::LibraryPath readable(const std::string& path) {
        return world_.env().files.library_path_of(path).value();
    }
    /// The checkpoint of version 100, with these columns of it.
    void rewrite_checkpoint(const std::string& columns) {
        const std::string scratch = world_.env().files.scratch_directory("/lake").value() + "/other";
        const Status copied = connection_->execute(
            fmt::format("COPY (SELECT {} FROM read_parquet({})) TO {} (FORMAT parquet)", columns,
                        duck::quote_literal(readable(path_of(100)).path), duck::quote_literal(scratch)));
        ASSERT_TRUE(copied.ok()) << copied.error().message;
        world_.remove(path_of(100));
        ASSERT_TRUE(world_.env().files.adopt(scratch, path_of(100)).ok());
    }
};

TEST_F(DeltaLogLetGoTest, ItsCheckpointsAreTheSameBytes) {
    for (const int commits : {3, 101, 201, 250}) {
        DeltaState state = commit_letting_go(0, commits);
        ASSERT_TRUE(state.files.empty());
        ASSERT_EQ(state.files_let_go, commits);
        const DeltaState all = open().value().value();
        ASSERT_EQ(all.files.size(), static_cast<std::size_t>(commits));
        const std::string bytes = DeltaLog::due(state.version) ? made_checkpoint(state) : checkpoint_bytes(state);
        const std::string hint = world_.contents(path("_last_checkpoint")).value();
        EXPECT_EQ(bytes, checkpoint_bytes(all)) << commits;
        EXPECT_EQ(hint, world_.contents(path("_last_checkpoint"))) << commits;
        EXPECT_EQ(open().value(), all) << commits;
        ASSERT_TRUE(world_.env().files.remove_tree("/lake/sword").ok());
    }
}

TEST_F(DeltaLogLetGoTest, ItsCheckpointHasTheTombstonesOfTheOneBefore) {
    DeltaState state = commit_letting_go(0, 3);
    put_commit(3, remove(file(1).path) + "\n" +
                      R"({"remove":{"path":"date=2026-11-25/old.parquet","deletionTimestamp":7,"dataChange":false}})");
    ASSERT_TRUE(log().refresh(*connection_, state).ok());
    state = commit_letting_go(4, 200, state);
    ASSERT_EQ(state.version, 199);
    state = commit_letting_go(200, 201, state); // after the checkpoint of 100, which has them
    const std::string bytes = made_checkpoint(state);
    const DeltaState all = open().value().value();
    EXPECT_EQ(all.tombstones.size(), 1U);
    EXPECT_EQ(bytes, checkpoint_bytes(all));
}

TEST_F(DeltaLogLetGoTest, ItsCheckpointHasTheRowsOfTheOneBefore) {
    const DeltaState state = commit_letting_go(0, 150);
    rewrite_checkpoint("* REPLACE (CASE WHEN add.path IS NULL THEN NULL ELSE {'path': add.path, 'partitionValues': "
                       "add.partitionValues, 'size': add.size, 'modificationTime': add.modificationTime, 'dataChange': "
                       "true, 'stats': add.stats} END AS add)");
    ASSERT_TRUE(checkpoint(state).ok());
    const auto made = readable(path_of(149));
    const auto rows = connection_->query(
        fmt::format("SELECT count(*) FROM read_parquet({}) WHERE add.dataChange", duck::quote_literal(made.path)));
    ASSERT_TRUE(rows.ok() && (*rows)->next().value() == 1);
    EXPECT_EQ((*rows)->bigint(0, 0), 101) << "they were not copied, but read and written anew";
}

TEST_F(DeltaLogLetGoTest, ACheckpointOfAnotherProgramIsReadAsSuch) {
    const DeltaState state = commit_letting_go(0, 150);
    const DeltaState all = open().value().value();
    const std::string ours = world_.contents(path_of(100)).value();
    for (const char* columns : {"add, txn, remove, protocol, \"metaData\"", "*, 1 AS more"}) {
        rewrite_checkpoint(columns);
        EXPECT_EQ(open().value(), all) << columns;
        EXPECT_EQ(checkpoint_bytes(state), checkpoint_bytes(all)) << columns;
        world_.put(path_of(100), ours);
        world_.put(path("_last_checkpoint"), R"({"version":100})");
    }
}

TEST_F(DeltaLogLetGoTest, ItsCheckpointIsOfItsVersionThoughThereAreLaterOnes) {
    const DeltaState state = commit_letting_go(0, 101);
    const DeltaState all = open().value().value();
    const std::string bytes = checkpoint_bytes(all);
    commit_letting_go(101, 205, state); // with a checkpoint of its own, which the hint names
    EXPECT_EQ(checkpoint_bytes(state), bytes);
}

TEST_F(DeltaLogLetGoTest, NoCheckpointIsMadeOfWhatDoesNotRead) {
    DeltaState state = commit_letting_go(0, 20);
    const std::string commit = world_.contents(path(commit_name(7))).value();
    for (const std::string& damaged : {std::string(), commit.substr(0, commit.find(R"({"add")"))}) {
        world_.put(path(commit_name(7)), damaged);
        EXPECT_FALSE(checkpoint(state).ok()) << damaged;
        EXPECT_EQ(world_.contents(path_of(19)), std::nullopt) << damaged;
        EXPECT_EQ(world_.contents(path("_last_checkpoint")), std::nullopt) << damaged;
    }
}

TEST_F(DeltaLogLetGoTest, NoCheckpointIsMadeOfAnotherTablesFiles) {
    for (const int commits : {20, 150}) { // read from its commits; copied from a checkpoint
        DeltaState state = commit_letting_go(0, commits);
        state.metadata.id = "of-the-table-that-was-here-before";
        EXPECT_FALSE(checkpoint(state).ok()) << commits;
        EXPECT_EQ(world_.contents(path_of(state.version)), std::nullopt) << commits;
        ASSERT_TRUE(world_.env().files.remove_tree("/lake/sword").ok());
    }
}

TEST_F(DeltaLogLetGoTest, OfItsLikesCommitsOnlyTheNewFilesAreRead) {
    DeltaState state = commit_letting_go(0, 102);
    commit_letting_go(102, 105, state);
    world_.remove(path_of(100));
    world_.remove(path(commit_name(50)));
    ASSERT_TRUE(log().refresh(*connection_, state).ok());
    EXPECT_EQ(state.version, 104);
    EXPECT_EQ(state.files, (std::vector{file(102), file(103), file(104)}));
    EXPECT_EQ(state.files_let_go, 102);
}

TEST_F(DeltaLogLetGoTest, WhatAnotherProgramDoesToFilesIsFollowedWithAllOfThem) {
    const DeltaState before = commit_letting_go(0, 3);
    for (const std::string& lines : {add("date=2026-11-25/part-id-0-1-2.parquet"), remove(file(1).path),
                                     add("date=2026-11-25/new.parquet") + "\n" + remove(file(0).path)}) {
        put_commit(3, lines);
        DeltaState state = before;
        ASSERT_TRUE(log().refresh(*connection_, state).ok());
        EXPECT_EQ(state.files_let_go, 0) << lines;
        EXPECT_EQ(state, open().value()) << lines;
        state.let_go_of_files();
        EXPECT_EQ(checkpoint_bytes(state), checkpoint_bytes(open().value().value())) << lines;
        world_.remove(path_of(3));
        world_.remove(path("_last_checkpoint"));
    }
}

TEST_F(DeltaLogLetGoTest, ACommitThatRemovesFilesTakesAllOfThem) {
    DeltaState state = commit_letting_go(0, 3);
    const DeltaState before = state;
    DeltaCommit removal;
    removal.remove.push_back(file(1).path);
    EXPECT_EQ(log().commit(state, removal).error().kind, ErrorKind::internal);
    EXPECT_EQ(state, before);
    EXPECT_EQ(world_.contents(path(commit_name(3))), std::nullopt);
}

} // namespace
} // namespace questlog::lake
