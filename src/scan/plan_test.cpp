#include "scan/plan.h"

#include "base/limits.h"
#include "scan/fake_log.h"
#include "scan/query_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

using event::ColumnType;
using event::Schema;
using testing::FakeLog;
using testing::Rows;
using testing::rows_of;

using Types = std::optional<std::vector<std::string>>;

class PlanTest : public ::testing::Test {
protected:
    PlanTest() : connection_(duck::Database::open({}).value()->connect().value()) {}

    std::shared_ptr<const Plan> plan(const PlanOptions& options = {}) {
        return Plan::make(log_, log_.all(), options).value();
    }
    /// `sql` over the rows of `types`, which stand there as `rows`.
    Rows read(const Plan& plan, const Types& types, const std::string& sql) {
        EXPECT_TRUE(connection_->offer("rows", plan.rows(types, plan.schema(types))).ok());
        return rows_of(*connection_, sql);
    }

    FakeLog log_{2};
    testing::FakePartition& first_ = log_.partition(Partition{0});
    testing::FakePartition& second_ = log_.partition(Partition{1});
    std::unique_ptr<duck::Connection> connection_;
};

const std::string sword = R"({"event_type": "purchase_sword", "price": 5})";
const std::string guild = R"({"event_type": "join_guild", "description": "nice guild"})";

TEST_F(PlanTest, EveryEventOfTheRangeHasOneFate) {
    first_.append({sword, guild, "no JSON", sword});
    second_.append({R"({"a": 1})", guild});
    const auto tally = plan({.keep_types = {"purchase_sword"}, .keep_all = false, .progress = {}})->tally();
    EXPECT_EQ(tally, (PlanTally{.events = 6, .kept = 2, .other_types = 2, .not_events = 2}));
    EXPECT_EQ(plan()->tally(), (PlanTally{.events = 6, .kept = 4, .other_types = 0, .not_events = 2}));
}

TEST_F(PlanTest, OnlyTheRangesOffsetsCount) {
    first_.append({sword, sword, sword});
    first_.append({sword, sword, sword});
    second_.append({guild});
    const LogRange range{{Partition{0}, Offset{2}, Offset{4}}, {Partition{1}, Offset{1}, Offset{1}}};
    const auto planned = Plan::make(log_, range, {}).value();
    EXPECT_EQ(planned->tally().events, 2);
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT _offset FROM rows"), (Rows{{"2"}, {"3"}}));
    EXPECT_EQ(planned->schema(std::nullopt),
              (Schema{{"event_type", ColumnType::string}, {"price", ColumnType::bigint}}));
}

TEST_F(PlanTest, EachTypeReadsWithItsOwnSchema) {
    first_.append({sword, guild, R"({"event_type": "purchase_sword", "price": 2.5})"});
    const auto planned = plan();
    EXPECT_EQ(planned->schema(Types{{"purchase_sword"}}),
              (Schema{{"event_type", ColumnType::string}, {"price", ColumnType::double_}}));
    EXPECT_EQ(planned->schema(Types{{"purchase_sword", "join_guild"}}).size(), 3U);
    EXPECT_EQ(planned->schema(Types{{"unknown"}}), Schema{});
    EXPECT_EQ(planned->events(Types{{"purchase_sword", "unknown", "purchase_sword"}}), 2);
    EXPECT_EQ(planned->events(std::nullopt), 3);
    EXPECT_EQ(read(*planned, Types{{"purchase_sword"}}, "SELECT * FROM rows"),
              (Rows{{"0", "0", "2026-11-22 21:58:53.873", "2026-11-22 21:58:53.873+00", "purchase_sword", "5.0"},
                    {"2", "0", "2026-11-22 21:58:53.875", "2026-11-22 21:58:53.875+00", "purchase_sword", "2.5"}}));
}

TEST_F(PlanTest, SeveralTypesComeInOffsetOrderPartitionAfterPartition) {
    Rows expected;
    for (int batch = 0; batch < 40; ++batch) {
        std::vector<std::string> values;
        for (int i = 0; i < 1 + batch % 5; ++i)
            values.push_back(fmt::format(R"({{"event_type": "t{}"}})", (batch * 7 + i * 3) % 4));
        first_.append(values);
        second_.append(values);
    }
    for (int partition = 0; partition < 2; ++partition)
        for (std::int64_t offset = 0; offset < first_.end_offset().value().value; ++offset)
            expected.push_back({std::to_string(partition), std::to_string(offset)});
    const auto planned = plan();
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT _partition, _offset FROM rows"), expected);
    EXPECT_EQ(read(*planned, Types{{"t3", "t0", "t1", "t2"}}, "SELECT _partition, _offset FROM rows"), expected);
}

TEST_F(PlanTest, ManyRowsFillWholeChunksAndKeepTheirTypes) {
    for (int batch = 0; batch < 10; ++batch) {
        std::vector<std::string> values;
        for (int i = 0; i < 1000; ++i)
            values.push_back(
                fmt::format(R"({{"event_type": "t", "n": {}, "half": {}.5, "odd": {}, "s": "row {} \u00e9"}})",
                            batch * 1000 + i, i, i % 2 == 1, i));
        first_.append(values);
    }
    EXPECT_EQ(read(*plan(), std::nullopt,
                   "SELECT count(*), sum(n), sum(half), count(*) FILTER (WHERE odd), min(s), "
                   "max(_offset) FROM rows"),
              (Rows{{"10000", "49995000", "5000000.0", "5000", "row 0 é", "9999"}}));
}

