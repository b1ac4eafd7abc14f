#include "scan/range_census.h"

#include "base/limits.h"
#include "scan/fake_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

using event::ColumnType;
using testing::FakeLog;

using Types = std::optional<std::vector<std::string>>;

TEST(RangeCensus, tellsColumnsAndCountsAsAPlanDoes) {
    FakeLog log;
    log.partition(Partition{0})
        .append({R"({"event_type": "b", "Host": "x", "n": 1, "host": 1.5})", "no event",
                 R"({"event_type": "a", "z": true, "n": 2.5, "_rescued_data": 1})",
                 R"({"event_type": "b", "y": null})"});
    const auto plan = Plan::make(log, log.all(), {}).value();
    const RangeCensus census{4,
                             1,
                             0,
                             {{"b",
                               2,
                               {{"event_type", ColumnType::string, 0},
                                {"Host", ColumnType::string, 1},
                                {"n", ColumnType::bigint, 2},
                                {"host", ColumnType::double_, 3},
                                {"y", ColumnType::null, 8}}},
                              {"a",
                               1,
                               {{"event_type", ColumnType::string, 4},
                                {"z", ColumnType::boolean, 5},
                                {"n", ColumnType::double_, 6},
                                {"_rescued_data", ColumnType::bigint, 7}}}}};
    const auto same = plan_of_census(log.all(), census, {});
    for (const Types& types : {Types{}, Types{{"a"}}, Types{{"b", "a"}}, Types{{"none"}}}) {
        EXPECT_EQ(same->schema(types), plan->schema(types));
        EXPECT_EQ(same->keys(types), plan->keys(types));
        EXPECT_EQ(same->events(types), plan->events(types));
    }
    EXPECT_EQ(same->tally(), plan->tally());
    EXPECT_EQ(same->types(), plan->types());
}

TEST(RangeCensus, keepsTheColumnsFirstSeenAndRescuesTheOthers) {
    RangeCensus census{1, 0, 0, {{"wide", 1, {}}}};
    for (std::size_t i = 0; i < limits::columns_max + 5; ++i)
        census.types[0].keys.push_back({fmt::format("k{}", i), ColumnType::bigint, i});
    const auto plan = plan_of_census({}, census, {"wide"});
    const event::Schema schema = plan->schema(std::nullopt);
    EXPECT_EQ(schema.size(), limits::columns_max + 1);
    EXPECT_NE(find_column(schema, fmt::format("k{}", limits::columns_max - 1)), nullptr);
    EXPECT_EQ(find_column(schema, fmt::format("k{}", limits::columns_max)), nullptr);
    EXPECT_NE(find_column(schema, event::rescued_data_key), nullptr);
}

TEST(RangeCensus, ofTypesThatWereAskedForAndHaveNoEventsThereIsNothing) {
    const auto plan = plan_of_census({}, {5, 2, 3, {}}, {"nobody"});
    EXPECT_EQ(plan->events(Types{{"nobody"}}), 0);
    EXPECT_TRUE(plan->schema(std::nullopt).empty());
    EXPECT_TRUE(plan->types().empty());
    EXPECT_EQ(plan->tally().kept, 0);
}

TEST(RelationForSpark, isTheSameTableInSparksSql) {
    const auto expression = [](const std::string& text, Role role = Role::value) {
        return Expression::parse(text, {"questlog.toml", 1, 1}, role).value();
    };
    TableDeclaration table;
    table.set = {{"Host", expression("'it''s'")}, {"we`ird", expression("\"a.b\" || 'x'")}};
    table.where = expression("event_type = 'a' AND n > 1", Role::filter);
    RangeCensus census{1,
                       0,
                       0,
                       {{"a",
                         1,
                         {{"event_type", ColumnType::string, 0},
                          {"a.b", ColumnType::string, 1},
                          {"n", ColumnType::string, 2},
                          {"Host", ColumnType::string, 3}}}}};
    const auto plan = plan_of_census({}, census, {"a"});
    const Relation spark = relate_for_spark(*plan, table, "events_view");
    EXPECT_EQ(spark.input_columns, (event::Schema{{"Host", ColumnType::string},
                                                  {"a.b", ColumnType::string},
                                                  {"event_type", ColumnType::string},
                                                  {"n", ColumnType::string}}));
    EXPECT_NE(spark.select.find("`c1` AS `a_x2E_b`"), std::string::npos) << spark.select;
    EXPECT_NE(spark.select.find("'it\\'s' AS `Host`"), std::string::npos) << spark.select;
    EXPECT_NE(spark.select.find("CAST(`we``ird` AS STRING) AS `we``ird`"), std::string::npos) << spark.select;
    EXPECT_NE(spark.select.find("FROM `events_view`"), std::string::npos) << spark.select;
    EXPECT_EQ(spark.select.find('"'), std::string::npos) << "no name in DuckDB's quotes: " << spark.select;
    EXPECT_EQ(spark.select.find("VARCHAR"), std::string::npos) << spark.select;
    EXPECT_EQ(spark.read_as, std::vector<std::string>{"n as a number"});
    EXPECT_EQ(spark.renamed, (std::vector<NamedKey>{{"a.b", "a_x2E_b"}}));
    EXPECT_EQ(spark.replaced, (std::vector<NamedKey>{{"Host", "Host"}}));
}

} // namespace
} // namespace questlog::scan
