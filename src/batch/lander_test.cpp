#include "batch/lander_fixture.h"

namespace questlog::batch {
namespace {

using Rows = std::vector<std::string>;

class LanderTest : public LanderFixture {};

TEST_F(LanderTest, EachTypeHasATableWithItsEventsAsTypedRows) {
    append({event("purchase_sword", 1, R"(, "price": 2.5)"), event("default", 2), "no JSON",
            event("purchase_sword", 3, R"(, "Host": "a")")});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(store_->names().value(), (Rows{"dead_letters", "default_event", "purchase_sword"}));
    EXPECT_EQ(rows("purchase_sword",
                   "SELECT event_type, n, price, \"Host\", _rescued_data, _timestamp, _partition, _offset "
                   "FROM %s ORDER BY ALL"),
              (Rows{"purchase_sword|1|2.5|NULL|NULL|2026-11-22 12:00:00+00|0|0",
                    "purchase_sword|3|NULL|a|NULL|2026-11-22 12:00:00.003+00|0|3"}));
    EXPECT_EQ(rows("default_event", "SELECT n, _offset FROM %s"), (Rows{"2|1"}));
    EXPECT_EQ(rows("dead_letters", R"(SELECT topic, "partition", "offset", "timestamp", reason, value FROM %s)"),
              (Rows{"game-events|0|2|2026-11-22 12:00:00.002+00|not JSON|no JSON"}));
    EXPECT_EQ(files_there("purchase_sword"), (Rows{"date=2026-11-22/part-" + reader_->topic().id + "-0-0-4.parquet"}));
    const lake::Books balanced = books();
    EXPECT_EQ(balanced.landed_to, Offset{4});
    EXPECT_EQ(balanced.records, 4);
    EXPECT_EQ(balanced.tables.at("purchase_sword").events, 2);
    EXPECT_EQ(balanced.tables.at("dead_letters").events, 1);
}

TEST_F(LanderTest, WhatIsNotDueIsNotLanded) {
    append({event("sword", 1)});
    ASSERT_TRUE(lander_->land_due().ok());
    EXPECT_FALSE(table("sword").has_value());
    world_.advance(options_.idle - std::chrono::milliseconds(1));
    ASSERT_TRUE(lander_->land_due().ok());
    EXPECT_FALSE(table("sword").has_value()) << "it is idle only a millisecond later";
    world_.advance(std::chrono::milliseconds(1));
    ASSERT_TRUE(lander_->land_due().ok());
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1"}));
    ASSERT_TRUE(lander_->land_due().ok());
    EXPECT_EQ(table("sword")->version(), 0) << "there is nothing new";
    EXPECT_EQ(cuts().front().reason, lake::CutReason::idle);
}

/// As after a clock was set back: the log's times are as late as the last was before.
TEST_F(LanderTest, WhatComesWhileTimesStandStillIsLandedByTheTimeThatPasses) {
    const std::int64_t noon = now_ms_;
    const auto append_and_land = [&](int number) {
        now_ms_ = noon;
        append({event("sword", number)});
        ASSERT_TRUE(lander_->land_due().ok());
    };
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 12; ++i) {
            append_and_land(12 * round + i);
            EXPECT_EQ(cuts().size(), static_cast<std::size_t>(round)) << i;
            world_.advance((options_.limits.time + options_.idle) / 12);
        }
        append_and_land(-1 - round);
        ASSERT_EQ(cuts().size(), static_cast<std::size_t>(round + 1));
        EXPECT_EQ(cuts().back().reason, lake::CutReason::idle);
        EXPECT_EQ(cuts().back().to, reader_->partition(Partition{0}).end_offset().value());
    }
}

TEST_F(LanderTest, ALogIsCutByTimeAndDayWhetherItIsLandedAsItComesOrLater) {
    for (int i = 0; i < 5; ++i) {
        append({event("sword", i)});
        now_ms_ += 30'000;
    }
    now_ms_ += 12 * 3'600'000;
    append({event("sword", 5)});
    ASSERT_TRUE(lander_->land_due().ok());
    std::vector<std::string> stretches;
    for (const lake::PlannedCut& cut : cuts())
        stretches.push_back(fmt::format("{}..{} {}", cut.from, cut.to, cut.date));
    EXPECT_EQ(stretches, (Rows{"0..2 2026-11-22", "2..4 2026-11-22", "4..5 2026-11-22"}));
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(cuts().back().date, "2026-11-23");
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"0", "1", "2", "3", "4", "5"}));
    EXPECT_EQ(files_there("sword").size(), 4U);
}