TEST_F(PlanTest, CountingFetchesNoRecordOfItsOwnBatch) {
    for (int i = 0; i < 10; ++i) first_.append({sword});
    first_.append({sword, sword});
    const auto planned = plan();
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT count(*), max(_offset), min(_partition) FROM rows"),
              (Rows{{"12", "11", "0"}}));
    EXPECT_EQ(first_.fetched, 2); // only offsets within a larger batch have to be looked up
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT sum(_partition) FROM rows"), (Rows{{"0"}}));
    EXPECT_EQ(first_.fetched, 2);
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT max(timestamp) FROM rows"), (Rows{{"2026-11-22 21:58:53.874"}}));
    EXPECT_EQ(first_.fetched, 14);
}

TEST_F(PlanTest, DamageInTheLogEndsThePlan) {
    first_.append({sword});
    first_.append({sword});
    first_.damaged_at = 1;
    const auto planned = Plan::make(log_, log_.all(), {});
    ASSERT_FALSE(planned.ok());
    EXPECT_EQ(planned.error().kind, ErrorKind::corrupt);
}

TEST_F(PlanTest, AnEventThatReadsOtherwiseThanPlannedEndsTheQuery) {
    first_.append({sword});
    const auto planned = plan();
    ASSERT_TRUE(connection_->offer("rows", planned->rows(std::nullopt, {{"price", ColumnType::boolean}})).ok());
    const auto rows = connection_->query("SELECT price FROM rows");
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().kind, ErrorKind::internal);
    EXPECT_NE(rows.error().message.find("offset 0 of partition 0"), std::string::npos) << rows.error().message;
}

TEST_F(PlanTest, ProgressIsToldNowAndThenAndAtTheEnd) {
    const std::vector<std::string> values(10'000, sword);
    for (int i = 0; i < 14; ++i) first_.append(values);
    std::vector<std::pair<std::int64_t, std::int64_t>> told;
    plan({.keep_types = {}, .keep_all = true, .progress = [&](std::int64_t done, std::int64_t total) {
              told.emplace_back(done, total);
          }});
    EXPECT_EQ(told, (std::vector<std::pair<std::int64_t, std::int64_t>>{
                        {65'536, 140'000}, {131'072, 140'000}, {140'000, 140'000}}));
}

TEST_F(PlanTest, ColumnsBeyondTheLimitAreRescuedRowByRow) {
    std::string wide = R"({"event_type": "wide")";
    for (std::size_t i = 1; i < limits::columns_max; ++i) wide += fmt::format(R"(, "k{:04}": {})", i, i);
    first_.append({wide + R"(, "beyond": "x\n", "further": [1, {"a": 2}]})", guild});
    const auto planned = plan();
    EXPECT_EQ(planned->schema(Types{{"wide"}}).size(), limits::columns_max + 1);
    EXPECT_EQ(read(*planned, Types{{"wide"}}, "SELECT k0999, _rescued_data FROM rows"),
              (Rows{{"999", R"({"beyond": "x\n", "further": [1, {"a": 2}]})"}}));
    // Together the types have more columns still: those of the type seen first stay.
    EXPECT_EQ(planned->schema(std::nullopt).size(), limits::columns_max + 1);
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT event_type, _rescued_data FROM rows"),
              (Rows{{"wide", R"({"beyond": "x\n", "further": [1, {"a": 2}]})"},
                    {"join_guild", R"({"description": "nice guild"})"}}));
}

TEST_F(PlanTest, ARescuedKeyOfOneTypeMayBeAnotherTypesColumn) {
    std::string wide = R"({"event_type": "wide")";
    for (std::size_t i = 1; i < limits::columns_max; ++i) wide += fmt::format(R"(, "k{:04}": {})", i, i);
    first_.append({R"({"event_type": "small", "price": 5})", wide + R"(, "price": "free"})"});
    const auto planned = plan();
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT price, contains(_rescued_data, '\"price\": \"free\"') FROM rows"),
              (Rows{{"5", "NULL"}, {"NULL", "true"}}));
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT price FROM rows"), (Rows{{"5"}, {"NULL"}}));
}

TEST_F(PlanTest, TypesBeyondTheLimitAreReadWithAllTheOthers) {
    std::vector<std::string> values;
    for (std::size_t i = 0; i < limits::event_types_max + 5; ++i)
        values.push_back(fmt::format(R"({{"event_type": "t{}"}})", i));
    first_.append(values);
    const auto planned = plan({.keep_types = {"t65004"}, .keep_all = true, .progress = {}});
    EXPECT_EQ(planned->tally().kept, 65'005);
    EXPECT_EQ(planned->events(Types{{"t65004"}}), 1);
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT count(DISTINCT event_type), count(*) FROM rows"),
              (Rows{{"65005", "65005"}}));
}

TEST_F(PlanTest, AnEmptyRangeIsAPlanOfNothing) {
    const auto planned = plan();
    EXPECT_EQ(planned->tally(), PlanTally{});
    EXPECT_EQ(read(*planned, std::nullopt, "SELECT count(*) FROM rows"), (Rows{{"0"}}));
}

TEST_F(PlanTest, RowsKeepWhatTheyReadFrom) {
    first_.append({sword});
    auto planned = plan();
    ASSERT_TRUE(connection_->offer("rows", planned->rows(std::nullopt, planned->schema(std::nullopt))).ok());
    planned.reset();
    EXPECT_EQ(rows_of(*connection_, "SELECT price FROM rows"), (Rows{{"5"}}));
}

} // namespace
} // namespace questlog::scan
