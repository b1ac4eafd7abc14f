#include "app/tail_range.h"

#include <gtest/gtest.h>

namespace questlog::app {
namespace {

Offset first(const std::string& text) {
    const auto range = TailRange::parse({text});
    EXPECT_TRUE(range.ok()) << text;
    return range->first_offset(Offset{10}, Offset{50});
}

TEST(TailRange, APlaceIsWithinThePartition) {
    EXPECT_EQ(first("beginning"), Offset{10});
    EXPECT_EQ(first("end"), Offset{50});
    EXPECT_EQ(first("20"), Offset{20});
    EXPECT_EQ(first("3"), Offset{10});
    EXPECT_EQ(first("70"), Offset{70});
    EXPECT_EQ(first("-5"), Offset{45});
    EXPECT_EQ(first("-500"), Offset{10});
    EXPECT_EQ(first("-0"), Offset{50});
    EXPECT_EQ(TailRange::parse({})->first_offset(Offset{10}, Offset{50}), Offset{10});
}

TEST(TailRange, TimesBeginAndEndIt) {
    const auto range = TailRange::parse({"s@1000", "e@2000"});
    ASSERT_TRUE(range.ok());
    EXPECT_EQ(range->since, TimestampMs{1000});
    EXPECT_EQ(range->until, TimestampMs{2000});
    EXPECT_FALSE(TailRange::parse({"e@2000"})->since);
    EXPECT_EQ(TailRange::parse({"s@1", "s@2"})->since, TimestampMs{2});
}

TEST(TailRange, WhatIsNoPlaceIsRefused) {
    for (const char* text : {"", "start", "s@", "s@yesterday", "e@1.5", "@5", "5 ", "99999999999999999999"}) {
        const auto range = TailRange::parse({"3", text});
        ASSERT_FALSE(range.ok()) << text;
        EXPECT_EQ(range.error().kind, ErrorKind::reject);
        EXPECT_NE(range.error().message.find("s@MS"), std::string::npos);
    }
}

} // namespace
} // namespace questlog::app
