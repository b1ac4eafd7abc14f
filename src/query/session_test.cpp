#include "query/query_fixture.h"

namespace questlog::query {
namespace {

class SessionTest : public QueryFixture {};

TEST_F(SessionTest, ATableNeverLandedIsTheWholeLogByItsDeclaration) {
    declare("swords", "event_type = 'purchase_sword'", {{"Host", "'larry'"}});
    buy("sword", 3);
    buy("knife", 1);
    buy("sword", 4);
    EXPECT_EQ(ask("SELECT * FROM swords"), (Rows{{"larry", "purchase_sword", "3", "2026-11-22 21:58:53.998"},
                                                 {"larry", "purchase_sword", "4", "2026-11-22 21:58:54"}}));
    EXPECT_EQ(columns_of("swords"), "Host VARCHAR, event_type VARCHAR, price BIGINT, timestamp VARCHAR");
    EXPECT_TRUE(notices_.empty());
}

TEST_F(SessionTest, ATableIsItsLandedRowsAndTheLogAfterThem) {
    declare("swords", "event_type = 'purchase_sword'");
    buy("sword", 3);
    buy("knife", 1);
    land("swords");
    buy("sword", 4);
    buy("knife", 2);
    EXPECT_EQ(ask("SELECT price FROM swords"), (Rows{{"3"}, {"4"}}));
    EXPECT_EQ(ask("SELECT price FROM swords", {.landed_only = true}), (Rows{{"3"}}));
    EXPECT_EQ(ask("SELECT count(*) FROM events"), (Rows{{"4"}}));
    EXPECT_TRUE(notices_.empty());
}

TEST_F(SessionTest, NamesAreFoundInAnyCaseAndInAnyPlaceOfTheStatement) {
    declare("swords", "event_type = 'purchase_sword'");
    declare("knives", "event_type = 'purchase_knife'");
    buy("sword", 3);
    buy("knife", 3);
    EXPECT_EQ(ask("SELECT s.price FROM \"SWORDS\" s JOIN Knives k USING (price)"), (Rows{{"3"}}));
    EXPECT_EQ(ask("WITH t AS (SELECT price FROM swords UNION ALL SELECT price FROM knives) SELECT count(*) FROM t"),
              (Rows{{"2"}}));
    EXPECT_EQ(ask("SELECT (SELECT max(price) FROM swords) FROM events WHERE \"offset\" IN (SELECT 1 FROM knives)"),
              (Rows{{"3"}}));
    EXPECT_EQ(ask("SELECT 1"), (Rows{{"1"}}));
}

TEST_F(SessionTest, AnEventIsVisibleToTheNextStatementOfTheSameSession) {
    declare("swords", "event_type = 'purchase_sword'");
    Session session(*world_, {});
    buy("sword", 1);
    EXPECT_EQ(all_of(**session.query_as_text("SELECT count(*) FROM swords")), (Rows{{"1"}}));
    buy("sword", 2);
    EXPECT_EQ(all_of(**session.query_as_text("SELECT count(*) FROM swords")), (Rows{{"2"}}));
    land("swords");
    buy("sword", 3);
    EXPECT_EQ(all_of(**session.query_as_text("SELECT count(*) FROM swords")), (Rows{{"3"}}));
}

TEST_F(SessionTest, WhatHappensWhileAStatementIsPlannedIsNotPartOfIt) {
    declare("first", "event_type = 'purchase_sword'");
    declare("second", "event_type = 'purchase_sword'");
    buy("sword", 1);
    bool happened = false;
    world_->progress = [&](std::int64_t, std::int64_t) { // While `first` is planned.
        if (std::exchange(happened, true)) return;
        buy("sword", 2);
        world_->progress = {};
        land("second");
    };
    const std::string sql =
        "SELECT (SELECT count(*) FROM first), (SELECT count(*) FROM second), (SELECT count(*) FROM events)";
    EXPECT_EQ(ask(sql), (Rows{{"1", "1", "1"}}));
    ASSERT_TRUE(happened);
    EXPECT_EQ(ask(sql), (Rows{{"2", "2", "2"}}));
}

TEST_F(SessionTest, FilesOfAnotherDeclarationAreNotUsedAndItIsSaid) {
    declare("swords", "event_type = 'purchase_sword'");
    buy("sword", 3);
    buy("knife", 1);
    land("swords");
    declare("swords", "event_type = 'purchase_knife'");
    EXPECT_EQ(ask("SELECT price FROM swords"), (Rows{{"1"}}));
    ASSERT_EQ(notices_.size(), 1U);
    EXPECT_NE(notices_[0].find("another declaration"), std::string::npos);
    EXPECT_NE(notices_[0].find("`questlog batch write_swords`"), std::string::npos);
    EXPECT_EQ(ask("SELECT price FROM swords", {.landed_only = true}), (Rows{{"3"}}));
    EXPECT_EQ(notices_.size(), 2U);
}

TEST_F(SessionTest, FilesOfATopicThatWasMadeAnewAreNotUsedAndItIsSaid) {
    declare("swords", "event_type = 'purchase_sword'");
    buy("sword", 3);
    land("swords");
    remake_topic("game-events");
    buy("sword", 7);
    buy("sword", 8);
    EXPECT_EQ(ask("SELECT price FROM swords"), (Rows{{"7"}, {"8"}}));
    ASSERT_EQ(notices_.size(), 1U);
    EXPECT_NE(notices_[0].find("another log"), std::string::npos);
}

TEST_F(SessionTest, LandedBeyondTheLogsEndIsDamageNotAnAnswer) {
    auto& table = declare("swords", "event_type = 'purchase_sword'");
    buy("sword", 3);
    auto connection = database_->connect().value();
    lake::SnapshotFacts facts;
    facts.log_id = writer_->topic().id;
    facts.topic = "game-events";
    facts.declaration = table.digest();
    facts.ranges = {{0, Offset{0}, Offset{5}}};
    facts.examined = 5;
    ASSERT_TRUE(store_->overwrite(table.path, *connection, "SELECT 1::BIGINT AS price", facts).ok());
    Session session(*world_, {});
    const auto rows = session.query("SELECT * FROM swords");
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().kind, ErrorKind::corrupt);
    EXPECT_NE(rows.error().message.find("a part of the log is missing"), std::string::npos);
}

TEST_F(SessionTest, LandedAloneOfATableNeverLandedSaysHowToLandIt) {
    declare("swords", "");
    EXPECT_NE(ask("SELECT * FROM swords", {.landed_only = true})[0][0].find("`questlog batch write_swords`"),
              std::string::npos);
}

TEST_F(SessionTest, WithNoRowsATableHasItsDeclaredColumns) {
    declare("swords", "event_type = 'purchase_sword'", {{"Host", "'moe'"}});
    EXPECT_EQ(columns_of("swords"), "Host VARCHAR, timestamp VARCHAR");
    land("swords");
    EXPECT_EQ(columns_of("swords"), "Host VARCHAR, timestamp VARCHAR");
    EXPECT_EQ(ask("SELECT count(*) FROM swords"), (Rows{{"0"}}));
}

TEST_F(SessionTest, WithNoEventsATableHasTheColumnsOfItsDeclaredCalls) {
    declare("swords", "event_type = 'purchase_sword' AND price > 3").declared = {
        {"event_type", event::ColumnType::string},
        {"gift", event::ColumnType::boolean},
        {"price", event::ColumnType::double_}};
    const std::string columns = "event_type VARCHAR, gift BOOLEAN, price DOUBLE, timestamp VARCHAR";
    EXPECT_EQ(columns_of("swords"), columns);
    land("swords");
    EXPECT_EQ(columns_of("swords"), columns);
    buy("sword", 4);
    EXPECT_EQ(ask("SELECT price, gift FROM swords"), (Rows{{"4", "NULL"}})) << "as the whole log has it";
}

TEST_F(SessionTest, ShowTablesShowsWhatThereIs) {
    declare("swords", "event_type = 'purchase_sword'");
    EXPECT_EQ(ask("show tables"), (Rows{{"dead_letters"}, {"events"}, {"ledger"}, {"swords"}}));
    buy("knife", 3);
    EXPECT_EQ(ask("show tables"), (Rows{{"dead_letters"}, {"events"}, {"ledger"}, {"purchase_knife"}, {"swords"}}));
}

TEST_F(SessionTest, OnlyOneStatementThatReadsIsRun) {
    for (const std::string sql : {"SELECT 1; SELECT 2", "CREATE TABLE t AS SELECT * FROM events", "DROP VIEW events",
                                  "COPY events TO '/tmp/x.csv'", "", ";", "SELEC 1", "SET threads = 4"}) {
        Session session(*world_, {});
        const auto rows = session.query(sql);
        ASSERT_FALSE(rows.ok()) << sql;
        EXPECT_EQ(rows.error().kind, ErrorKind::reject) << sql << " -> " << rows.error().message;
    }
}

TEST_F(SessionTest, WhatIsWrongWithAStatementIsTold) {
    declare("swords", "");
    buy("sword", 3);
    const std::string count = "expected one SQL statement, found ";
    const std::string reads = "this statement does more than read: write a SELECT";
    const std::pair<std::string, std::string> cases[] = {
        {"SELECT 1; SELECT 2", count + "2"},
        {"SELECT * FROM swords; DROP TABLE swords", count + "2"},
        {"SELECT * FROM swords s JOIN events e USING (event_type); SELECT 1;", count + "2"},
        {"", count + "0"},
        {"-- nothing to run", count + "0"},
        {"INSERT INTO events VALUES (1)", reads},
        {"INSERT INTO no_such_table VALUES (1)", reads},
        {"DELETE FROM swords", reads},
        {"UPDATE swords SET price = 0", reads},
        {"DROP VIEW events", reads},
        {"CREATE TABLE t AS SELECT * FROM swords", reads},
        {"SET threads = 4", reads},
        {"EXPLAIN ANALYZE SELECT * FROM swords", reads},
        {"EXPLAIN INSERT INTO swords VALUES (1)", reads},
        {"SELEC 1", "syntax error at or near \"SELEC\""},
        {"EXPLAIN SELEC 1", "syntax error at or near \"SELEC\""},
        {"SELECT 1; SELEC 2", "syntax error at or near \"SELEC\""},
        {"SELECT no_such_column FROM swords", "no_such_column"},
    };
    for (const auto& [sql, told] : cases)
        EXPECT_NE(ask(sql)[0][0].find(told), std::string::npos) << sql << " -> " << ask(sql)[0][0];
}

TEST_F(SessionTest, WhatIsExplainedMayJoinByCommonColumns) {
    declare("swords", "");
    buy("sword", 3);
    for (const std::string explain : {"EXPLAIN", " explain\n", "EXPLAIN (FORMAT json)"}) {
        Session session(*world_, {});
        const auto rows = session.query_as_text(explain + " SELECT * FROM swords JOIN events USING (event_type)");
        EXPECT_TRUE(rows.ok()) << explain << " -> " << rows.error().message;
    }
}

TEST_F(SessionTest, AnUnknownTableIsAnsweredWithTheTablesThereAre) {
    declare("swords", "");
    EXPECT_NE(ask("SELECT * FROM sword")[0][0].find("tables: dead_letters, events, ledger, swords"), std::string::npos);
}

TEST_F(SessionTest, WithoutTheTopicTheAnswerSaysHowToMakeIt) {
    declare("swords", "");
    writer_.reset();
    std::filesystem::remove_all(folder_ + "/log");
    EXPECT_NE(ask("SELECT * FROM swords")[0][0].find("topic create"), std::string::npos)
        << ask("SELECT * FROM swords")[0][0];
    EXPECT_NE(ask("SELECT * FROM events")[0][0].find("topic create"), std::string::npos)
        << ask("SELECT * FROM events")[0][0];
}

TEST_F(SessionTest, EventsAreTheWholeLogOfEveryTopic) {
    post({R"({"event_type": "a", "text": "ä"})", "no event"});
    make_topic("other-events");
    post({R"({"event_type": "b"})"});
    EXPECT_EQ(ask("SELECT topic, partition, \"offset\", timestamp, event_type, value FROM events"),
              (Rows{{"game-events", "0", "0", "2026-11-22 21:58:53.998+00", "a", R"({"event_type": "a", "text": "ä"})"},
                    {"game-events", "0", "1", "2026-11-22 21:58:53.999+00", "NULL", "no event"},
                    {"other-events", "0", "0", "2026-11-22 21:58:54+00", "b", R"({"event_type": "b"})"}}));
}

TEST_F(SessionTest, DamagedFilesAreAnErrorThatSaysWhatToDo) {
    declare("swords", "");
    buy("sword", 3);
    land("swords");
    for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/lake/tmp/swords")) {
        if (entry.path().extension() == ".parquet") std::filesystem::resize_file(entry.path(), 30);
    }
    Session session(*world_, {});
    const auto rows = session.query("SELECT * FROM swords");
    ASSERT_FALSE(rows.ok());
    EXPECT_NE(rows.error().message.find("questlog batch"), std::string::npos) << rows.error().message;
}

