// Events that are not as their fields are declared are dead letters, and stay what a plan has said.
#include "batch/lander_fixture.h"
#include "batch/rebuild.h"
#include "batch/verification.h"

namespace questlog::batch {
namespace {

using Rows = std::vector<std::string>;

class LandedInvalid : public LanderFixture {
protected:
    LandedInvalid() { declare("60", event::ColumnType::bigint); }

    void declare(const std::string& most, event::ColumnType type) {
        event::EventDeclaration raid;
        raid.path = "/raid";
        raid.type = "raid";
        raid.fields = {{"n", type, true}};
        raid.fields[0].most = most;
        options_.rules = std::make_shared<event::FieldRules>(std::vector{raid});
        reopen();
    }
    LandingWorld landing_world() {
        return {world_.env(), *reader_, *store_, [this]() -> Result<duck::Database*> { return database_.get(); }};
    }
    void land() {
        const Status landed = lander_->land_all();
        ASSERT_TRUE(landed.ok()) << landed.error().message;
    }
    void expect_verified(std::int64_t same) {
        VerifyOptions options;
        options.writer = options_.writer;
        const auto report = verify(landing_world(), options);
        ASSERT_TRUE(report.ok()) << report.error().message;
        EXPECT_EQ(report->same, same);
        EXPECT_EQ(report->different, 0);
    }
    Rows dead_letters() { return rows("dead_letters", R"(SELECT "offset", reason, decode(value) FROM %s ORDER BY 1)"); }
};

TEST_F(LandedInvalid, AreDeadLettersWithTheirReason) {
    append({event("raid", 1), event("raid", 61), event("guild", 99), R"({"event_type": "raid"})"});
    land();
    EXPECT_EQ(rows("raid", "SELECT n FROM %s"), (Rows{"1"}));
    EXPECT_EQ(rows("guild", "SELECT n FROM %s"), (Rows{"99"}));
    EXPECT_EQ(dead_letters(), (Rows{R"(1|field "n": out of its range|{"event_type": "raid", "n": 61})",
                                    R"(3|field "n": required, and missing|{"event_type": "raid"})"}));
    EXPECT_EQ(books().tables.at("raid"), (lake::TableBooks{1, std::nullopt, "", 0, 2}));
    EXPECT_EQ(books().tables.at("dead_letters").events, 2);
    EXPECT_EQ(records().cut_at(Offset{0}).value()->invalid.size(), 2U);
    expect_verified(3);
}

TEST_F(LandedInvalid, StayWhatTheyWereUnderAnotherDeclaration) {
    append({event("raid", 1), event("raid", 61)});
    land();
    declare("100", event::ColumnType::double_);
    expect_verified(2);
    append({event("raid", 62)});
    land();
    EXPECT_EQ(rows("raid", "SELECT n, typeof(n) FROM %s ORDER BY 1"), (Rows{"1|BIGINT", "62|BIGINT"}))
        << "a column's type never changes";
    RebuildOptions options;
    options.rules = options_.rules;
    const auto report = rebuild(landing_world(), "raid", options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(rows("raid", "SELECT n, typeof(n) FROM %s ORDER BY 1"), (Rows{"1.0|DOUBLE", "62.0|DOUBLE"}));
    EXPECT_EQ(books().tables.at("raid"), (lake::TableBooks{2, std::nullopt, "", 0, 1}));
    EXPECT_EQ(dead_letters().size(), 1U);
}

TEST_F(LandedInvalid, AreDecidedOnceAlsoWhereACrashComesBetween) {
    append({event("raid", 1), event("raid", 61)});
    for (std::int64_t n = 0;; ++n) {
        world_.fail_operation(n, io::SimEnv::Fault::stop);
        static_cast<void>(lander_->land_all());
        const bool done = !world_.fault_happened();
        world_.fail_nothing();
        world_.crash();
        reopen();
        const bool is_recorded = !cuts().empty();
        if (is_recorded) break;
        ASSERT_FALSE(done);
    }
    declare("100", event::ColumnType::bigint); // by now it would be valid
    land();
    EXPECT_EQ(rows("raid", "SELECT n FROM %s"), (Rows{"1"}));
    EXPECT_EQ(dead_letters().size(), 1U);
}

} // namespace
} // namespace questlog::batch
