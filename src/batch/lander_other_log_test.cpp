// A log that was restored from an older backup has the landed one's id, and in time its offsets again: of other events.
#include "batch/lander_fixture.h"
#include "batch/rebuild.h"
#include "batch/verification.h"

namespace questlog::batch {
namespace {

using Rows = std::vector<std::string>;
using LogBackup = std::map<std::string, std::string>; ///< Bytes by path.

class LanderOfAnotherLogTest : public LanderFixture {
protected:
    void add_to(LogBackup& backup, const std::string& folder) {
        for (const std::string& name : world_.names(folder)) {
            const std::string path = folder + "/" + name;
            if (const auto bytes = world_.contents(path))
                backup.emplace(path, *bytes);
            else
                add_to(backup, path);
        }
    }
    LogBackup back_up() {
        LogBackup backup;
        add_to(backup, "/data/log");
        return backup;
    }
    void restore(const LogBackup& backup) {
        lander_.reset();
        reader_.reset();
        writer_.reset();
        EXPECT_TRUE(world_.env().files.remove_tree("/data/log").ok());
        for (const auto& [path, bytes] : backup) {
            EXPECT_TRUE(world_.env().files.make_directories(path.substr(0, path.rfind('/'))).ok());
            world_.put(path, bytes);
        }
        reopen();
    }
    void land(int number) {
        append({event("sword", number)});
        const Status landed = lander_->land_all();
        ASSERT_TRUE(landed.ok()) << landed.error().message;
    }
    LandingWorld landing_world() {
        return {world_.env(), *reader_, *store_, [this]() -> Result<duck::Database*> { return database_.get(); }};
    }
    template <class Done> static void expect_refused(const Done& done, std::string_view what) {
        ASSERT_FALSE(done.ok()) << what;
        EXPECT_EQ(done.error().kind, ErrorKind::corrupt);
        for (const std::string_view words : {std::string_view("this is not the log that was landed"), what})
            EXPECT_NE(done.error().message.find(words), std::string::npos) << done.error().message;
    }
    /// By everyone, as by a lander that starts and by one that goes on.
    void expect_refused_by_all(std::string_view what) {
        for (int round = 0; round < 2; ++round) expect_refused(lander_->land_all(), what);
        VerifyOptions options;
        options.writer = options_.writer;
        expect_refused(verify(landing_world(), options), what);
        RebuildOptions forced;
        forced.force = true;
        expect_refused(rebuild(landing_world(), "sword", forced), what);
    }
};

TEST_F(LanderOfAnotherLogTest, NothingIsLandedFromIt) {
    land(1);
    const LogBackup older = back_up();
    land(2);
    const LogBackup newer = back_up();
    const lake::Books landed = books();
    restore(older);
    expect_refused_by_all("offset 1 was landed, and the log ends at 1");
    append({event("sword", 3)});
    expect_refused_by_all("another event than the one that was landed is at offset 1");
    append({event("sword", 4)});
    expect_refused_by_all("another event than the one that was landed is at offset 1");
    EXPECT_EQ(books(), landed);
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "2"}));
    restore(newer);
    land(5);
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "2", "5"})) << "as the error says";
}

TEST_F(LanderOfAnotherLogTest, ABackupOfAllThatWasLandedIsTheSameLog) {
    land(1);
    const LogBackup backup = back_up();
    append({event("sword", 2)});
    restore(backup);
    land(3);
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "3"}));
    EXPECT_TRUE(rebuild(landing_world(), "sword", {}).ok());
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "3"}));
}

/// The lander ended before the cut was in its tables, and in the books.
TEST_F(LanderOfAnotherLogTest, ACutThatWasRecordedOfTheLogBeforeIsNotLanded) {
    land(1);
    const LogBackup older = back_up();
    const lake::Books before = books();
    land(2);
    ASSERT_TRUE(records().write_books(before).ok());
    restore(older);
    append({event("sword", 3), event("guild", 4)});
    expect_refused(lander_->land_all(), "another event than the one that was landed is at offset 1");
    EXPECT_EQ(store_->names().value(), (Rows{"sword"}));
    EXPECT_EQ(books(), before);
}

TEST_F(LanderOfAnotherLogTest, WhatAnOlderVersionLandedIsGoneOnFrom) {
    land(1);
    lake::Books older = books();
    ASSERT_TRUE(older.last);
    older.last.reset();
    lake::PlannedCut cut = cuts().front();
    EXPECT_EQ(cut.last->offset, Offset{0});
    cut.last.reset();
    world_.remove(records().directory() + "/00000000000000000000.plan");
    ASSERT_TRUE(records().record(cut).ok());
    ASSERT_TRUE(records().write_books(older).ok());
    reopen();
    land(2);
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "2"}));
    EXPECT_EQ(books().last, cuts().back().last);
    EXPECT_EQ(books().last->offset, Offset{1});
    EXPECT_TRUE(rebuild(landing_world(), "sword", {}).ok());
}

TEST_F(LanderOfAnotherLogTest, WhatIsNoEventIsAWitnessToo) {
    const LogBackup older = back_up();
    append({event("sword", 1), "no JSON"});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(books().last->offset, Offset{1});
    restore(older);
    append({event("sword", 1), "no JSON either"});
    expect_refused(lander_->land_all(), "is at offset 1");
}

} // namespace
} // namespace questlog::batch
