#include "event/json_node.h"

#include <gtest/gtest.h>

namespace questlog::event {
namespace {

TEST(JsonNode, HasWhatTheTextHas) {
    const auto node =
        parse_json(R"({"a": {"b": [1, -2.5, true, null, "x\n\u00fc"]}, "n": null, "big": 18446744073709551615})");
    ASSERT_TRUE(node);
    const auto& elements = node->find("a")->find("b")->elements;
    ASSERT_EQ(elements.size(), 5U);
    EXPECT_EQ(elements[0].integer, 1);
    EXPECT_EQ(elements[0].number, 1.0);
    EXPECT_EQ(elements[1].number, -2.5);
    EXPECT_TRUE(elements[2].boolean);
    EXPECT_EQ(elements[3].kind, JsonNode::Kind::null);
    EXPECT_EQ(elements[4].string, "x\nü");
    EXPECT_EQ(node->find("n"), nullptr);
    EXPECT_EQ(node->find("missing"), nullptr);
    EXPECT_EQ(node->find("big")->kind, JsonNode::Kind::number);
    EXPECT_EQ(node->string_of("a", "otherwise"), "otherwise");
    EXPECT_EQ(node->integer_of("a", 7), 7);
}

TEST(JsonNode, NumbersOfAnySizeAreJson) {
    const auto node = parse_json(R"({"a": 123456789012345678901234567890, "b": [1e999], "c": 7})");
    ASSERT_TRUE(node);
    EXPECT_EQ(node->integer_of("a", -1), -1);
    EXPECT_EQ(node->integer_of("c"), 7);
}

TEST(JsonNode, IsWrittenAsItWasRead) {
    const std::string text =
        R"({"a":{"b":[1,-2.5,true,null,"x\n\"\u00fc"],"c":{},"d":[]},"e":false,"f":9223372036854775807})";
    EXPECT_EQ(json_text(*parse_json(text)), text);
}

TEST(JsonNode, IsNoneWhereTheTextIsNotOneValue) {
    for (const char* text : {"", "{", "{} {}", "{\"a\": nul}", "[1,]", "'a'"}) EXPECT_FALSE(parse_json(text)) << text;
}

} // namespace
} // namespace questlog::event