// ---- Types that change after landing

class UnionTest : public QueryFixture {
protected:
    void SetUp() override { declare("plays", "event_type = 'play'"); }
    void play(const std::string& fields) { post({R"({"event_type": "play", )" + fields + "}"}); }
};

TEST_F(UnionTest, ColumnsOfEitherSideAreThereAndNullOnTheOther) {
    play(R"("a": 1)");
    land("plays");
    play(R"("b": true)");
    EXPECT_EQ(columns_of("plays"), "a BIGINT, b BOOLEAN, event_type VARCHAR, timestamp VARCHAR");
    EXPECT_EQ(ask("SELECT a, b FROM plays"), (Rows{{"1", "NULL"}, {"NULL", "true"}}));
}

TEST_F(UnionTest, TypesWidenAsOverTheWholeLogAndNotAsDuckDbCasts) {
    play(R"("whole": 1, "flag": true, "text": "x", "mixed": 7)");
    land("plays");
    play(R"("whole": 2.5, "flag": 3, "text": 4, "mixed": "seven")");
    EXPECT_EQ(columns_of("plays"),
              "event_type VARCHAR, flag VARCHAR, mixed VARCHAR, text VARCHAR, timestamp VARCHAR, whole DOUBLE");
    EXPECT_EQ(ask("SELECT whole, flag, text, mixed FROM plays"),
              (Rows{{"1.0", "true", "x", "7"}, {"2.5", "3", "4", "seven"}}));
    EXPECT_TRUE(notices_.empty());
}

