#include "scan/set_aside.h"

#include "scan/continuous.h"
#include "scan/fake_log.h"

#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

using testing::FakeLog;

OffsetSpan span(std::int64_t from, std::int64_t to) {
    return {Offset{from}, Offset{to}};
}

TEST(SetAside, ARepeatIsNoneOfTheInvalidOnes) {
    SetAside aside;
    for (const std::int64_t offset : {0, 1, 2, 5, 6, 9}) add_invalid(aside, "a", Offset{offset});
    add_invalid(aside, "b", Offset{3});
    EXPECT_EQ(aside.invalid[0].second, (std::vector{span(0, 3), span(5, 7), span(9, 10)}));
    aside.repeats = {span(1, 2), span(3, 4), span(6, 12)};
    take_out_repeats(aside);
    ASSERT_EQ(aside.invalid.size(), 1U);
    EXPECT_EQ(aside.invalid[0].second, (std::vector{span(0, 1), span(2, 3), span(5, 6)}));
    aside.repeats = {span(0, 20)};
    take_out_repeats(aside);
    EXPECT_TRUE(aside.invalid.empty());
}

TEST(SetAside, ACursorTellsEachOffset) {
    SetAside aside{{span(1, 3), span(8, 9)}, {{"a", {span(0, 1), span(5, 7)}}, {"b", {span(3, 4)}}}};
    SetAsideCursor cursor(aside);
    std::string told;
    for (std::int64_t offset = 0; offset < 10; ++offset)
        told += !cursor.has(Offset{offset}) ? "." : cursor.reason() == nullptr ? "r" : *cursor.reason();
    EXPECT_EQ(told, "arrb.aa.r.");
}

class InvalidEvents : public ::testing::Test {
protected:
    InvalidEvents() {
        event::EventDeclaration raid;
        raid.path = "/raid";
        raid.type = "raid";
        raid.fields = {{"level", event::ColumnType::bigint, true}, {"gold", event::ColumnType::double_}};
        raid.fields[0].most = "60";
        options_.keep_dead_letters = true;
        options_.rules = std::make_shared<event::FieldRules>(std::vector{raid});
    }
    std::shared_ptr<const Plan> plan() { return Plan::make(log_, log_.all(), options_).value(); }

    FakeLog log_;
    PlanOptions options_;
};

TEST_F(InvalidEvents, AreDeadLettersAndLeaveNoTraceInTheirType) {
    log_.partition(Partition{0})
        .append({R"({"event_type": "raid", "level": 1, "gold": 2})",
                 R"({"event_type": "raid", "level": "x", "more": 1})", R"({"event_type": "guild", "level": "x"})",
                 R"({"event_type": "raid"})", "no JSON"});
    log_.partition(Partition{0})
        .append({R"({"event_type": "raid", "level": 61})", R"({"event_type": "raid", "level": 60})"});
    const auto planned = plan();
    EXPECT_EQ(planned->tally(), (PlanTally{7, 3, 0, 1, 0, 0, 3}));
    EXPECT_EQ(planned->events(std::vector<std::string>{"raid"}), 2);
    EXPECT_EQ(event::find_column(planned->schema(std::vector<std::string>{"raid"}), "more"), nullptr);
    const SetAside expected{{},
                            {{"field \"level\": not a bigint", {span(1, 2)}},
                             {"field \"level\": required, and missing", {span(3, 4)}},
                             {"field \"level\": out of its range", {span(5, 6)}}}};
    EXPECT_EQ(planned->set_aside(), std::vector{expected});
    EXPECT_EQ(planned->invalid().at("raid").size(), 3U);

    const auto columns = continuous_columns(*planned, "raid", {});
    const auto gold = std::find_if(columns.begin(), columns.end(), [](const auto& one) { return one.key == "gold"; });
    ASSERT_NE(gold, columns.end());
    EXPECT_EQ(gold->type, event::ColumnType::double_) << "as declared, though there are integers only";

    options_.rules = nullptr; // what is known counts, whatever is declared now
    options_.known = {expected};
    EXPECT_EQ(plan()->tally(), planned->tally());
}

TEST_F(InvalidEvents, ThatRepeatAreRepeats) {
    log_.partition(Partition{0})
        .append_with_ids({{"a", R"({"event_type": "raid", "level": 1})"}, {"a", R"({"event_type": "raid"})"}});
    options_.find_repeats = [](const PartitionRange&, const std::vector<event::IdSighting>& ids) {
        return find_repeats(ids, {}, {});
    };
    EXPECT_EQ(plan()->set_aside(), (std::vector{SetAside{{span(1, 2)}, {}}}));
    EXPECT_EQ(plan()->tally(), (PlanTally{2, 1, 0, 0, 0, 1, 0}));
}

} // namespace
} // namespace questlog::scan
