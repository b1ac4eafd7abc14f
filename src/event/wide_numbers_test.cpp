#include "event/wide_numbers.h"

#include <gtest/gtest.h>

namespace questlog::event {
namespace {

std::string blanked(std::string json) {
    const std::size_t before = json.size();
    blank_wide_numbers(json);
    EXPECT_EQ(json.size(), before);
    return json;
}

TEST(WideNumbers, ThoseThatNoParserHoldsBecomeEmptyArrays) {
    EXPECT_EQ(blanked(R"({"a": 9223372036854775808, "b": 1})"), R"({"a": [                 ], "b": 1})");
    EXPECT_EQ(blanked("[-9223372036854775809]"), "[[                  ]]");
    EXPECT_EQ(blanked("[1e309,-1E+400]"), "[[   ],[     ]]");
    EXPECT_EQ(blanked("1" + std::string(400, '0') + ".5"), "[" + std::string(401, ' ') + "]");
    EXPECT_EQ(blanked("1" + std::string(400, '0') + "e-10"), "[" + std::string(403, ' ') + "]");
    EXPECT_EQ(blanked("1e99999999999999999999"), "[" + std::string(20, ' ') + "]");
}

TEST(WideNumbers, AllOtherTextStaysAsItIs) {
    for (const std::string json :
         {"[9223372036854775807, -9223372036854775808, 1e308, -0, 0.1]", "[1e-400, 0e999999, 1e-99999999999999999999]",
          R"(["9223372036854775808", "\"1e400", "\\", 1])", R"({"1e400": 1})", R"({1e400 : 1})",
          "[01e400, 1e400.5, --1e400, 1.e400, 1e+]", "", "\"1e400"})
        EXPECT_EQ(blanked(json), json);
    const std::string small = "[0." + std::string(400, '0') + "1, 1" + std::string(400, '0') + "e-390]";
    EXPECT_EQ(blanked(small), small);
}

TEST(WideNumbers, TellsWhetherAnythingWasReplaced) {
    std::string narrow = "[1]";
    std::string wide = "[1e400]";
    EXPECT_FALSE(blank_wide_numbers(narrow));
    EXPECT_TRUE(blank_wide_numbers(wide));
}

} // namespace
} // namespace questlog::event
