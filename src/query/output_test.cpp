#include "query/output.h"
#include "query/query_fixture.h"
#include "query/show.h"

#include <fstream>

namespace questlog::query {
namespace {

class OutputTest : public QueryFixture {
protected:
    std::string output(const std::string& sql, Format format) {
        Session session(*world_, {});
        std::string text;
        chunks_ = 0;
        const Status done = run_sql(*world_, session, sql, format, [&](std::string_view bytes) {
            ++chunks_;
            text += bytes;
            return Status();
        });
        return done.ok() ? text : "error: " + done.error().message;
    }
    void post_plays() {
        declare("plays", "event_type = 'play'");
        post({R"({"event_type": "play", "level": 1, "score": 1.5, "won": true, "text": "a, \"b\"\n"})",
              R"({"event_type": "play", "level": 9223372036854775807, "score": 1e300, "won": false, "text": ""})",
              R"({"event_type": "play", "text": "😀"})"});
    }
    int chunks_ = 0;
};

TEST_F(OutputTest, FormatsAreKnownByName) {
    EXPECT_EQ(format_named("json"), Format::json);
    EXPECT_EQ(format_named("xml"), std::nullopt);
}

TEST_F(OutputTest, CsvHasAHeaderAndTellsNullFromEmpty) {
    post_plays();
    EXPECT_EQ(output("SELECT level, score, won, text, timestamp FROM plays", Format::csv),
              "level,score,won,text,timestamp\n"
              "1,1.5,true,\"a, \"\"b\"\"\n\",2026-11-22 21:58:53.998\n"
              "9223372036854775807,1e+300,false,\"\",2026-11-22 21:58:53.999\n"
              ",,,😀,2026-11-22 21:58:54\n");
    EXPECT_EQ(output("SELECT level FROM plays WHERE FALSE", Format::csv), "level\n");
}

TEST_F(OutputTest, JsonIsAnArrayOfObjectsWithTypedValues) {
    post_plays();
    EXPECT_EQ(output("SELECT level, score, won, text, DATE '2026-11-22' AS \"the \"\"day\" FROM plays", Format::json),
              "[\n"
              R"({"level": 1, "score": 1.5, "won": true, "text": "a, \"b\"\n", "the \"day": "2026-11-22"},)"
              "\n"
              R"({"level": 9223372036854775807, "score": 1e+300, "won": false, "text": "", "the \"day": "2026-11-22"},)"
              "\n"
              R"({"level": null, "score": null, "won": null, "text": "😀", "the \"day": "2026-11-22"})"
              "\n"
              "]\n");
    EXPECT_EQ(output("SELECT level FROM plays WHERE FALSE", Format::json), "[]\n");
    EXPECT_EQ(
        output("SELECT 'nan'::DOUBLE AS n, '-inf'::DOUBLE AS i, sum(1) AS h, 1.50::DECIMAL(9,2) AS d", Format::json),
        "[\n{\"n\": null, \"i\": null, \"h\": 1, \"d\": 1.50}\n]\n");
}

TEST_F(OutputTest, TableIsABoxWithItsRowCount) {
    post_plays();
    EXPECT_EQ(output("SELECT level, won, text FROM plays ORDER BY level", Format::table),
              "+-------------------+-----+--------+\n"
              "|              level|won  |text    |\n"
              "+-------------------+-----+--------+\n"
              "|                  1|true |a, \"b\"\\n|\n"
              "|9223372036854775807|false|        |\n"
              "|               NULL|NULL |😀      |\n"
              "+-------------------+-----+--------+\n"
              "(3 rows)\n");
    EXPECT_EQ(output("SELECT 1 AS n", Format::table), "+-+\n|n|\n+-+\n|1|\n+-+\n(1 row)\n");
}

TEST_F(OutputTest, ATableTooLongForATerminalSaysSo) {
    const std::string text = output("SELECT i FROM range(10001) t(i)", Format::table);
    EXPECT_TRUE(text.ends_with("only showing 10000 of 10001 rows: --format csv writes all\n"));
}

