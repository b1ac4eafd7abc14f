#include "base/limits.h"
#include "scan/fake_log.h"
#include "scan/plan.h"
#include "scan/query_rows.h"

#include <cstdio>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace questlog::scan {
namespace {

using duck::ValueType;
using event::ColumnType;
using testing::FakeLog;
using testing::Rows;
using testing::rows_of;

using Renamed = std::vector<NamedKey>;
using Columns = std::vector<std::pair<std::string, ValueType>>;

class RelationTest : public ::testing::Test {
protected:
    static Expression expression(const std::string& text, Role role) {
        auto parsed = Expression::parse(text, SourcePosition{"questlog.toml", 1, 1}, role);
        EXPECT_TRUE(parsed.ok()) << parsed.error().message;
        return *parsed;
    }
    /// Declares the table under test.
    void declare(const std::vector<std::pair<std::string, std::string>>& set, const std::string& where = {}) {
        table_.name = "purchases";
        table_.set.clear();
        for (const auto& [column, text] : set) table_.set.push_back({column, expression(text, Role::value)});
        table_.where.reset();
        if (!where.empty()) table_.where = expression(where, Role::filter);
    }
    void append(const std::vector<std::string>& values) { log_.partition(Partition{0}).append(values); }

    Relation related(const std::vector<LandedColumn>& landed = {}) {
        const auto types = table_.event_types();
        plan_ = Plan::make(log_, log_.all(),
                           {.keep_types = types.value_or(std::vector<std::string>()),
                            .keep_all = !types.has_value(),
                            .progress = {}})
                    .value();
        auto relation = relate(*connection_, *plan_, table_, landed);
        if (relation) return *relation;
        ADD_FAILURE() << relation.error().message;
        return {};
    }
    Rows rows() { return rows_of(*connection_, related().select); }

