#include "kafka/in_flight.h"

#include <gtest/gtest.h>
#include <vector>

namespace questlog::kafka {
namespace {

class InFlightTest : public testing::Test {
protected:
    InFlightTest() { in_flight_.begin(Offset{10}, Arrived{Offset{9}, 99}, 100); }

    /// Events 10, 11 and so on.
    std::vector<std::uint64_t> send(int events) {
        std::vector<std::uint64_t> numbers;
        for (int i = 0; i < events; ++i) numbers.push_back(in_flight_.sent(Offset{next_++}));
        return numbers;
    }

    InFlight in_flight_;
    std::int64_t next_ = 10;
};

TEST_F(InFlightTest, WhatHasArrivedCountsUpToTheFirstThatIsMissing) {
    const auto numbers = send(4);
    EXPECT_TRUE(in_flight_.acknowledged(numbers[1], 101));
    EXPECT_TRUE(in_flight_.acknowledged(numbers[2], 102));
    EXPECT_EQ(in_flight_.end(), Offset{10});
    EXPECT_EQ(in_flight_.last(), (Arrived{Offset{9}, 99}));
    EXPECT_EQ(in_flight_.size(), 4U);
    EXPECT_TRUE(in_flight_.acknowledged(numbers[0], 100));
    EXPECT_EQ(in_flight_.end(), Offset{13});
    EXPECT_EQ(in_flight_.last(), (Arrived{Offset{12}, 102}));
    EXPECT_EQ(in_flight_.size(), 1U);
    EXPECT_EQ(in_flight_.event(numbers[3]), Offset{13});
}

TEST_F(InFlightTest, OfARecordWhosePlaceIsNotToldTheOneBeforeStands) {
    const auto numbers = send(3);
    EXPECT_TRUE(in_flight_.acknowledged(numbers[0], 100));
    EXPECT_TRUE(in_flight_.acknowledged(numbers[1], -1001)) << "sent twice, stored once";
    EXPECT_EQ(in_flight_.end(), Offset{12});
    EXPECT_EQ(in_flight_.last(), (Arrived{Offset{10}, 100}));
    EXPECT_TRUE(in_flight_.acknowledged(numbers[2], 102));
    EXPECT_EQ(in_flight_.last(), (Arrived{Offset{12}, 102}));
}

TEST_F(InFlightTest, ATopicThatEndsBeforeWhereItDidIsAnother) {
    const auto numbers = send(3);
    EXPECT_TRUE(in_flight_.acknowledged(numbers[0], 105)) << "others write to it, too";
    EXPECT_FALSE(in_flight_.acknowledged(numbers[1], 105)) << "there is one at that place";
    EXPECT_EQ(in_flight_.end(), Offset{11});
    EXPECT_EQ(in_flight_.last(), (Arrived{Offset{10}, 105}));
}

TEST_F(InFlightTest, TheFirstAfterAStartIsComparedToo) {
    EXPECT_FALSE(in_flight_.acknowledged(send(1)[0], 99));
    EXPECT_EQ(in_flight_.end(), Offset{10});
}

TEST_F(InFlightTest, AHoleInTheLogIsNotWaitedFor) {
    const auto first = in_flight_.sent(Offset{10});
    const auto after = in_flight_.sent(Offset{20});
    EXPECT_TRUE(in_flight_.acknowledged(first, 100));
    EXPECT_TRUE(in_flight_.acknowledged(after, 101));
    EXPECT_EQ(in_flight_.end(), Offset{21});
}

TEST_F(InFlightTest, WhatCouldNotBeSentIsNotWaitedFor) {
    const auto numbers = send(1);
    (void)in_flight_.sent(Offset{11});
    in_flight_.take_back();
    EXPECT_TRUE(in_flight_.acknowledged(numbers[0], 100));
    EXPECT_EQ(in_flight_.size(), 0U);
}

} // namespace
} // namespace questlog::kafka