TEST_F(UnionTest, TypesAreThoseOfAllEventsAlsoOfThoseThatWhereLeftOut) {
    declare("high", "level > 5");
    declare("high_twin", "level > 5");
    play(R"("level": 1, "item": "sword", "a.b": null)");
    land("high");
    play(R"("level": 9, "item": 5, "a.b": 5)");
    EXPECT_EQ(ask("SELECT item FROM high WHERE item = 'sword'"), Rows{});
    EXPECT_EQ(columns_of("high"), columns_of("high_twin"));
    EXPECT_EQ(ask("SELECT * FROM high"), ask("SELECT * FROM high_twin"));
    EXPECT_TRUE(notices_.empty() || notices_[0].find("whole log") == std::string::npos);
}

TEST_F(UnionTest, AKeyThatSetReplacedInAnotherCaseIsNotForgotten) {
    declare("priced", "", {{"price", "1"}});
    declare("priced_twin", "", {{"price", "1"}});
    play(R"("Price": "first")");
    land("priced");
    play(R"("price": 2)");
    EXPECT_EQ(columns_of("priced"), columns_of("priced_twin"));
    EXPECT_EQ(ask("SELECT * FROM priced"), ask("SELECT * FROM priced_twin"));
}

TEST_F(UnionTest, MoreColumnsThanATableHasAreReadFromTheWholeLog) {
    const auto keys = [](int from, int to) {
        std::string fields;
        for (int i = from; i < to; ++i) fields += fmt::format("{}\"k{}\": 1", i == from ? "" : ", ", i);
        return fields;
    };
    declare("wide", "");
    declare("wide_twin", "");
    play(keys(0, 900));
    land("wide");
    play(keys(900, 1200));
    EXPECT_EQ(columns_of("wide"), columns_of("wide_twin"));
}

