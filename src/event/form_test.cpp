#include "event/form.h"

#include <gtest/gtest.h>
#include <utility>
#include <vector>

namespace questlog::event {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs pairs_of(std::string_view form) {
    Pairs pairs;
    FormCursor cursor(form);
    std::pair<std::string, std::string> pair;
    while (cursor.next(pair.first, pair.second)) pairs.push_back(pair);
    return pairs;
}

TEST(Form, SplitsAndDecodesAsPythonsParseQsl) {
    EXPECT_EQ(pairs_of("a=1&b=2"), (Pairs{{"a", "1"}, {"b", "2"}}));
    EXPECT_EQ(pairs_of("a"), (Pairs{{"a", ""}}));
    EXPECT_EQ(pairs_of("a=&=x"), (Pairs{{"a", ""}, {"", "x"}}));
    EXPECT_EQ(pairs_of("&&a=1&"), (Pairs{{"a", "1"}}));
    EXPECT_EQ(pairs_of("a=b=c"), (Pairs{{"a", "b=c"}}));
    EXPECT_EQ(pairs_of("a+b=c+d"), (Pairs{{"a b", "c d"}}));
    EXPECT_EQ(pairs_of("a%20b=%2B%26%3d"), (Pairs{{"a b", "+&="}}));
    EXPECT_EQ(pairs_of("a=%e6%97%A5"), (Pairs{{"a", "\346\227\245"}}));
    EXPECT_EQ(pairs_of("a;b=1"), (Pairs{{"a;b", "1"}}));
    EXPECT_EQ(pairs_of(""), Pairs{});
}

TEST(Form, APercentSignWithoutTwoHexDigitsStandsForItself) {
    EXPECT_EQ(pairs_of("%zz=%2&x=%&y=%4g&z=%%41"), (Pairs{{"%zz", "%2"}, {"x", "%"}, {"y", "%4g"}, {"z", "%A"}}));
}

} // namespace
} // namespace questlog::event
