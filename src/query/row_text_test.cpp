#include "query/row_text.h"

#include <gtest/gtest.h>

namespace questlog::query {
namespace {

std::string csv(std::string_view text) {
    std::string out;
    append_csv(out, text);
    return out;
}
std::string json(std::string_view text) {
    std::string out;
    append_json(out, text);
    return out;
}

TEST(Csv, QuotesWhatAReaderWouldSplitOrTrim) {
    EXPECT_EQ(csv("moe"), "moe");
    EXPECT_EQ(csv("larry, moe"), "\"larry, moe\"");
    EXPECT_EQ(csv("the \"best\""), "\"the \"\"best\"\"\"");
    EXPECT_EQ(csv("two\nlines"), "\"two\nlines\"");
    EXPECT_EQ(csv("cr\r"), "\"cr\r\"");
    EXPECT_EQ(csv(" x"), "\" x\"");
    EXPECT_EQ(csv(""), "\"\"") << "the empty text is not NULL";
}

TEST(Json, EscapesAndKeepsUtf8) {
    EXPECT_EQ(json("a\"b\\c\n\t\r\x01\x7f/"), R"("a\"b\\c\n\t\r\u0001\u007f/")");
    EXPECT_EQ(json("Ä😀"), "\"Ä😀\"");
    EXPECT_TRUE(is_json_literal("-1.5e+20"));
    EXPECT_TRUE(is_json_literal("true"));
    EXPECT_FALSE(is_json_literal("nan"));
    EXPECT_FALSE(is_json_literal("-inf"));
    EXPECT_FALSE(is_json_literal(""));
}

TEST(NumberType, IsByDuckDbsName) {
    for (const auto* type : {"BIGINT", "DOUBLE", "HUGEINT", "DECIMAL(18,3)", "UTINYINT", "INTEGER"})
        EXPECT_TRUE(is_number_type(type)) << type;
    for (const auto* type :
         {"VARCHAR", "BOOLEAN", "BIGINT[]", "DECIMAL(4,1)[3]", "STRUCT(a BIGINT)", "DATE", "INTERVAL"})
        EXPECT_FALSE(is_number_type(type)) << type;
}

TEST(Box, AlignsNumbersRightTextLeftAndEscapesTheTerminal) {
    Box box;
    box.add_column("name", false);
    box.add_column("n", true);
    box.add_row({"moe", "7"});
    box.add_row({"名前", "1234"});
    box.add_row({std::nullopt, std::nullopt});
    box.add_row({"\x1b[31mred\n", "0"});
    EXPECT_EQ(box.text(), "+-------------+----+\n"
                          "|name         |   n|\n"
                          "+-------------+----+\n"
                          "|moe          |   7|\n"
                          "|名前         |1234|\n"
                          "|NULL         |NULL|\n"
                          "|\\x1b[31mred\\n|   0|\n"
                          "+-------------+----+\n");
}

} // namespace
} // namespace questlog::query
