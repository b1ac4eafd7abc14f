// A lander keeps what it knows of its tables from round to round. None of it is of a table that was made anew since.
#include "batch/lander_fixture.h"
#include "batch/rebuild.h"

namespace questlog::batch {
namespace {

class LandedAfterRebuild : public LanderFixture {
protected:
    explicit LandedAfterRebuild(std::int32_t partitions = 1) : LanderFixture(1, partitions) {
        options_.lock_wait = {};
        reopen();
        for (const int level : {1, 2}) land(level);
    }
    void land(int level, Partition partition = Partition{0}) {
        append({event("sword", level)}, partition);
        const Status landed = lander_->land_all();
        ASSERT_TRUE(landed.ok()) << landed.error().message;
    }
    void rebuild_now() {
        const LandingWorld world{world_.env(), *reader_, *store_,
                                 [this]() -> Result<duck::Database*> { return database_.get(); }};
        const auto made = rebuild(world, "sword", {});
        ASSERT_TRUE(made.ok()) << made.error().message;
    }
    /// A round that a rebuild keeps out, as one does that takes longer than landing waits; its end, and a round.
    void rebuild_beside_a_round() {
        {
            const auto held = records().lock({});
            ASSERT_TRUE(held.ok());
            append({event("sword", 3)});
            ASSERT_FALSE(lander_->land_all().ok());
        }
        rebuild_now();
        const Status landed = lander_->land_all();
        ASSERT_TRUE(landed.ok()) << landed.error().message;
    }
    void expect_of_the_new_table() {
        const auto opened = table("sword");
        ASSERT_TRUE(opened);
        EXPECT_EQ(opened->generation(), 1);
        for (const lake::DeltaFile& file : opened->files())
            EXPECT_TRUE(file.path.ends_with("-g1.parquet")) << file.path;
        EXPECT_EQ(files_there("sword").size(), opened->files().size()) << "no file that no commit names";
        EXPECT_FALSE(books().tables.at("sword").stopped_at) << books().tables.at("sword").reason;
    }
};

TEST_F(LandedAfterRebuild, ARoundThatWasKeptOutKnowsTheNewTable) {
    rebuild_beside_a_round();
    expect_of_the_new_table();
}

TEST_F(LandedAfterRebuild, NothingIsWrittenTwiceWhereVersionsDiffer) {
    world_.put("/data/lake/events/sword/_delta_log/00000000000000000002.json",
               R"({"commitInfo":{"operation":"SET TBLPROPERTIES","engineInfo":"Apache-Spark"}})"
               "\n");
    land(9);
    rebuild_beside_a_round();
    expect_of_the_new_table();
}

TEST_F(LandedAfterRebuild, ACheckpointIsOfTheNewTable) {
    for (int level = 3; level < 105; ++level) land(level);
    rebuild_beside_a_round();
    for (int level = 200; level < 300; ++level) land(level);
    EXPECT_GT(table("sword")->version(), 200);
    expect_of_the_new_table();
}

TEST_F(LandedAfterRebuild, AFolderThatIsGoneIsToldWithItsCure) {
    ASSERT_TRUE(world_.env().files.remove_tree("/data/lake/events/sword").ok());
    land(3);
    const lake::TableBooks& sword = books().tables.at("sword");
    EXPECT_TRUE(sword.stopped_at);
    EXPECT_NE(sword.reason.find("questlog rebuild"), std::string::npos) << sword.reason;
}

TEST_F(LandedAfterRebuild, ALakeThatIsGoneIsLandedAnewFromTheBeginning) {
    append({event("raid", 1)});
    ASSERT_TRUE(lander_->land_all().ok());
    ASSERT_TRUE(world_.env().files.remove_tree("/data/lake").ok());
    land(3);
    EXPECT_EQ(rows("sword", "SELECT n FROM %s ORDER BY n"), (std::vector<std::string>{"1", "2", "3"}));
    EXPECT_EQ(rows("raid", "SELECT n FROM %s"), std::vector<std::string>{"1"});
    EXPECT_EQ(books().landed_to, Offset{4});
}

class LandedAfterRebuildOfTwo : public LandedAfterRebuild {
protected:
    LandedAfterRebuildOfTwo() : LandedAfterRebuild(2) {}
};

TEST_F(LandedAfterRebuildOfTwo, APartitionsFirstCutKnowsTheNewTable) {
    rebuild_now();
    land(3, Partition{1});
    expect_of_the_new_table();
}

TEST_F(LandedAfterRebuildOfTwo, APartitionOfDeadLettersAloneKnowsTheNewTable) {
    append({"no JSON"}, Partition{1});
    ASSERT_TRUE(lander_->land_all().ok());
    rebuild_now();
    land(3, Partition{1});
    expect_of_the_new_table();
}

TEST_F(LandedAfterRebuildOfTwo, APartitionWhoseOnlyCutExpiredKnowsTheNewTable) {
    append({event("sword", 0)}, Partition{1});
    const auto expired = records(Partition{1}).record({Offset{0}, Offset{1}, {}, lake::CutReason::expired, "questlog"});
    ASSERT_TRUE(expired.ok()) << expired.error().message;
    ASSERT_TRUE(lander_->land_all().ok());
    land(4); // so that the table is known
    rebuild_now();
    land(3, Partition{1});
    expect_of_the_new_table();
}

TEST_F(LandedAfterRebuildOfTwo, CutsThatStandInAnotherOrderAreNotMixed) {
    const auto other = make_lander();
    land(3, Partition{1});
    append({event("sword", 4)});
    ASSERT_TRUE(other->land_all().ok());
    append({event("sword", 5)}, Partition{1});
    ASSERT_TRUE(other->land_all().ok());
    rebuild_beside_a_round();
    expect_of_the_new_table();
    EXPECT_EQ(files_there("sword").size(), 6U);
}

} // namespace
} // namespace questlog::batch
