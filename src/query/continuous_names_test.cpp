// Which table a name is, among continuous and declared ones and DuckDB's own, and what is shown of them.
#include "query/continuous_fixture.h"

namespace questlog::query {
namespace {

class ContinuousNamesTest : public ContinuousTest {};

TEST_F(ContinuousNamesTest, ADeclaredTableGoesFirst) {
    raid(1);
    raid(2);
    declare("raid", "n > 1");
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"2"}}));
}

TEST_F(ContinuousNamesTest, NamesThatDifferInCaseAlone) {
    post({R"({"event_type": "Raid", "n": 1})", R"({"event_type": "raid", "n": 2})",
          R"({"event_type": "rAid", "n": 3})"});
    EXPECT_EQ(ask("SELECT n FROM \"Raid\""), (Rows{{"1"}}));
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"2"}}));
    EXPECT_NE(ask("SELECT n FROM RAID")[0][0].find("write it as the table is called"), std::string::npos);
    EXPECT_NE(ask("SELECT * FROM raid, \"Raid\"")[0][0].find("cannot be read in one statement"), std::string::npos);
}

/// What is landed of them, and what is not, makes no difference.
TEST_F(ContinuousNamesTest, TheTableThatIsNamedExactlyIsReadBeforeADeclaredOneOfAnotherCase) {
    raid(1);
    raid(2);
    declare("Raid", "n > 1");
    const auto expect_both = [&] {
        EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}, {"2"}}));
        EXPECT_EQ(ask("SELECT n FROM \"raid\""), (Rows{{"1"}, {"2"}}));
        EXPECT_EQ(ask("SELECT n FROM Raid"), (Rows{{"2"}}));
        EXPECT_EQ(ask("SELECT n FROM RAID"), (Rows{{"2"}})) << "exactly neither";
        EXPECT_EQ(ask("SELECT count(*) FROM Raid, RAID b"), (Rows{{"1"}}));
        for (const char* both : {"SELECT * FROM raid, Raid b", "SELECT * FROM raid, RAID b"})
            EXPECT_NE(ask(both)[0][0].find("cannot be read in one statement"), std::string::npos);
    };
    expect_both();
    land("Raid");
    expect_both();
    land_table("raid", 0, 2);
    write_books(2, {{"raid", {2, std::nullopt, ""}}});
    expect_both();
    EXPECT_EQ(ask("SELECT n FROM raid", {.landed_only = true}), (Rows{{"1"}, {"2"}}));
    EXPECT_EQ(ask("SELECT n FROM Raid", {.landed_only = true}), (Rows{{"2"}}));
}

TEST_F(ContinuousNamesTest, ATableThatIsInTheLogAloneIsReadWhereItIsNamedExactly) {
    raid(1);
    land_table("raid", 0, 1);
    write_books(1, {{"raid", {1, std::nullopt, ""}}});
    EXPECT_EQ(ask("SELECT n FROM \"Raid\""), (Rows{{"1"}})) << "there is only the one";
    post({R"({"event_type": "Raid", "n": 2})"});
    EXPECT_EQ(ask("SELECT n FROM \"Raid\""), (Rows{{"2"}}));
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}}));
    EXPECT_NE(ask("SELECT n FROM RAID")[0][0].find("write it as the table is called"), std::string::npos);
}

TEST_F(ContinuousNamesTest, ATableMayBeSpeltInTwoWaysInOneStatement) {
    raid(1);
    raid(2);
    EXPECT_EQ(ask("SELECT count(*) FROM raid a, RAID b, \"Raid\" c"), (Rows{{"8"}}));
    land_table("raid", 0, 2);
    write_books(2, {{"raid", {2, std::nullopt, ""}}});
    EXPECT_EQ(ask("SELECT count(*) FROM raid a, RAID b, \"Raid\" c"), (Rows{{"8"}}));
}

TEST_F(ContinuousNamesTest, ATableThatIsCalledAsAViewOfDuckDbIsRead) {
    const auto rows = [](const std::string& what) { return Rows{{what}}; };
    EXPECT_EQ(ask("SELECT count(*) > 30 FROM pg_views"), rows("true")) << "without one it is DuckDB's";
    const Rows views = all_of(*database_->connect()
                                   .value()
                                   ->query("SELECT view_name FROM duckdb_views() WHERE internal AND schema_name <> "
                                           "'information_schema' ORDER BY ALL")
                                   .value());
    std::int64_t end = 0;
    std::map<std::string, lake::TableBooks, std::less<>> books;
    for (const auto& row : views) {
        const std::string& name = row[0];
        post({fmt::format(R"({{"event_type": "{}", "mine": {}}})", name, end)});
        EXPECT_EQ(ask("SELECT mine FROM " + name), rows(std::to_string(end))) << name;
        land_table(name, end, end + 1);
        books[name] = {1, std::nullopt, ""};
        write_books(end + 1, books);
        EXPECT_EQ(ask("SELECT mine FROM " + name), rows(std::to_string(end))) << name;
        EXPECT_EQ(ask("FROM " + name, {.landed_only = true}).size(), 1U) << name;
        ++end;
    }
    EXPECT_GT(end, 30);
    EXPECT_EQ(ask("EXPLAIN SELECT mine FROM PG_VIEWS").size(), 1U);
    EXPECT_EQ(ask("SELECT count(*) > 30 FROM pg_catalog.pg_views"), rows("true"));
    EXPECT_EQ(ask("SELECT count(*) FROM system.main.duckdb_tables, sqlite_master"), rows("0"));
    declare("pg_class", "mine = 1");
    EXPECT_EQ(ask("SELECT mine FROM pg_class"), rows("1"));
}

TEST_F(ContinuousNamesTest, TablesAreShownWhateverStandsAroundTheWords) {
    raid(1);
    const Rows all = ask("SHOW TABLES");
    EXPECT_EQ(all, (Rows{{"dead_letters"}, {"events"}, {"ledger"}, {"raid"}}));
    for (const char* asked :
         {"/* x */ SHOW TABLES", "-- c\nSHOW TABLES", "\n/* a /* b; */ -- */--\nshow/**/\tTables -- d;",
          "SHOW\n TABLES /* ; */ ; -- e", "SHOW TABLES;;"})
        EXPECT_EQ(ask(asked), all) << asked;
    EXPECT_EQ(ask("SHOW TABLES; SELECT 1")[0][0], "expected one SQL statement, found 2");
    EXPECT_NE(ask("SHOW_TABLES"), all);
    EXPECT_EQ(ask("/* x */ EXPLAIN /* y */ SELECT n FROM raid").size(), 1U);
}

TEST_F(ContinuousNamesTest, WithoutATopicItsLedgerAndDeadLettersAreNotThere) {
    world_->topic = "nowhere";
    const std::string told = ask("SELECT * FROM ledger")[0][0];
    EXPECT_NE(told.find("topic 'nowhere' does not exist"), std::string::npos) << told;
    EXPECT_EQ(ask("FROM dead_letters")[0][0], told);
    EXPECT_EQ(ask("SHOW TABLES"), (Rows{{"events"}, {"ledger"}}));
}

} // namespace
} // namespace questlog::query
