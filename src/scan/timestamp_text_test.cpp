#include "scan/timestamp_text.h"

#include "scan/plan.h"

#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

TEST(TimestampText, IsAsSparkCastsTimestampsToStrings) {
    EXPECT_EQ(spark_timestamp(TimestampMs{1'795'384'733'873}), "2026-11-22 21:58:53.873");
    EXPECT_EQ(spark_timestamp(TimestampMs{1'795'384'733'890}), "2026-11-22 21:58:53.89");
    EXPECT_EQ(spark_timestamp(TimestampMs{1'795'384'733'900}), "2026-11-22 21:58:53.9");
    EXPECT_EQ(spark_timestamp(TimestampMs{1'795'384'734'000}), "2026-11-22 21:58:54");
    EXPECT_EQ(spark_timestamp(TimestampMs{1'795'384'734'001}), "2026-11-22 21:58:54.001");
    EXPECT_EQ(spark_timestamp(TimestampMs{0}), "1970-01-01 00:00:00");
    EXPECT_EQ(spark_timestamp(TimestampMs{-1}), "1969-12-31 23:59:59.999");
    EXPECT_EQ(spark_timestamp(TimestampMs{951'782'400'000}), "2000-02-29 00:00:00");
    EXPECT_EQ(spark_timestamp(TimestampMs{4'107'542'399'000}), "2100-02-28 23:59:59");
    EXPECT_EQ(spark_timestamp(TimestampMs{4'107'542'400'000}), "2100-03-01 00:00:00");
}

TEST(TimestampText, OfFarYearsStaysText) {
    EXPECT_EQ(spark_timestamp(TimestampMs{253'402'300'800'000}), "+10000-01-01 00:00:00");
    EXPECT_EQ(spark_timestamp(TimestampMs{-62'167'219'200'000}), "0000-01-01 00:00:00");
    EXPECT_EQ(spark_timestamp(TimestampMs{-62'167'219'200'001}), "-0001-12-31 23:59:59.999");
    EXPECT_EQ(spark_timestamp(TimestampMs{INT64_MAX}), "+292278994-08-17 07:12:55.807");
    EXPECT_EQ(spark_timestamp(TimestampMs{INT64_MIN}), "-292275055-05-16 16:47:04.192");
}

TEST(TimestampText, DoesNotDependOnWhatWasWrittenBefore) {
    TimestampText text;
    for (const std::int64_t ms : {0L, 500L, 999L, 1000L, -1L, 1'795'384'733'873L, 1'795'384'733'000L, 0L})
        EXPECT_EQ(text.write(TimestampMs{ms}), spark_timestamp(TimestampMs{ms}));
}

} // namespace
} // namespace questlog::scan
