// Events that are in the log twice, by their message ids, are landed once.
#include "batch/lander_fixture.h"
#include "batch/verification.h"
#include "io/whole_file.h"

namespace questlog::batch {
namespace {

using Rows = std::vector<std::string>;

class LandedRepeats : public LanderFixture {
protected:
    void land() {
        const Status landed = lander_->land_all();
        ASSERT_TRUE(landed.ok()) << landed.error().message;
    }
    Rows swords() { return rows("sword", "SELECT n FROM %s ORDER BY _offset"); }
    std::string ids_path(int from) { return fmt::format("{}/{:020}.ids", records().directory(), from); }
};

TEST_F(LandedRepeats, TheFirstOneCounts) {
    append_with_ids({{"a", event("sword", 1)}, {"b", event("sword", 2)}, {"a", event("sword", 3)}, {"", "no JSON"}});
    append_with_ids({{"b", event("guild", 4)}, {"c", "no JSON"}, {"c", "no JSON"}});
    land();
    EXPECT_EQ(swords(), (Rows{"1", "2"}));
    EXPECT_EQ(store_->names().value(), (Rows{"dead_letters", "sword"})) << "a table of repeats alone is none";
    EXPECT_EQ(books().tables.at("sword").repeats, 1);
    EXPECT_EQ(books().tables.at("dead_letters").events, 2);
    EXPECT_EQ(books().tables.at("dead_letters").repeats, 1);
    EXPECT_EQ(books().tables.at("guild"), (lake::TableBooks{0, std::nullopt, "", 1}));
    EXPECT_EQ(books().records, 7);
    EXPECT_EQ(cuts()[0].ids, 6);
    EXPECT_EQ(cuts()[0].repeats,
              (std::vector<OffsetSpan>{{Offset{2}, Offset{3}}, {Offset{4}, Offset{5}}, {Offset{6}, Offset{7}}}));
}

TEST_F(LandedRepeats, AreKnownAcrossCutsAndStarts) {
    append_with_ids({{"a", event("sword", 1)}});
    land();
    append_with_ids({{"a", event("sword", 2)}, {"b", event("sword", 3)}});
    land();
    reopen();
    append_with_ids({{"b", event("sword", 4)}, {"a", event("sword", 5)}, {"c", event("sword", 6)}});
    land();
    EXPECT_EQ(swords(), (Rows{"1", "3", "6"}));
    EXPECT_EQ(books().tables.at("sword").repeats, 3);
}

TEST_F(LandedRepeats, AreNoneBeyondTheWindow) {
    options_.repeats = {std::chrono::milliseconds(1000), 3};
    reopen();
    append_with_ids({{"a", event("sword", 1)}});
    land();
    now_ms_ += 999; // the next comes a whole second after the first
    append_with_ids({{"a", event("sword", 2)}});
    land();
    now_ms_ += 1000;
    append_with_ids({{"a", event("sword", 3)}});
    land();
    append_with_ids({{"x", event("sword", 4)}, {"y", event("sword", 5)}, {"z", event("sword", 6)}});
    land();
    append_with_ids({{"a", event("sword", 7)}, {"z", event("sword", 8)}});
    land();
    EXPECT_EQ(swords(), (Rows{"1", "3", "4", "5", "6", "7"})) << "2 and 8 repeat";
}

TEST_F(LandedRepeats, OfWhatIsLandedAgainAreThoseThatWereRecorded) {
    append_with_ids({{"a", event("sword", 1)}, {"a", event("sword", 2)}});
    append_with_ids({{"b", event("sword", 3)}});
    land();
    const Rows before = files_there("sword");
    options_.repeats.ids = 0; // nothing would repeat now
    reopen();
    VerifyOptions verify;
    verify.writer = options_.writer;
    const auto checked = questlog::batch::verify(
        LandingWorld{world_.env(), *reader_, *store_, [this]() -> Result<duck::Database*> { return database_.get(); }},
        verify);
    ASSERT_TRUE(checked.ok()) << checked.error().message;
    EXPECT_EQ(checked->same, 1);
    EXPECT_EQ(checked->different, 0);
    EXPECT_EQ(files_there("sword"), before);
}

TEST_F(LandedRepeats, IdsThatAreDamagedOrGoneAreWrittenAnewFromTheLog) {
    append_with_ids({{"a", event("sword", 1)}, {"b", event("sword", 2)}});
    land();
    append_with_ids({{"c", event("sword", 3)}});
    land();
    ASSERT_TRUE(world_.env().files.remove_file(ids_path(0)).ok());
    ASSERT_TRUE(
        io::write_file_durably(world_.env().files, records().directory(), ids_path(2), "QLids 1\nnonsense").ok());
    reopen();
    append_with_ids(
        {{"a", event("sword", 4)}, {"b", event("sword", 5)}, {"c", event("sword", 6)}, {"d", event("sword", 7)}});
    land();
    EXPECT_EQ(swords(), (Rows{"1", "2", "3", "7"}));
}

TEST_F(LandedRepeats, IdsThatAreDamagedWhileALanderRunsAreMendedByIt) {
    append_with_ids({{"a", event("sword", 1)}});
    land();
    ASSERT_TRUE(
        io::write_file_durably(world_.env().files, records().directory(), ids_path(0), "QLids 1\nnonsense").ok());
    append_with_ids({{"a", event("sword", 2)}, {"b", event("sword", 3)}});
    const Status told = lander_->land_all();
    ASSERT_FALSE(told.ok());
    EXPECT_EQ(told.error().kind, ErrorKind::corrupt);
    EXPECT_NE(told.error().message.find(ids_path(0)), std::string::npos) << told.error().message;
    land();
    EXPECT_EQ(swords(), (Rows{"1", "3"}));
}

TEST_F(LandedRepeats, IdsThatNobodyAsksForAnyMoreAreRemoved) {
    options_.repeats = {std::chrono::milliseconds(1000), 100};
    reopen();
    for (int i = 0; i < 6; ++i) {
        append_with_ids({{fmt::format("id {}", i), event("sword", i)}});
        land();
        now_ms_ += 599;
        world_.advance(std::chrono::milliseconds(600));
    }
    std::vector<std::string> left;
    for (const std::string& name : world_.names(records().directory()))
        if (name.ends_with(".ids")) left.push_back(name.substr(17));
    EXPECT_EQ(left, (Rows{"004.ids", "005.ids"})) << "of the last 1125 ms: a second, and a margin";
}

/// As those of several producers do, whose clocks are apart.
TEST_F(LandedRepeats, AreKnownWhereTimesGoBack) {
    options_.repeats = {std::chrono::milliseconds(10'000), 100};
    reopen();
    const std::int64_t noon = now_ms_;
    append_with_ids({{"a", event("sword", 1)}});
    land();
    now_ms_ = noon + 15'000;
    append_with_ids({{"b", event("sword", 2)}});
    now_ms_ = noon + 2'000; // in the window after the first
    append_with_ids({{"a", event("sword", 3)}});
    now_ms_ = noon - std::int64_t{60} * 24 * 60 * 60 * 1000;
    append_with_ids({{"c", event("sword", 4)}, {"c", event("sword", 5)}});
    land();
    EXPECT_EQ(cuts().size(), 2U);
    now_ms_ = noon + 16'000;
    append_with_ids({{"b", event("sword", 6)}, {"c", event("sword", 7)}, {"d", event("sword", 8)}});
    land();
    EXPECT_EQ(swords(), (Rows{"1", "2", "4", "7", "8"})) << "7 comes long after the one before it";
}

TEST_F(LandedRepeats, AreKnownWhateverTheTimes) {
    const std::int64_t noon = now_ms_;
    std::int64_t n = 0;
    for (const std::int64_t time : {noon, INT64_MAX - 1, noon, INT64_MIN, noon}) {
        now_ms_ = time;
        append_with_ids({{fmt::format("id {}", time), event("sword", static_cast<int>(++n))}});
    }
    land();
    EXPECT_EQ(swords(), (Rows{"1", "2", "4"}));
    EXPECT_EQ(cuts().back().to, Offset{5});
    for (const std::int64_t time : {INT64_MIN, noon, INT64_MAX - 1}) {
        now_ms_ = time;
        append_with_ids({{fmt::format("id {}", time), event("sword", static_cast<int>(++n))}});
        land();
    }
    EXPECT_EQ(swords(), (Rows{"1", "2", "4"}));
}

} // namespace
} // namespace questlog::batch
