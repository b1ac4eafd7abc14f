#include "query/time_range_fixture.h"

#include <algorithm>
#include <random>

/// Whatever a statement asks, its answer is the same as over the whole log.
namespace questlog::query {
namespace {

/// By number of partitions.
class TimeRangeProperty : public TimeRangeFixture, public ::testing::WithParamInterface<std::int32_t> {
protected:
    TimeRangeProperty() : TimeRangeFixture(GetParam()) {}

    template <class T> const T& one_of(const std::vector<T>& all) { return all[random_() % all.size()]; }

    /// Events at times that repeat, and leave gaps of up to hours.
    void post_some(int batches) {
        for (int i = 0; i < batches; ++i) {
            if (random_() % 3 == 0) now_ms_ += static_cast<std::int64_t>(random_() % 4'000'000);
            std::vector<std::string> values;
            for (std::size_t k = 0; k <= random_() % 5; ++k)
                values.push_back(event(++n_, static_cast<int>(random_() % 200)));
            const std::int64_t start = now_ms_;
            post(values, static_cast<std::int32_t>(random_() % static_cast<std::uint64_t>(GetParam())));
            if (random_() % 2 == 0) --now_ms_; // The next batch begins at the time at which this one ends.
            times_.push_back(start);
            times_.push_back(now_ms_);
        }
    }

    /// A constant for `timestamp` of `events`, or as text.
    std::string constant(bool is_text) {
        const std::string time = scan::spark_timestamp(TimestampMs{one_of(times_)});
        const std::string later = scan::spark_timestamp(TimestampMs{one_of(times_) + 1});
        static const std::vector<std::string> odd_texts{"", "x", "2026", "2026-1", "9999-12-31", "+10000-01-01", "0"};
        static const std::vector<std::string> odd_times{"'infinity'",
                                                        "'-infinity'",
                                                        "now()",
                                                        "now() - INTERVAL 40 YEAR",
                                                        "TIMESTAMP '9999-12-31 23:59:59.9999'",
                                                        "'290000-01-01'",
                                                        "'1000-01-01 (BC)'",
                                                        "DATE '2026-11-23'",
                                                        "make_timestamptz(1795384733998001)"};
        switch (random_() % 8) {
        case 0: return "NULL";
        case 1: return is_text ? duck::quote_literal(one_of(odd_texts)) : one_of(odd_times);
        case 2: return duck::quote_literal(later);
        case 3: return is_text ? duck::quote_literal(time.substr(0, random_() % time.size())) : "'" + time + "+01'";
        case 4:
            return is_text ? duck::quote_literal(time + "0")
                           : fmt::format("CAST('{}' AS TIMESTAMPTZ) + INTERVAL ({}) MICROSECONDS", time,
                                         static_cast<int>(random_() % 2001) - 1000);
        default: return duck::quote_literal(time);
        }
    }

    std::string comparison(const std::string& column, bool is_text) {
        static const std::vector<std::string> operators{"<", "<=", ">", ">=", "=", "<>"};
        const auto a = [&] { return constant(is_text); };
        const std::string time = column + "timestamp";
        switch (random_() % 12) {
        case 0: return fmt::format("{} BETWEEN {} AND {}", time, a(), a());
        case 1: return fmt::format("{} {} {}", a(), one_of(operators), time);
        case 2: return fmt::format("{} IN ({}, {})", time, a(), a());
        case 3: return fmt::format("{} IS {}DISTINCT FROM {}", time, random_() % 2 == 0 ? "NOT " : "", a());
        case 4: return fmt::format("{} IS NOT NULL", time);
        case 5:
            return is_text ? fmt::format("{} LIKE '2026-11-2{}%'", time, random_() % 10)
                           : fmt::format("CAST({} AS DATE) {} DATE '2026-11-23'", time, one_of(operators));
        default: return fmt::format("{} {} {}", time, one_of(operators), a());
        }
    }
    std::string condition(const std::string& column, bool is_text, int depth = 2) {
        if (depth == 0 || random_() % 3 == 0) return comparison(column, is_text);
        const std::string one = condition(column, is_text, depth - 1);
        switch (random_() % 5) {
        case 0: return fmt::format("NOT ({})", one);
        case 1: return fmt::format("({} OR {})", one, condition(column, is_text, depth - 1));
        case 2: return fmt::format("({} AND {}key % 3 = 1)", one, column);
        case 3:
            return fmt::format("CASE WHEN {} THEN {} ELSE {}key > 40 END", one, comparison(column, is_text), column);
        default: return fmt::format("({} AND {})", one, condition(column, is_text, depth - 1));
        }
    }