TEST_F(LanderTest, ColumnsArePinnedAndNewKeysAreAdded) {
    append({event("sword", 1, R"(, "price": 5)")});
    ASSERT_TRUE(lander_->land_all().ok());
    append({event("sword", 2, R"(, "price": "free", "a.b": true)")});
    ASSERT_TRUE(lander_->land_all().ok());
    reopen();
    append({event("sword", 3, R"(, "price": 7, "a.b": 0)")});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(rows("sword", "SELECT n, price, a_x2E_b, _rescued_data FROM %s"),
              (Rows{"1|5|NULL|NULL", R"(2|NULL|true|{"price": "free"})", R"(3|7|NULL|{"a.b": 0})"}));
    const auto columns = table("sword")->columns();
    ASSERT_EQ(columns.size(), 4U);
    EXPECT_EQ(columns[3], (lake::ContinuousColumn{"a_x2E_b", "a.b", event::ColumnType::boolean}));
}

TEST_F(LanderTest, ASecondLanderGoesOnWhereTheFirstHasBeen) {
    append({event("sword", 1)});
    const auto other = make_lander();
    ASSERT_TRUE(other->land_all().ok());
    append({event("sword", 2)});
    ASSERT_TRUE(lander_->land_all().ok());
    append({event("sword", 3)});
    ASSERT_TRUE(other->land_all().ok());
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "2", "3"}));
}

TEST_F(LanderTest, ATableThatDoesNotBalanceIsStoppedAndTheOthersGoOn) {
    std::vector<std::string> stopped;
    events_.on_stopped = [&](const std::string& name, const Error&) { stopped.push_back(name); };
    std::vector<std::string> resumed;
    events_.on_resumed = [&](const std::string& name) { resumed.push_back(name); };
    append({event("sword", 1), event("guild", 1)});
    lander_ = make_lander();
    ASSERT_TRUE(lander_->land_all().ok());
    const std::string commit = "/data/lake/events/sword/_delta_log/00000000000000000000.json";
    const std::string bytes = *world_.contents(commit);
    world_.remove(commit);
    reopen();
    append({event("sword", 2), event("guild", 2)});
    ASSERT_TRUE(lander_->land_all().ok());
    append({event("sword", 3), event("guild", 3)});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(stopped, (Rows{"sword"}));
    EXPECT_EQ(books().tables.at("sword").stopped_at, Offset{2});
    EXPECT_NE(books().tables.at("sword").reason.find("1 rows of topic game-events [0], and 2 events"),
              std::string::npos)
        << books().tables.at("sword").reason;
    EXPECT_EQ(rows("guild", "SELECT n FROM %s"), (Rows{"1", "2", "3"}));
    world_.put(commit, bytes); // as it was
    reopen();
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(resumed, (Rows{"sword"}));
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "2", "3"}));
    EXPECT_EQ(books().tables.at("sword").stopped_at, std::nullopt);
    EXPECT_EQ(books().tables.at("sword").events, 3);
}

TEST_F(LanderTest, WhatAnotherProgramRemovesWhileItRunsIsMissedInTheBooks) {
    std::string why;
    events_.on_stopped = [&](const std::string&, const Error& error) { why = error.message; };
    lander_ = make_lander();
    for (int i = 0; i < 3; ++i) {
        append({event("sword", i), event("sword", i)});
        ASSERT_TRUE(lander_->land_all().ok());
    }
    world_.put("/data/lake/events/sword/_delta_log/00000000000000000003.json",
               fmt::format(R"({{"remove":{{"path":"{}","deletionTimestamp":4102444800000,"dataChange":true}}}})",
                           table("sword")->files().at(1).path));
    append({event("sword", 3)});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_NE(why.find("5 rows of topic game-events [0], and 7 events"), std::string::npos) << why;
}