TEST_F(UnionTest, AColumnThatWasLandedAsNothingButNullsTakesTheTailsType) {
    play(R"("level": null)");
    land("plays");
    play(R"("level": 5)");
    EXPECT_EQ(columns_of("plays"), "event_type VARCHAR, level BIGINT, timestamp VARCHAR");
    EXPECT_EQ(ask("SELECT level FROM plays"), (Rows{{"NULL"}, {"5"}}));
}

TEST_F(UnionTest, DoublesThatBecomeTextAreReadFromTheLogAgain) {
    play(R"("price": 1.50)");
    land("plays");
    play(R"("price": "free")");
    EXPECT_EQ(ask("SELECT price FROM plays"), (Rows{{"1.50"}, {"free"}}));
    ASSERT_EQ(notices_.size(), 1U);
    EXPECT_NE(
        notices_[0].find("column price holds doubles in some events and text in others, so the whole log is read"),
        std::string::npos);
}

TEST_F(UnionTest, AColumnThatTheFilterReadsAndThatChangesItsTypeIsReadFromTheLogAgain) {
    declare("plays", "event_type = 'play' AND level LIKE '1%'");
    play(R"("level": 10)");
    play(R"("level": 20)");
    land("plays");
    play(R"("level": "1st")");
    EXPECT_EQ(ask("SELECT level FROM plays"), (Rows{{"10"}, {"1st"}}));
    ASSERT_EQ(notices_.size(), 1U);
    EXPECT_NE(notices_[0].find("column level, which the table's declaration reads"), std::string::npos);
}

TEST_F(UnionTest, WhatSetMakesHasOneTypeOnBothSides) {
    declare("plays", "event_type = 'play'", {{"level", "level > 3"}, {"double", "level * 2"}});
    play(R"("level": 5)");
    land("plays");
    play(R"("level": 2)");
    EXPECT_EQ(columns_of("plays"), "double BIGINT, event_type VARCHAR, level BOOLEAN, timestamp VARCHAR");
    EXPECT_EQ(ask("SELECT level, double FROM plays"), (Rows{{"true", "10"}, {"false", "4"}}));
}

} // namespace
} // namespace questlog::query
