#include "base/strong.h"

#include <gtest/gtest.h>

namespace questlog {
namespace {

TEST(Strong, ArithmeticEndsAtTheLeastAndTheGreatest) {
    constexpr TimestampMs least{INT64_MIN};
    constexpr TimestampMs greatest{INT64_MAX};
    EXPECT_EQ(TimestampMs{5}.plus(-7), TimestampMs{-2});
    EXPECT_EQ(TimestampMs{5}.minus(TimestampMs{7}), -2);
    EXPECT_EQ(greatest.plus(1), greatest);
    EXPECT_EQ(greatest.plus(-1).plus(1), greatest);
    EXPECT_EQ(least.plus(-1), least);
    EXPECT_EQ(least.plus(INT64_MAX), TimestampMs{-1});
    EXPECT_EQ(greatest.minus(TimestampMs{-1}), INT64_MAX);
    EXPECT_EQ(least.minus(TimestampMs{1}), INT64_MIN);
    EXPECT_EQ(TimestampMs{0}.minus(least), INT64_MAX);
    EXPECT_EQ(greatest.minus(least), INT64_MAX);
    EXPECT_EQ(least.minus(greatest), INT64_MIN);
    EXPECT_EQ(least.minus(least), 0);
    EXPECT_EQ(Partition{INT32_MAX}.plus(2), Partition{INT32_MAX});
}

} // namespace
} // namespace questlog
