#include "app/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace questlog::app {
namespace {

TEST(Descriptors, AreRaisedToWhatTheSystemAllows) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit low = before;
    low.rlim_cur = 100;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    EXPECT_EQ(raise_descriptor_limit(), before.rlim_max);
    rlimit after{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &after), 0);
    EXPECT_EQ(after.rlim_cur, before.rlim_max);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST(Descriptors, AreKeptForTheLogBesideTheConnections) {
    EXPECT_EQ(connections_within(1'000'000, 1, 10'000), 10'000U);
    EXPECT_EQ(connections_within(10'134, 1, 10'000), 10'000U);
    EXPECT_EQ(connections_within(10'133, 1, 10'000), 9'999U);
    EXPECT_EQ(connections_within(1'024, 100, 10'000), 296U);
    EXPECT_EQ(connections_within(20, 1, 10'000), 1U) << "the start itself then says what is wrong";
    EXPECT_EQ(connections_within(0, 1, 10'000), 1U);
}

} // namespace
} // namespace questlog::app
