#include "query/time_range_fixture.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

/// A statement that compares `timestamp` with constants reads the segments of that time alone.
namespace questlog::query {
namespace {

class TimeRangeTest : public TimeRangeFixture {
protected:
    /// From 10:00, a batch of ten events every second for ten minutes: 6,000 events in some sixty segments.
    TimeRangeTest() {
        now_ms_ = ten_o_clock;
        for (int second = 0; second < 600; ++second) {
            now_ms_ = ten_o_clock + second * 1000;
            std::vector<std::string> values;
            for (int i = 0; i < 10; ++i) values.push_back(event(second * 10 + i, 100));
            post(values);
        }
        declare("wins", "event_type = 'win'", {{"timestamp", "CAST(timestamp AS STRING)"}});
        whole_ = reads_of("SELECT count(value) FROM events");
    }

    static constexpr std::int64_t ten_o_clock = 1'795'600'800'000; // 2026-11-25 10:00
    Reads whole_;
};

TEST_F(TimeRangeTest, TheLogHasManySegments) {
    EXPECT_GE(whole_.segments, 50U);
    EXPECT_EQ(ask("SELECT count(*), min(timestamp), max(timestamp) FROM events"),
              (Rows{{"6000", "2026-11-25 10:00:00+00", "2026-11-25 10:09:59.009+00"}}));
}

/// Each asks for half a minute, which is three segments, or less; time is looked for by halving.
TEST_F(TimeRangeTest, EventsOfATimeAreReadFromItsSegments) {
    const std::vector<std::pair<std::string, std::string>> wheres{
        {"timestamp >= '2026-11-25 10:05' AND timestamp < '2026-11-25 10:05:30'", "300"},
        {"timestamp BETWEEN '2026-11-25 10:05' AND '2026-11-25 10:05:29.999'", "300"},
        {"'2026-11-25 10:05' <= timestamp AND '2026-11-25 10:05:30' > timestamp AND value LIKE '%win%'", "100"},
        {"timestamp >= TIMESTAMP '2026-11-25 10:05' AND timestamp < TIMESTAMPTZ '2026-11-25 12:05:30+02'", "300"},
        {"NOT (timestamp < '2026-11-25 10:05') AND NOT (timestamp >= '2026-11-25 10:05:30')", "300"},
        {"timestamp > '2026-11-25 10:06'::TIMESTAMPTZ - INTERVAL 1 MINUTE AND timestamp <= '2026-11-25 10:05:30'",
         "300"},
        {"timestamp = '2026-11-25 10:05'", "1"},
        {"timestamp < '2026-11-25 10:00:20'", "200"},
        {"timestamp >= '2026-11-25 10:09:40'", "200"},
        {"date_trunc('minute', timestamp) = '2026-11-25 10:05' AND timestamp < '2026-11-25 10:05:10'", "100"},
        {"timestamp > now() + INTERVAL 1000 YEAR", "0"},
        {"timestamp < now() - INTERVAL 1000 YEAR", "0"},
        {"timestamp > NULL", "0"},
    };
    for (const auto& [where, count] : wheres) {
        const std::string sql = "SELECT count(*) FROM events WHERE " + where;
        EXPECT_EQ(ask(sql), (Rows{{count}})) << where;
        const Reads reads = reads_of(sql);
        EXPECT_LE(reads.segments, 16U) << where;
        EXPECT_LE(reads.bytes, whole_.bytes / 4) << where;
    }
}

TEST_F(TimeRangeTest, WhereverTheEventsAreMentioned) {
    const std::string half = "timestamp BETWEEN '2026-11-25 10:05' AND '2026-11-25 10:05:30'";
    for (const std::string& sql : std::vector<std::string>{
             "SELECT count(value) FROM (SELECT * FROM events) AS e WHERE e." + half,
             "WITH e AS (SELECT * FROM events WHERE " + half +
                 ") SELECT count(a.value) FROM e a JOIN e b USING (\"offset\")",
             "SELECT count(*) FROM events a JOIN events b USING (\"offset\") WHERE a.timestamp > '2026-11-25 "
             "10:05' AND a.timestamp < '2026-11-25 10:05:30' AND b.timestamp = '2026-11-25 10:05:10'",
             "SELECT value FROM events WHERE " + half + " UNION ALL SELECT value FROM events WHERE " + half,
             "SELECT 1 WHERE 7 < (SELECT count(value) FROM events WHERE " + half + ")",
             "SELECT * FROM events WHERE " + half + " ORDER BY \"offset\" DESC LIMIT 1",
             "FROM events SELECT value WHERE " + half + " -- and this is all",
         }) {
        const Reads reads = reads_of(sql);
        EXPECT_LE(reads.bytes, whole_.bytes / 2) << sql;
        EXPECT_LE(reads.segments, 16U) << sql;
    }
}

/// A mention without the condition reads it all, whatever the others say; so does a condition that is not of each row.
TEST_F(TimeRangeTest, WhatAsksForAllReadsAll) {
    for (const std::string& sql : std::vector<std::string>{
             "SELECT count(value) FROM events WHERE timestamp > '2026-11-25 10:09' OR value LIKE '%n%'",
             "SELECT count(value) FILTER (WHERE timestamp > '2026-11-25 10:09'), count(value) FROM events",
             "SELECT count(a.value) FROM events a LEFT JOIN (SELECT * FROM events LIMIT 1) b ON a.timestamp > "
             "'2026-11-25 10:09'",
             "SELECT count(value) FROM events WHERE epoch_ms(timestamp) > 0",
         })
        EXPECT_EQ(reads_of(sql).segments, whole_.segments) << sql;
}

/// The plan reads the log once, for its columns' types; of the rows only those of the time are read again.
TEST_F(TimeRangeTest, ATablesRowsAreReadFromTheirSegments) {
    const std::int64_t plan = reads_of("SELECT 1 FROM wins WHERE false").bytes;
    EXPECT_GE(reads_of("SELECT sum(n) FROM wins").bytes, plan + whole_.bytes * 9 / 10);
    for (const std::string& where :
         std::vector<std::string>{"timestamp >= '2026-11-25 10:05' AND timestamp < '2026-11-25 10:05:30'",
                                  "timestamp BETWEEN '2026-11-25 10:05' AND '2026-11-25 10:05:29.999' AND n > 5",
                                  "timestamp LIKE '2026%' AND timestamp < '2026-11-25 10:00:30'"}) {
        const std::string sql = "SELECT count(*), min(n) >= 0 FROM wins WHERE " + where;
        EXPECT_EQ(ask(sql), (Rows{{"100", "true"}})) << where;
        EXPECT_LE(reads_of(sql).bytes, plan + whole_.bytes / 4) << where;
    }
}

TEST_F(TimeRangeTest, ATimestampThatIsNotTheEventsOwnBoundsNothing) {
    declare("games", "", {{"timestamp", "CAST(n AS STRING)"}});
    const std::string sql =
        "SELECT count(*), min(n), max(n) FROM games WHERE timestamp >= '2026' AND timestamp < '2027'";
    EXPECT_EQ(ask(sql), (Rows{{"1", "2026", "2026"}}));
    EXPECT_EQ(ask("SELECT count(*) FROM games WHERE timestamp = '2026'"), (Rows{{"1"}}));
}

TEST_F(TimeRangeTest, ExplainShowsWhatIsRead) {
    const auto scans = [&](const std::string& sql) {
        const Rows rows = ask("EXPLAIN (FORMAT json) " + sql);
        std::size_t count = 0;
        for (std::size_t at = 0; (at = rows[0].back().find("\"name\": \"QUESTLOG_ROWS", at)) != std::string::npos; ++at)
            ++count;
        return count;
    };
    EXPECT_EQ(scans("SELECT * FROM events WHERE timestamp > '2026-11-25 10:05'"), 1U);
    EXPECT_EQ(scans("SELECT * FROM events WHERE timestamp > '2026-11-25 10:05' OR value = ''"), 3U);
}

TEST_F(TimeRangeTest, DamageWhereATimeIsLookedForIsOnlyMetByWhoReadsThere) {
    std::vector<std::string> segments;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ + "/log"))
        if (entry.path().extension() == ".log") segments.push_back(entry.path());
    std::sort(segments.begin(), segments.end());
    for (std::size_t i = segments.size() / 2; i < segments.size(); ++i)
        std::fstream(segments[i], std::ios::in | std::ios::out | std::ios::binary).seekp(70).put('?');
    EXPECT_EQ(ask("SELECT \"offset\" FROM events WHERE timestamp >= '2026-11-25 10:00:01' LIMIT 1"), (Rows{{"10"}}));
    EXPECT_NE(ask("SELECT count(*) FROM events WHERE timestamp >= '2026-11-25 10:05'")[0][0].find("is damaged"),
              std::string::npos);
}

/// No writer lets it happen; a foreign one may have.
TEST_F(TimeRangeTest, ATimeThatGoesBackIsToldWhereItIsRead) {
    now_ms_ = ten_o_clock;
    post({event(6000)});
    const Rows told = ask("SELECT count(*) FROM events WHERE timestamp >= '2026-11-25 10:09'");
    ASSERT_EQ(told.size(), 1U);
    EXPECT_NE(told[0][0].find("time goes back at offset 6000"), std::string::npos) << told[0][0];
    EXPECT_EQ(ask("SELECT count(*) FROM events"), (Rows{{"6001"}}));
    // A plan has seen it, and cuts nothing.
    EXPECT_EQ(ask("SELECT count(*) FROM wins WHERE timestamp < '2026-11-25 10:00:01'"), (Rows{{"5"}}));
}

} // namespace
} // namespace questlog::query
