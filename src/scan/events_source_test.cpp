#include "scan/fake_log.h"
#include "scan/plan.h"
#include "scan/query_rows.h"
#include "scan/utf8_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

using testing::FakeLog;
using testing::Rows;

class EventsSourceTest : public ::testing::Test {
protected:
    Rows read(const std::string& sql, const std::vector<TopicRange>& topics) {
        EXPECT_TRUE(connection_->offer("events", events_source(topics)).ok());
        return testing::rows_of(*connection_, sql);
    }
    Rows read(const std::string& sql) { return read(sql, {{&log_, log_.all()}}); }

    FakeLog log_{2};
    testing::FakePartition& first_ = log_.partition(Partition{0});
    testing::FakePartition& second_ = log_.partition(Partition{1});
    std::unique_ptr<duck::Connection> connection_ = duck::Database::open({}).value()->connect().value();
};

TEST_F(EventsSourceTest, ShowsTheWholeLogAsItIs) {
    first_.append({R"({"event_type": "default", "Host": "a"})", "no JSON"});
    first_.append({"{}"});
    second_.append({R"({"event_type": "join_guild"})"}, 0);
    EXPECT_EQ(
        read("SELECT * FROM events"),
        (Rows{{"game-events", "0", "0", "2026-11-22 21:58:53.873+00", "default",
               R"({"event_type": "default", "Host": "a"})"},
              {"game-events", "0", "1", "2026-11-22 21:58:53.874+00", "NULL", "no JSON"},
              {"game-events", "0", "2", "2026-11-22 21:58:53.873+00", "NULL", "{}"},
              {"game-events", "1", "0", "1970-01-01 00:00:00+00", "join_guild", R"({"event_type": "join_guild"})"}}));
}

TEST_F(EventsSourceTest, CountsAndOffsetsAreTheRangesOwn) {
    for (int i = 0; i < 5; ++i) first_.append({"{}", "{}", "{}"});
    const LogRange range{{Partition{0}, Offset{4}, Offset{11}}, {Partition{1}, Offset{0}, Offset{0}}};
    EXPECT_EQ(read("SELECT count(*) FROM events", {{&log_, range}}), (Rows{{"7"}}));
    EXPECT_EQ(read("SELECT \"offset\" FROM events", {{&log_, range}}),
              (Rows{{"4"}, {"5"}, {"6"}, {"7"}, {"8"}, {"9"}, {"10"}}));
    EXPECT_EQ(read("SELECT \"offset\", value FROM events WHERE \"offset\" >= 9", {{&log_, range}}),
              (Rows{{"9", "{}"}, {"10", "{}"}}));
}

TEST_F(EventsSourceTest, SeveralTopicsFollowEachOther) {
    FakeLog other(1, "other");
    first_.append({"{}"});
    other.partition(Partition{0}).append({"{}", "{}"});
    EXPECT_EQ(read("SELECT topic, count(*) FROM events GROUP BY topic ORDER BY topic",
                   {{&log_, log_.all()}, {&other, other.all()}}),
              (Rows{{"game-events", "1"}, {"other", "2"}}));
    EXPECT_EQ(read("SELECT count(*) FROM events", {}), (Rows{{"0"}}));
}

TEST_F(EventsSourceTest, ManyEventsAreAllThere) {
    for (int i = 0; i < 10; ++i)
        first_.append(std::vector<std::string>(1000, R"({"event_type": "a type of more than twelve"})"));
    EXPECT_EQ(read("SELECT event_type, count(*), max(\"offset\") FROM events GROUP BY 1"),
              (Rows{{"a type of more than twelve", "10000", "9999"}}));
}

TEST_F(EventsSourceTest, BytesThatAreNoTextDoNotBreakTheQuery) {
    first_.append({"caf\xc3\xa9 \xff\xfe", std::string("a\0b", 3), "\xed\xa0\x80"});
    EXPECT_EQ(read("SELECT value FROM events"),
              (Rows{{"café \uFFFD\uFFFD"}, {std::string("a\0b", 3)}, {"\uFFFD\uFFFD\uFFFD"}}));
}

TEST_F(EventsSourceTest, TimesOutsideSqlsAreNull) {
    first_.append({"{}"}, INT64_MAX);
    first_.append({"{}"}, -1);
    EXPECT_EQ(read("SELECT timestamp FROM events"), (Rows{{"NULL"}, {"1969-12-31 23:59:59.999+00"}}));
}

TEST_F(EventsSourceTest, DamageEndsTheQuery) {
    first_.append({"{}"});
    first_.damaged_at = 0;
    ASSERT_TRUE(connection_->offer("events", events_source({{&log_, log_.all()}})).ok());
    const auto rows = connection_->query("SELECT count(*) FROM events");
    ASSERT_FALSE(rows.ok());
    EXPECT_EQ(rows.error().kind, ErrorKind::corrupt);
}

TEST(ShownAsUtf8, KeepsWhatIsValid) {
    std::string buffer;
    for (const std::string_view text :
         {"", "ascii", "eight by", "é€😀", "\u007f\u0080\u07ff\u0800\uffff", "a long line of ascii, then é"})
        EXPECT_EQ(shown_as_utf8(text, buffer).data(), text.data());
}

TEST(ShownAsUtf8, ReplacesEachByteThatBelongsToNoCharacter) {
    std::string buffer;
    const auto shown = [&buffer](std::string_view text) { return std::string(shown_as_utf8(text, buffer)); };
    EXPECT_EQ(shown("\x80"), "\uFFFD");
    EXPECT_EQ(shown("a\xc3"), "a\uFFFD");
    EXPECT_EQ(shown("\xc0\xaf"), "\uFFFD\uFFFD");                       // overlong
    EXPECT_EQ(shown("\xe0\x80\x80"), "\uFFFD\uFFFD\uFFFD");             // overlong
    EXPECT_EQ(shown("\xf4\x90\x80\x80x"), "\uFFFD\uFFFD\uFFFD\uFFFDx"); // above U+10FFFF
    EXPECT_EQ(shown("12345678\xff"
                    "é12345678\xff"),
              "12345678\uFFFDé12345678\uFFFD");
}

} // namespace
} // namespace questlog::scan