    FakeLog log_;
    TableDeclaration table_;
    std::shared_ptr<const Plan> plan_;
    std::unique_ptr<duck::Connection> connection_ = duck::Database::open({}).value()->connect().value();
};

TEST_F(RelationTest, AClientsKeyInAnotherCaseTakesNoNameOfADeclaredField) {
    declare({}, "event_type = 'join'");
    table_.declared = {
        {"description", ColumnType::string}, {"event_type", ColumnType::string}, {"price", ColumnType::double_}};
    append({R"({"event_type": "join", "description": "nice", "price": 1.5})",
            R"({"event_type": "join", "description": "nice", "DESCRIPTION": "evil", "Price": "7"})"});
    const Relation relation = related();
    const Rows found = rows_of(*connection_, fmt::format("SELECT description, price FROM ({})", relation.select));
    EXPECT_EQ(found, (Rows{{"nice", "1.5"}, {"nice", "NULL"}}));
}

TEST_F(RelationTest, AClientsKeyInAnotherCaseTakesNoNameThatTheDeclarationMeans) {
    declare({{"Host", "'moe'"}}, "event_type = 'buy' AND price > 1");
    append({R"({"event_type": "buy", "Host": "a", "price": 2})",
            R"({"event_type": "buy", "Event_Type": "sell", "HOST": "b", "Host": "c", "PRICE": 0, "price": 3})"});
    const Relation relation = related();
    EXPECT_EQ(relation.renamed, (Renamed{{"Event_Type", "Event_Type_2"}, {"HOST", "HOST_2"}, {"PRICE", "PRICE_2"}}));
    const Rows found =
        rows_of(*connection_, fmt::format("SELECT \"Host\", \"HOST_2\", price FROM ({})", relation.select));
    EXPECT_EQ(found, (Rows{{"moe", "NULL", "2"}, {"moe", "b", "3"}}));
}

TEST_F(RelationTest, IsTheReferencesSwordTable) {
    append(
        {R"({"event_type": "purchase_sword", "Host": "user1.comcast.com", "User-Agent": "ApacheBench/2.3", "Accept": "*/*"})",
         R"({"event_type": "purchase_knife", "description": "very sharp knife", "Host": "user1.comcast.com"})"});
    declare({{"Host", "'moe'"}, {"Cache-Control", "'no-cache'"}}, "event_type = 'purchase_sword'");
    const Relation relation = related();
    EXPECT_EQ(relation.columns, (Columns{{"Accept", ValueType::varchar},
                                         {"Cache-Control", ValueType::varchar},
                                         {"Host", ValueType::varchar},
                                         {"User-Agent", ValueType::varchar},
                                         {"event_type", ValueType::varchar},
                                         {"timestamp", ValueType::varchar}}));
    EXPECT_EQ(rows_of(*connection_, relation.select),
              (Rows{{"*/*", "no-cache", "moe", "ApacheBench/2.3", "purchase_sword", "2026-11-22 21:58:53.873"}}));
    EXPECT_EQ(rows_of(*connection_, "SELECT count(*) FROM " + duck::quote_identifier(relation.input)), (Rows{{"1"}}));
    EXPECT_TRUE(relation.renamed.empty());
}

TEST_F(RelationTest, WhereSeesTheNewValuesAndSetTheOldOnes) {
    append({R"({"event_type": "t", "a": 1, "b": 2})", R"({"event_type": "t", "a": 3, "b": 4})"});
    declare({{"a", "b"}, {"b", "a"}, {"c", "a + b"}}, "a = 4");
    EXPECT_EQ(rows(), (Rows{{"4", "3", "7", "t", "2026-11-22 21:58:53.874"}}));
}

TEST_F(RelationTest, SelectStandsAsASubquery) {
    append({R"({"event_type": "t", "a": 1})"});
    declare({}, "a = 1");
    const std::string select = related().select;
    EXPECT_EQ(rows_of(*connection_,
                      fmt::format("SELECT t.a, u.a FROM ({0}) AS t JOIN ({0}) AS u USING (event_type)", select)),
              (Rows{{"1", "1"}}));
}

TEST_F(RelationTest, WithoutEventsItHasItsDeclaredColumns) {
    declare(
        {{"Host", "'moe'"}, {"total", "price * 2"}, {"copy", "gone"}, {"rich", "price > 5"}, {"text", "trim(gone)"}},
        "event_type = 'purchase_sword' AND price > 3 AND NOT flag");
    const Relation relation = related();
    EXPECT_EQ(relation.columns, (Columns{{"Host", ValueType::varchar},
                                         {"copy", ValueType::varchar},
                                         {"rich", ValueType::boolean},
                                         {"text", ValueType::varchar},
                                         {"timestamp", ValueType::varchar},
                                         {"total", ValueType::bigint}}));
    EXPECT_EQ(rows_of(*connection_, relation.select), Rows{});
}

TEST_F(RelationTest, WhatNoEventHasIsNull) {
    append({R"({"event_type": "t", "nothing": null})"});
    declare({{"a", "coalesce(gone, 'none')"}, {"b", "nothing + 1"}, {"c", "nothing IS NULL"}, {"d", "nothing"}},
            "gone IS NULL AND nothing IS NULL");
    EXPECT_EQ(rows(), (Rows{{"none", "NULL", "true", "NULL", "t", "NULL", "2026-11-22 21:58:53.873"}}));
    EXPECT_EQ(related().columns[1], (std::pair{std::string("b"), ValueType::bigint}));
    EXPECT_EQ(related().columns[5], (std::pair{std::string("nothing"), ValueType::varchar}));
}

TEST_F(RelationTest, ColumnsThatOnlyWhereReadsAreNotShown) {
    append({R"({"event_type": "t"})"});
    declare({}, "gone IS NULL AND Gone IS NULL");
    EXPECT_EQ(rows(), (Rows{{"t", "2026-11-22 21:58:53.873"}}));
}

TEST_F(RelationTest, NamesAreReadInAnyCase) {
    append({R"({"event_type": "t", "host": "a"})"});
    declare({{"Host", "trim(HOST) || '!'"}}, "hOST = 'a!'");
    const Relation relation = related();
    EXPECT_EQ(relation.columns[0].first, "Host");
    EXPECT_EQ(rows_of(*connection_, relation.select), (Rows{{"a!", "t", "2026-11-22 21:58:53.873"}}));
}

TEST_F(RelationTest, KeysThatCannotNameColumnsAreRenamedVisibly) {
    append({R"({"event_type": "t", "Host": "a", "host": "b", "timestamp": "c", "_offset": 7, "a.b": 8})"});
    declare({{"sum", "\"a.b\" + \"_offset\""}}, "host_2 = 'b'");
    const Relation relation = related();
    EXPECT_EQ(
        relation.renamed,
        (Renamed{{"_offset", "_offset_2"}, {"a.b", "a_x2E_b"}, {"host", "host_2"}, {"timestamp", "timestamp_2"}}));
    EXPECT_EQ(rows_of(*connection_, "SELECT Host, host_2, timestamp_2, _offset_2, a_x2E_b, timestamp, sum FROM (" +
                                        relation.select + ")"),
              (Rows{{"a", "b", "c", "7", "8", "2026-11-22 21:58:53.873", "15"}}));
}

TEST_F(RelationTest, ASetColumnReplacesByKeyToo) {
    append({R"({"event_type": "t", "a.b": 8})"});
    declare({{"a.b", "\"a.b\" + 1"}, {"timestamp", "'never'"}});
    const Relation relation = related();
    EXPECT_EQ(relation.columns.size(), 3U);
    EXPECT_EQ(rows_of(*connection_, relation.select), (Rows{{"9", "t", "never"}}));
}

TEST_F(RelationTest, IsAsWideAsTheLandedFiles) {
    append({R"({"event_type": "t", "a": 1, "b": true, "c": 2, "e": "x"})"});
    declare({{"s", "c + 1"}});
    std::vector<LandedColumn> landed;
    for (const auto& [name, type] : std::vector<std::pair<std::string, ColumnType>>{{"a", ColumnType::double_},
                                                                                    {"b", ColumnType::string},
                                                                                    {"c", ColumnType::bigint},
                                                                                    {"d", ColumnType::boolean},
                                                                                    {"e", ColumnType::bigint},
                                                                                    {"s", ColumnType::double_},
                                                                                    {"timestamp", ColumnType::string}})
        landed.push_back({name, name, type});
    const Relation relation = related(landed);
    EXPECT_EQ(relation.columns, (Columns{{"a", ValueType::double_},
                                         {"b", ValueType::varchar},
                                         {"c", ValueType::bigint},
                                         {"d", ValueType::boolean},
                                         {"e", ValueType::varchar},
                                         {"event_type", ValueType::varchar},
                                         {"s", ValueType::bigint},
                                         {"timestamp", ValueType::varchar}}));
    EXPECT_EQ(rows_of(*connection_, relation.select),
              (Rows{{"1.0", "true", "2", "NULL", "x", "t", "3", "2026-11-22 21:58:53.873"}}));
}

TEST_F(RelationTest, AKeyOfAnotherCaseDoesNotFallIntoALandedColumn) {
    append({R"({"event_type": "t", "Host": "b"})"});
    declare({});
    EXPECT_EQ(related({{"host", "host", ColumnType::string}}).renamed, (Renamed{{"Host", "Host_2"}}));
}

TEST_F(RelationTest, AValueOfAnotherKindThanTheDeclarationAsksForIsNullToIt) {
    append(
        {R"({"event_type": "buy", "price": 5, "vip": true})", R"({"event_type": "buy", "price": "abc", "vip": "yes"})",
         R"({"event_type": "buy", "price": "7", "vip": "true"})", R"({"event_type": "buy", "price": [9], "vip": 1})"});
    declare({{"total", "price * 2"}}, "event_type = 'buy' AND (price > 1 OR NOT vip)");
    const Relation relation = related();
    EXPECT_EQ(relation.read_as, (std::vector<std::string>{"price as a number", "vip as a boolean"}));
    EXPECT_EQ(rows_of(*connection_, "SELECT price, total, vip FROM (" + relation.select + ")"),
              (Rows{{"5", "10.0", "true"}, {"7", "14.0", "true"}}));
    declare({}, "vip");
    EXPECT_EQ(rows_of(*connection_, "SELECT price FROM (" + related().select + ")"), (Rows{{"5"}, {"7"}}));
}

TEST_F(RelationTest, WhereReadsWhatSetMadeByItsType) {
    append({R"({"event_type": "t", "n": 5, "s": "5"})", R"({"event_type": "t", "n": 9223372036854775807, "s": "x"})"});
    declare({{"n", "n || ''"}, {"twice", "s + n"}}, "n > 4 AND twice > 9");
    EXPECT_EQ(rows_of(*connection_, "SELECT n, twice FROM (" + related().select + ")"), (Rows{{"5", "10.0"}}));
}

TEST_F(RelationTest, NamesOfLandedFilesStandUnlessTheDeclarationMeansAnotherKey) {
    append({R"({"event_type": "t", "a_2": 1, "A": 2})"});
    declare({});
    const std::vector<LandedColumn> landed{{"a", "a", ColumnType::bigint}, {"A_2", "A", ColumnType::bigint}};
    EXPECT_EQ(related(landed).renamed, (Renamed{{"A", "A_2"}, {"a_2", "a_2_2"}}));
    EXPECT_EQ(related(landed).obstacle, "");
    declare({}, "A = 2");
    EXPECT_NE(related(landed).obstacle, "");
    append({R"({"event_type": "t", "price": 1})"});
    declare({}, "price = 1");
    EXPECT_NE(related({{"Price", "Price", ColumnType::bigint}}).obstacle, "");
    EXPECT_EQ(related({{"price", "price", ColumnType::bigint}}).obstacle, "");
}

TEST_F(RelationTest, OnlyNeededColumnsAreRead) {
    append({R"({"event_type": "t", "a": 1})"});
    append({R"({"event_type": "t", "a": 2})"});
    declare({{"Host", "'moe'"}});
    const std::string select = related().select;
    EXPECT_EQ(rows_of(*connection_, "SELECT count(*) FROM (" + select + ")"), (Rows{{"2"}}));
    EXPECT_EQ(rows_of(*connection_, "SELECT Host FROM (" + select + ")"), (Rows{{"moe"}, {"moe"}}));
    EXPECT_EQ(log_.partition(Partition{0}).fetched, 0);
}

TEST_F(RelationTest, AThousandColumnsAreATable) {
    std::string wide = R"({"event_type": "wide")";
    for (std::size_t i = 0; i < limits::columns_max; ++i) wide += fmt::format(R"(, "k{}": {})", i, i);
    append({wide + "}"});
    declare({}, "k7 = 7");
    EXPECT_EQ(related().columns.size(), limits::columns_max + 2); // with _rescued_data and timestamp
    EXPECT_EQ(rows_of(*connection_, "SELECT k998, _rescued_data FROM (" + related().select + ")"),
              (Rows{{"998", R"({"k999": 999})"}}));
}

TEST_F(RelationTest, TheSameRangeGivesTheSameBytes) {
    for (int batch = 0; batch < 30; ++batch) {
        std::vector<std::string> values;
        for (int i = 0; i < 500; ++i)
            values.push_back(
                fmt::format(R"({{"event_type": "t{}", "n": {}, "s": "text {}", "d": {}.5}})", i % 3, i, i % 50, i));
        append(values);
    }
    declare({{"Host", "'moe'"}}, "event_type IN ('t0', 't2')");
    std::string bytes[2];
    for (std::string& of_run : bytes) {
        connection_ = duck::Database::open({}).value()->connect().value();
        const std::string path = ::testing::TempDir() + "questlog_relation_test.parquet";
        ASSERT_TRUE(connection_
                        ->execute(fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION snappy)", related().select,
                                              duck::quote_literal(path)))
                        .ok());
        std::ifstream file(path, std::ios::binary);
        of_run.assign(std::istreambuf_iterator<char>(file), {});
        std::remove(path.c_str());
    }
    EXPECT_GT(bytes[0].size(), 1000U);
    EXPECT_EQ(bytes[0], bytes[1]);
}

} // namespace
} // namespace questlog::scan
