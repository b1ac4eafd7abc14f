#include "event/json_unescape.h"

#include <gtest/gtest.h>

namespace questlog::event {
namespace {

std::string unescaped(std::string_view contents) {
    std::string out = "kept ";
    return append_unescaped(out, contents) ? out : "refused";
}

TEST(JsonUnescape, EveryEscapeMeansOneCharacter) {
    EXPECT_EQ(unescaped(""), "kept ");
    EXPECT_EQ(unescaped(R"(a\"\\\/\b\f\n\r\tz)"), "kept a\"\\/\b\f\n\r\tz");
    EXPECT_EQ(unescaped(R"(\u0041\u00e9\u00E9\u20ac\ud83d\ude00)"), "kept Aéé€😀");
    EXPECT_EQ(unescaped(R"(\u007f\u0080\u07ff\u0800\uffff\ud800\udc00\udbff\udfff)"),
              "kept \u007f\u0080\u07ff\u0800\uffff\U00010000\U0010ffff");
    EXPECT_EQ(unescaped(R"(\u0000)"), std::string("kept \0", 6));
}

TEST(JsonUnescape, WhatIsNoEscapeIsRefused) {
    for (const std::string_view contents : {R"(\x)", R"(\U0041)", R"(\u)", R"(\u004)", R"(\u00g1)", R"(\u-041)"})
        EXPECT_EQ(unescaped(contents), "refused") << contents;
    EXPECT_EQ(unescaped("\\"), "refused");
}

TEST(JsonUnescape, LoneSurrogatesAreRefused) {
    for (const std::string_view contents : {R"(\ud800)", R"(\udc00)", R"(\ud800x)", R"(\ud800\n)", R"(\ud800\u0041)",
                                            R"(\ud800\ud800)", R"(\ud800\ue000)"})
        EXPECT_EQ(unescaped(contents), "refused") << contents;
}

} // namespace
} // namespace questlog::event
