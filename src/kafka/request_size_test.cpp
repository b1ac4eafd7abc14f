#include "kafka/request_size.h"

#include <gtest/gtest.h>
#include <vector>

namespace questlog::kafka {
namespace {

using std::chrono::seconds;

TEST(RequestSizeTest, ShrinksToARecordEach) {
    RequestSize size(1'000'000, seconds(60));
    std::vector<std::int64_t> sizes;
    while (size.shrink(seconds(0))) sizes.push_back(size.bytes());
    EXPECT_EQ(sizes, (std::vector<std::int64_t>{250'000, 62'500, 15'625, 1}));
    EXPECT_EQ(size.bytes(), 1) << "a record that is too large alone is nothing that a size helps";
}

TEST(RequestSizeTest, GrowsAfterAWhileAndLaterEachTimeThatWasInVain) {
    RequestSize size(1'000'000, seconds(60));
    EXPECT_FALSE(size.may_grow(seconds(1'000))) << "it is as large as it may be";
    ASSERT_TRUE(size.shrink(seconds(1'000)));
    EXPECT_FALSE(size.may_grow(seconds(1'059)));
    EXPECT_TRUE(size.may_grow(seconds(1'060)));
    size.grow();
    EXPECT_EQ(size.bytes(), 1'000'000);
    ASSERT_TRUE(size.shrink(seconds(2'000)));
    ASSERT_TRUE(size.shrink(seconds(2'001))) << "of the same attempt";
    EXPECT_FALSE(size.may_grow(seconds(2'120)));
    EXPECT_TRUE(size.may_grow(seconds(2'121)));
    for (int i = 0; i < 20; ++i) {
        size.grow();
        ASSERT_TRUE(size.shrink(seconds(10'000)));
    }
    EXPECT_FALSE(size.may_grow(seconds(13'599)));
    EXPECT_TRUE(size.may_grow(seconds(13'600))) << "within an hour in any case";
}

} // namespace
} // namespace questlog::kafka