    std::string statement() {
        const bool is_text = random_() % 2 == 0;
        const std::string table =
            is_text ? "(SELECT *, n AS key FROM plays)" : "(SELECT *, \"offset\" * 10 + partition AS key FROM events)";
        const auto where = [&](const std::string& column = "") { return condition(column, is_text); };
        const auto join = [&](const std::string& kind) {
            return fmt::format("SELECT a.*, b.* FROM {0} a {1} JOIN {0} b ON a.key = b.key AND {2} WHERE {3}", table,
                               kind, where(random_() % 2 == 0 ? "a." : "b."), where(random_() % 2 == 0 ? "a." : "b."));
        };
        switch (random_() % 24) {
        case 0: return join("LEFT");
        case 1: return join("RIGHT");
        case 2: return join("FULL");
        case 3: return join("INNER");
        case 4:
            return fmt::format("SELECT * FROM {0} a WHERE EXISTS (SELECT 1 FROM {0} b WHERE b.key = a.key + 1 AND {1})",
                               table, where("b."));
        case 5:
            return fmt::format("SELECT * FROM {0} WHERE {1} UNION ALL SELECT * FROM {0} WHERE {2}", table, where(),
                               where());
        case 6: return fmt::format("SELECT key FROM {0} EXCEPT SELECT key FROM {0} WHERE {1}", table, where());
        case 7: return fmt::format("WITH e AS ({2} (SELECT * FROM {0})) SELECT * FROM e WHERE {1}", table, where(), "");
        case 8: return fmt::format("SELECT * FROM (SELECT * FROM {} ORDER BY key LIMIT 20) WHERE {}", table, where());
        case 9:
            return fmt::format("SELECT *, row_number() OVER (ORDER BY key) AS r FROM {} QUALIFY {}", table, where());
        case 10:
            return fmt::format("SELECT key, (SELECT count(*) FROM {0} b WHERE b.key < a.key AND {1}) FROM {0} a", table,
                               where(random_() % 2 == 0 ? "a." : "b."));
        case 11:
            return fmt::format("SELECT count(*), count(*) FILTER (WHERE {}), max(timestamp) FROM {} WHERE {}", where(),
                               table, where());
        case 12: return fmt::format("SELECT '2026-11-23' AS timestamp, key FROM {} WHERE {}", table, where());
        case 13:
            return fmt::format("SELECT timestamp, count(*) FROM {} GROUP BY timestamp HAVING {}", table,
                               comparison("", is_text));
        default: return fmt::format("SELECT * FROM {} WHERE {}", table, where());
        }
    }

    std::mt19937 random_{20261125};
    std::vector<std::int64_t> times_;
    int n_ = 0;
};

TEST_P(TimeRangeProperty, TheAnswerIsThatOfTheWholeLog) {
    int rows_seen = 0;
    int narrowed = 0;
    for (int round = 0; round < 12; ++round) {
        post_some(25);
        declare("plays", "event_type = 'play'", {{"timestamp", "CAST(timestamp AS STRING)"}});
        if (round == 6) land("plays");
        for (int i = 0; i < 20; ++i) {
            const std::string sql = statement();
            SCOPED_TRACE(sql);
            files_.bytes_read = 0;
            Rows whole = ask_whole(sql);
            const std::int64_t bytes = files_.bytes_read;
            Rows rows = ask(sql);
            narrowed += files_.bytes_read - bytes < bytes;
            if (sql.find("JOIN") != std::string::npos || sql.find("GROUP BY") != std::string::npos ||
                sql.find("EX") != std::string::npos || sql.find("a WHERE") != std::string::npos ||
                sql.find(") FROM") != std::string::npos) { // In whatever order DuckDB gives them.
                std::sort(rows.begin(), rows.end());
                std::sort(whole.begin(), whole.end());
            }
            ASSERT_EQ(rows, whole);
            rows_seen += !rows.empty();
        }
    }
    EXPECT_GE(rows_seen, 100) << "answers must have rows to lose";
    EXPECT_GE(narrowed, 15) << "and many must be read in part";
}

INSTANTIATE_TEST_SUITE_P(Partitions, TimeRangeProperty, ::testing::Values(1, 2));

} // namespace
} // namespace questlog::query
