// A table that several logs have landed in is made anew from one of them: what the others landed is in that one no
// more.
#include "batch/lander_fixture.h"
#include "batch/rebuild.h"

namespace questlog::batch {
namespace {

using Rows = std::vector<std::string>;

class RebuildOfSeveralLogsTest : public LanderFixture {
protected:
    RebuildOfSeveralLogsTest() {
        for (const int number : {1, 2}) {
            append({event("sword", number)});
            EXPECT_TRUE(lander_->land_all().ok());
        }
        old_id_ = reader_->topic().id;
    }
    /// The topic was deleted and made anew, and the lake was kept.
    void make_log_anew() {
        lander_.reset();
        reader_.reset();
        writer_.reset();
        ASSERT_TRUE(world_.env().files.remove_tree("/data/log").ok());
        ASSERT_TRUE(topics_.create("game-events", {}).ok());
        reopen();
        append({event("sword", 3)});
        ASSERT_TRUE(lander_->land_all().ok());
        ASSERT_EQ(numbers(), (Rows{"1", "2", "3"}));
    }
    Rows numbers() { return rows("sword", "SELECT n FROM %s ORDER BY n"); }
    Result<RebuildReport> rebuild_now(bool force) {
        RebuildOptions options;
        options.force = force;
        options.topic_of = [this](const std::string& id) { return id == old_id_ ? "raids" : ""; };
        return rebuild(
            {world_.env(), *reader_, *store_, [this]() -> Result<duck::Database*> { return database_.get(); }}, "sword",
            options);
    }
    void expect_refused(const std::string& what) {
        const auto made = rebuild_now(false);
        ASSERT_FALSE(made.ok());
        EXPECT_EQ(made.error().kind, ErrorKind::reject);
        EXPECT_NE(made.error().message.find(what), std::string::npos) << made.error().message;
        EXPECT_NE(made.error().message.find("--force"), std::string::npos) << made.error().message;
    }

    std::string old_id_;
};

TEST_F(RebuildOfSeveralLogsTest, IsRefusedForWhatItWouldLose) {
    make_log_anew();
    expect_refused("2 rows of log " + old_id_ + " (topic raids), which are not in this log (topic game-events, id " +
                   reader_->topic().id);
    EXPECT_EQ(numbers(), (Rows{"1", "2", "3"}));
    EXPECT_EQ(table("sword")->generation(), 0);
}

TEST_F(RebuildOfSeveralLogsTest, TellsWhatItHasLostIfItIsForced) {
    make_log_anew();
    const auto made = rebuild_now(true);
    ASSERT_TRUE(made.ok()) << made.error().message;
    ASSERT_EQ(made->of_others.size(), 1U);
    EXPECT_EQ(made->of_others[0].log_id, old_id_);
    EXPECT_EQ(made->of_others[0].rows, 2);
    EXPECT_EQ(numbers(), (Rows{"3"}));
    const auto again = rebuild_now(false);
    ASSERT_TRUE(again.ok()) << "there is nothing of others in it now: " << again.error().message;
    EXPECT_TRUE(again->of_others.empty());
}

/// As OPTIMIZE makes one file of several, under a name of its own.
TEST_F(RebuildOfSeveralLogsTest, IsRefusedWhereFilesDoNotSayWhoseRowsTheyHave) {
    make_log_anew();
    const std::string file = table("sword")->files().back().path;
    world_.put("/data/lake/events/sword/_delta_log/00000000000000000003.json",
               fmt::format(R"({{"remove":{{"path":"{}","deletionTimestamp":4102444800000,"dataChange":false}}}})"
                           "\n"
                           R"({{"add":{{"path":"date=2026-11-22/compacted.parquet","partitionValues":)"
                           R"({{"date":"2026-11-22"}},"size":9,"modificationTime":1,"dataChange":false,)"
                           R"("stats":"{{\"numRecords\":1}}"}}}})",
                           file));
    expect_refused("it holds rows of log " + old_id_ + " (topic raids), which");
}

TEST_F(RebuildOfSeveralLogsTest, ADamagedTableIsRefusedForTheFilesThatLieThere) {
    make_log_anew();
    world_.remove("/data/lake/events/sword/_delta_log/00000000000000000000.json");
    ASSERT_FALSE(store_->open(*connection_, "sword").ok());
    expect_refused("it holds rows of log " + old_id_ + " (topic raids), which");
    ASSERT_TRUE(rebuild_now(true).ok());
    EXPECT_EQ(numbers(), (Rows{"3"}));
}

} // namespace
} // namespace questlog::batch