TEST_F(OutputTest, LongAnswersGoOutInChunks) {
    const std::string text = output("SELECT i, repeat('x', 100) AS s FROM range(50000) t(i)", Format::csv);
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 50'001);
    EXPECT_GT(chunks_, 50);
}

TEST_F(OutputTest, ASinkThatFailsEndsTheOutput) {
    Session session(*world_, {});
    for (const Format format : {Format::csv, Format::json, Format::table, Format::parquet}) {
        const Status done = run_sql(*world_, session, "SELECT i FROM range(100000) t(i)", format,
                                    [](std::string_view) -> Status { return internal("the pipe is closed"); });
        ASSERT_FALSE(done.ok());
        EXPECT_EQ(done.error().message, "the pipe is closed");
    }
}

TEST_F(OutputTest, ParquetIsAFileThatReadsBack) {
    post_plays();
    const std::string bytes = output("SELECT level, text FROM plays; -- all of them", Format::parquet);
    ASSERT_TRUE(bytes.starts_with("PAR1") && bytes.ends_with("PAR1")) << bytes;
    const std::string file = folder_ + "/answer.parquet";
    std::ofstream(file, std::ios::binary) << bytes;
    EXPECT_EQ(ask("SELECT count(*), max(level) FROM read_parquet('" + file + "')"),
              (Rows{{"3", "9223372036854775807"}}));
}

TEST_F(OutputTest, ErrorsAreTheSameInEveryFormat) {
    for (const Format format : {Format::csv, Format::json, Format::table, Format::parquet})
        EXPECT_NE(output("SELECT * FROM nowhere", format).find("tables: dead_letters, events"), std::string::npos);
}

TEST_F(OutputTest, ShowAndSchemaPrintAsSparkDoes) {
    post_plays();
    Session session(*world_, {});
    EXPECT_EQ(*schema_table(session, "plays"), "root\n"
                                               " |-- event_type: string (nullable = true)\n"
                                               " |-- level: long (nullable = true)\n"
                                               " |-- score: double (nullable = true)\n"
                                               " |-- text: string (nullable = true)\n"
                                               " |-- timestamp: string (nullable = true)\n"
                                               " |-- won: boolean (nullable = true)\n\n");
    EXPECT_EQ(*show_table(session, "Plays", {.rows = 2}),
              "+----------+-------------------+-------+--------+--------------------+-----+\n"
              "|event_type|              level|  score|    text|           timestamp|  won|\n"
              "+----------+-------------------+-------+--------+--------------------+-----+\n"
              "|      play|                  1|    1.5|a, \"b\"\\n|2026-11-22 21:58:...| true|\n"
              "|      play|9223372036854775807|1.0E300|        |2026-11-22 21:58:...|false|\n"
              "+----------+-------------------+-------+--------+--------------------+-----+\n"
              "only showing top 2 rows\n\n");
    EXPECT_EQ(*show_table(session, "events", {.rows = 1, .truncate = 24}),
              "+-----------+---------+------+-----------------------+----------+------------------------+\n"
              "|      topic|partition|offset|              timestamp|event_type|                   value|\n"
              "+-----------+---------+------+-----------------------+----------+------------------------+\n"
              "|game-events|        0|     0|2026-11-22 21:58:53.998|      play|{\"event_type\": \"play\"...|\n"
              "+-----------+---------+------+-----------------------+----------+------------------------+\n"
              "only showing top 1 row\n\n");
    EXPECT_NE(show_table(session, "nowhere", {}).error().message.find("tables: dead_letters, events, ledger, play"),
              std::string::npos);
}

TEST_F(OutputTest, MicrosecondsArePrintedWithoutTrailingZeros) {
    Session session(*world_, {});
    auto rows = session.query("SELECT TIMESTAMPTZ '2026-11-22 21:58:53.000120+00' UNION ALL "
                              "SELECT TIMESTAMPTZ '1969-12-31 23:59:59.5+00'");
    const TextTable text = *to_text(**rows, 10);
    EXPECT_EQ(text.rows[0][0], "2026-11-22 21:58:53.00012");
    EXPECT_EQ(text.rows[1][0], "1969-12-31 23:59:59.5");
}

} // namespace
} // namespace questlog::query
