#include "scan/continuous.h"

#include "base/limits.h"
#include "scan/fake_log.h"
#include "scan/query_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

using event::ColumnType;
using testing::Rows;
using testing::rows_of;

class ContinuousTest : public ::testing::Test {
protected:
    ContinuousTest() : connection_(duck::Database::open({}).value()->connect().value()) {}

    std::shared_ptr<const Plan> plan(Offset from = Offset{0}) {
        LogRange range = log_.all();
        range.front().from = from;
        PlanOptions options;
        options.keep_dead_letters = true;
        return Plan::make(log_, range, options).value();
    }
    Rows read(const Plan& plan, const std::string& type, const std::vector<LandedColumn>& columns,
              const std::string& what = "*") {
        auto relation = relate_continuous(*connection_, plan, type, columns);
        EXPECT_TRUE(relation.ok());
        return rows_of(*connection_, fmt::format("SELECT {} FROM ({})", what, relation->select));
    }

    testing::FakeLog log_;
    testing::FakePartition& partition_ = log_.partition(Partition{0});
    std::unique_ptr<duck::Connection> connection_;
};

std::string sword_with(const std::string& more) {
    return R"({"event_type": "sword")" + more + "}";
}

TEST_F(ContinuousTest, RowsAreTheEventsColumnsAndTheirPlaceInTheLog) {
    partition_.append(
        {sword_with(R"(, "price": 5, "Host": "a")"), R"({"event_type": "guild"})", sword_with(R"(, "Host": "b")")},
        1'795'384'733'873);
    const auto planned = plan();
    const auto columns = continuous_columns(*planned, "sword", {});
    EXPECT_EQ(
        read(*planned, "sword", columns, "event_type, price, \"Host\", _rescued_data, _timestamp, _partition, _offset"),
        (Rows{{"sword", "5", "a", "NULL", "2026-11-22 21:58:53.873+00", "0", "0"},
              {"sword", "NULL", "b", "NULL", "2026-11-22 21:58:53.875+00", "0", "2"}}));
}

TEST_F(ContinuousTest, APinnedColumnKeepsItsTypeAndWhatDoesNotFitIsRescued) {
    partition_.append({sword_with(R"(, "price": 5)")});
    const auto pinned = continuous_columns(*plan(), "sword", {});
    partition_.append({sword_with(R"(, "price": 5.5, "note": "x")"), sword_with(R"(, "price": "free")"),
                       sword_with(R"(, "price": 7)")});
    const auto later = plan(Offset{1});
    const auto columns = continuous_columns(*later, "sword", pinned);
    ASSERT_EQ(columns.size(), 3U);
    EXPECT_EQ(columns[1].type, ColumnType::bigint);
    EXPECT_EQ(columns[2].name, "note");
    EXPECT_EQ(
        read(*later, "sword", columns, "price, note, _rescued_data"),
        (Rows{{"NULL", "x", R"({"price": 5.5})"}, {"NULL", "NULL", R"({"price": "free"})"}, {"7", "NULL", "NULL"}}));
}

TEST_F(ContinuousTest, AKeyThatOnlyHadNullIsNoColumnYetAndNothingToRescue) {
    partition_.append({sword_with(R"(, "guild": null)")});
    const auto first = plan();
    const auto pinned = continuous_columns(*first, "sword", {});
    EXPECT_EQ(pinned.size(), 1U);
    EXPECT_EQ(read(*first, "sword", pinned, "_rescued_data"), (Rows{{"NULL"}}));
    partition_.append({sword_with(R"(, "guild": true)")});
    EXPECT_EQ(continuous_columns(*plan(Offset{1}), "sword", pinned).back().type, ColumnType::boolean);
}

TEST_F(ContinuousTest, KeysThatAreCalledAsTheRowsOwnColumnsHaveOtherNames) {
    partition_.append({sword_with(
        R"(, "date": 1, "_OFFSET": 2, "_timestamp": 3, "timestamp": 4, "_rescued_data": 5, "PRICE": 6, "price": 7, "a.b": 8)")});
    const auto planned = plan();
    const auto columns = continuous_columns(*planned, "sword", {});
    std::vector<std::string> names;
    for (const LandedColumn& column : columns) names.push_back(column.name);
    EXPECT_EQ(names, (std::vector<std::string>{"event_type", "date_2", "_OFFSET_2", "_timestamp_2", "timestamp",
                                               "PRICE", "price_2", "a_x2E_b"}));
    EXPECT_EQ(read(*planned, "sword", columns, "_rescued_data, a_x2E_b, price_2"),
              (Rows{{R"({"_rescued_data": 5})", "8", "7"}}));
}

TEST_F(ContinuousTest, BeyondItsColumnsATableRescues) {
    std::string wide = sword_with("");
    wide.pop_back();
    for (std::size_t i = 0; i + 1 < limits::columns_max; ++i) wide += fmt::format(R"(, "k{}": 1)", i);
    partition_.append({wide + "}"});
    const auto pinned = continuous_columns(*plan(), "sword", {});
    EXPECT_EQ(pinned.size(), limits::columns_max);
    partition_.append({sword_with(R"(, "one_more": 1, "k3": 4)")});
    const auto later = plan(Offset{1});
    const auto columns = continuous_columns(*later, "sword", pinned);
    EXPECT_EQ(columns.size(), limits::columns_max);
    EXPECT_EQ(read(*later, "sword", columns, "_rescued_data, k3"), (Rows{{R"({"one_more": 1})", "4"}}));
}

TEST_F(ContinuousTest, DeadLettersAreWhatIsNoEventAndWhatHasNoTable) {
    partition_.append({sword_with(""), "no JSON", "[1]", R"({"a": 1})", R"({"event_type": "guild"})",
                       R"({"event_type": 5})", std::string("\x80\0x", 3)});
    const auto planned = plan();
    EXPECT_EQ(planned->types(), (std::vector<std::string>{"sword", "guild"}));
    EXPECT_EQ(planned->tally().not_events, 5);
    EXPECT_TRUE(connection_->offer("dead", planned->dead_letters({"guild"})).ok());
    EXPECT_EQ(rows_of(*connection_, "SELECT _offset, _partition, _timestamp IS NOT NULL, reason, hex(value) FROM dead"),
              (Rows{{"1", "0", "true", "not JSON", "6E6F204A534F4E"},
                    {"2", "0", "true", "not a JSON object", "5B315D"},
                    {"3", "0", "true", "no string event_type", "7B2261223A20317D"},
                    {"4", "0", "true", "too many event types", "7B226576656E745F74797065223A20226775696C64227D"},
                    {"5", "0", "true", "no string event_type", "7B226576656E745F74797065223A20357D"},
                    {"6", "0", "true", "not JSON", "800078"}}));
    EXPECT_TRUE(connection_->offer("dead", planned->dead_letters({})).ok());
    EXPECT_EQ(rows_of(*connection_, "SELECT count(*) FROM dead"), (Rows{{"5"}}));
}

} // namespace
} // namespace questlog::scan
