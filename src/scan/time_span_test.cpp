#include "scan/time_span.h"

#include "scan/plan.h"
#include "scan/timestamp_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

namespace questlog::scan {
namespace {

constexpr std::int64_t ten_o_clock = 1'795'600'800'000; // 2026-11-25 10:00

std::pair<std::int64_t, std::int64_t> of(const TimeCut& cut) {
    return {cut.reached.value, cut.passed.value};
}

TEST(TimestampCut, EventsHaveMillisecondsAndConstantsMicroseconds) {
    EXPECT_EQ(of(timestamp_cut("", 7'000)), std::pair(7L, 8L));
    EXPECT_EQ(of(timestamp_cut("", 7'001)), std::pair(8L, 8L));
    EXPECT_EQ(of(timestamp_cut("", 6'999)), std::pair(7L, 7L));
    EXPECT_EQ(of(timestamp_cut("", -7'000)), std::pair(-7L, -6L));
    EXPECT_EQ(of(timestamp_cut("", -7'001)), std::pair(-7L, -7L));
    EXPECT_EQ(of(timestamp_cut("", INT64_MIN)), std::pair(earliest_time.value, earliest_time.value));
    EXPECT_EQ(of(timestamp_cut("", INT64_MAX)), std::pair(latest_time.value + 1, latest_time.value + 1));
}

TEST(TextCut, IsWhereTheTextStandsAmongTheTimesTexts) {
    EXPECT_EQ(of(text_cut("2026-11-25 10:00:00")), std::pair(ten_o_clock, ten_o_clock + 1));
    EXPECT_EQ(of(text_cut("2026-11-25 10:00")), std::pair(ten_o_clock, ten_o_clock));
    EXPECT_EQ(of(text_cut("2026-11-25 10:00:00.25")), std::pair(ten_o_clock + 250, ten_o_clock + 251));
    EXPECT_EQ(of(text_cut("2026-11-25 10:00:00.250")), std::pair(ten_o_clock + 251, ten_o_clock + 251));
    EXPECT_EQ(of(text_cut("")), std::pair(earliest_time.value, earliest_time.value));
    EXPECT_EQ(of(text_cut("x")), std::pair(latest_time.value + 1, latest_time.value + 1));
}

TEST(TextCut, TextsSortAsTheTimesDo) {
    std::mt19937_64 random(1);
    std::uniform_int_distribution<std::int64_t> any(earliest_time.value, latest_time.value - 1);
    for (int i = 0; i < 20'000; ++i) {
        const TimestampMs time{any(random)};
        ASSERT_LT(spark_timestamp(time), spark_timestamp(time.plus(1)));
    }
    EXPECT_EQ(spark_timestamp(earliest_time), "0001-01-01 00:00:00");
    EXPECT_EQ(spark_timestamp(latest_time), "9999-12-31 23:59:59.999");
}

TEST(SpansBetween, CoverAllTimesOnce) {
    const auto spans = spans_between({timestamp_cut("TIMESTAMPTZ 'b'", 9'000), timestamp_cut("TIMESTAMPTZ 'a'", 7'500),
                                      timestamp_cut("TIMESTAMPTZ 'a2'", 7'600)});
    std::vector<std::string> told;
    for (const TimeSpan& span : spans) told.push_back(fmt::format("{}..{} {}", span.from, span.to, span.condition));
    EXPECT_EQ(told, (std::vector<std::string>{
                        R"(-62135596800000..8 "timestamp" < TIMESTAMPTZ 'a')",
                        R"(8..9 "timestamp" > TIMESTAMPTZ 'a2' AND "timestamp" < TIMESTAMPTZ 'b')",
                        R"(9..10 "timestamp" = TIMESTAMPTZ 'b')",
                        R"(10..253402300800000 "timestamp" > TIMESTAMPTZ 'b')",
                    }));
    EXPECT_TRUE(spans_between({}).empty());
}

} // namespace
} // namespace questlog::scan