TEST_F(LanderTest, WhatItKeepsOfATableDoesNotGrowWithItsFiles) {
    append({event("sword", 0)});
    ASSERT_TRUE(lander_->land_all().ok());
    lake::ContinuousTable kept = store_->make("sword", {"game-events", "sword", false});
    for (int i = 1; i < 4; ++i) {
        ASSERT_TRUE(store_->refresh(*connection_, kept).ok());
        EXPECT_TRUE(kept.files().empty());
        EXPECT_EQ(kept.rows(), i);
        EXPECT_EQ(kept.rows_of(reader_->topic().id, Partition{0}), i);
        append({event("sword", i)});
        ASSERT_TRUE(lander_->land_all().ok());
    }
    EXPECT_EQ(table("sword")->files().size(), 4U);
}

TEST_F(LanderTest, BooksThatWereRemovedAreCountedAnewFromTheCuts) {
    for (int i = 0; i < 3; ++i) {
        append({event("sword", i)});
        ASSERT_TRUE(lander_->land_all().ok());
    }
    world_.remove(records().directory() + "/books");
    reopen();
    append({event("sword", 3)});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(books().tables.at("sword").reason, "");
    EXPECT_EQ(books().tables.at("sword").events, 4);
    EXPECT_EQ(rows("sword", "SELECT n FROM %s ORDER BY n"), (Rows{"0", "1", "2", "3"}));
}

TEST_F(LanderTest, BeyondTheLastTableEventsAreDeadLetters) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < limits::continuous_tables_max + 2; ++i)
        values.push_back(event(fmt::format("type{}", i), 1));
    append(values);
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(rows("dead_letters", R"(SELECT "offset", reason FROM %s)"),
              (Rows{"1000|too many event types", "1001|too many event types"}));
    EXPECT_FALSE(table("type1000").has_value());
    append({event("type1001", 2), event("type7", 2)});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(rows("dead_letters", "SELECT count(*) FROM %s"), (Rows{"3"}));
    EXPECT_EQ(rows("type7", "SELECT n FROM %s"), (Rows{"1", "2"}));
}

class PartitionedLanderTest : public LanderFixture {
protected:
    PartitionedLanderTest() : LanderFixture(1, 3) {}
};

TEST_F(PartitionedLanderTest, PartitionsHaveTheirOwnCutsAndOneTable) {
    append({event("sword", 1)}, Partition{2});
    append({event("sword", 2), event("sword", 3)}, Partition{0});
    ASSERT_TRUE(lander_->land_all().ok());
    append({event("sword", 4)}, Partition{2});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(rows("sword", "SELECT n, _partition, _offset FROM %s ORDER BY n"),
              (Rows{"1|2|0", "2|0|0", "3|0|1", "4|2|1"}));
    EXPECT_EQ(table("sword")->landed_to(reader_->topic().id, Partition{2}), Offset{2});
    EXPECT_EQ(table("sword")->rows_of(reader_->topic().id, Partition{2}), 2);
    EXPECT_EQ(records(Partition{1}).books().value(), std::nullopt);
}

} // namespace

class SharedTopicTest : public LanderFixture {
protected:
    SharedTopicTest() : LanderFixture(1, 2) {}
};

TEST_F(SharedTopicTest, APartitionThatFallsToAnotherIsLeftToIt) {
    append({event("a", 1)}, Partition{0});
    append({event("a", 2)}, Partition{1});
    std::int32_t own = 0;
    options_.has = [&](Partition partition) { return partition.value == own; };
    auto one = make_lander();
    ASSERT_TRUE(one->land_all().ok());
    EXPECT_EQ(one->landed(), (std::vector<Offset>{Offset{1}, Offset{0}}));
    ASSERT_TRUE(lander_->land_all().ok()); // another process's, to which all falls
    ASSERT_TRUE(one->land_all().ok());
    EXPECT_EQ(one->landed(), (std::vector<Offset>{Offset{1}, Offset{1}})) << "it sees what the other one did";
    append({event("a", 3)}, Partition{1});
    own = 1;
    ASSERT_TRUE(one->land_all().ok());
    EXPECT_EQ(one->landed(), (std::vector<Offset>{Offset{1}, Offset{2}})) << "it goes on where the other one was";
}

} // namespace questlog::batch
