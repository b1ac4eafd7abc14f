#include "app/told.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace questlog::app {
namespace {

TEST(Told, EachTextIsNewOnceThoughOthersComeBetween) {
    Told told;
    for (int round = 0; round < 3; ++round)
        for (const char* text : {"there is no such topic", "it was made anew"})
            EXPECT_EQ(told.is_new(text), round == 0) << text;
    told.forget();
    EXPECT_TRUE(told.is_new("it was made anew"));
}

TEST(Told, OnlySoManyAreKept) {
    Told told;
    for (int i = 0; i < 17; ++i) EXPECT_TRUE(told.is_new(fmt::format("offset {}", i)));
    EXPECT_FALSE(told.is_new("offset 1"));
    EXPECT_TRUE(told.is_new("offset 0"));
}

} // namespace
} // namespace questlog::app
