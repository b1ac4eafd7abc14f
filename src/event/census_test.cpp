#include "event/census.h"

#include "event/padded_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>

namespace questlog::event {
namespace {

class CensusTest : public ::testing::Test {
protected:
    Census::TypeId observe(std::string_view json) { return census_.observe(PaddedJson(json).view()); }
    /// The types of the columns but event_type that the events of type "t" with these further members lead to.
    Schema inferred(std::initializer_list<std::string_view> members) {
        Census census;
        for (const std::string_view member : members)
            EXPECT_NE(census.observe(PaddedJson(R"({"event_type": "t", )" + std::string(member) + "}").view()),
                      Census::not_an_event)
                << member;
        Schema schema = census.schema(0);
        std::erase_if(schema, [](const Column& column) { return column.key == "event_type"; });
        return schema;
    }
    ColumnType inferred_type(std::initializer_list<std::string_view> members) { return inferred(members).at(0).type; }

    Census census_;
};

TEST_F(CensusTest, EachTypeHasItsOwnSchemaAndCount) {
    const auto sword = observe(R"({"event_type": "purchase_sword", "Host": "a", "price": 5})");
    const auto guild = observe(R"({"event_type": "join_guild", "description": "nice guild"})");
    EXPECT_EQ(observe(R"({"price": 2.5, "event_type": "purchase_sword"})"), sword);
    EXPECT_NE(sword, guild);
    EXPECT_EQ(census_.type_count(), 2U);
    EXPECT_EQ(census_.type_name(guild), "join_guild");
    EXPECT_EQ(census_.events(sword), 2);
    EXPECT_EQ(
        census_.schema(sword),
        (Schema{{"Host", ColumnType::string}, {"event_type", ColumnType::string}, {"price", ColumnType::double_}}));
    EXPECT_EQ(census_.schema(guild), (Schema{{"description", ColumnType::string}, {"event_type", ColumnType::string}}));
}

TEST_F(CensusTest, WhatIsNoEventIsToldApart) {
    for (const std::string_view json : {"",
                                        " ",
                                        "null",
                                        "1",
                                        "\"text\"",
                                        "[]",
                                        "{}",
                                        "{",
                                        R"({"event_type": 5})",
                                        R"({"event_type": null})",
                                        R"({"event_type": ["a"]})",
                                        R"({"event_type": 1e400})",
                                        R"({"event_type": "a", "event_type": 5})",
                                        R"({"event_type": "a"} {"event_type": "a"})",
                                        R"({"event_type": "a"}x)",
                                        R"({"event_type": "a", "b": nul})",
                                        R"({"event_type": "a", "b": 01})",
                                        R"({"event_type": "a", "b": [1 2]})",
                                        R"({"event_type": "a",})",
                                        R"({"event_type": "a" "b": 1})",
                                        R"({'event_type': 'a'})",
                                        R"({"event_type": "a", "b": "\ud800"})",
                                        R"({"event_type": "a", "b": "\udc00\ud800"})",
                                        R"({"event_type": "a", "b": "\x"})",
                                        R"({"event_type": "a", "b": NaN})",
                                        R"({"event_type": "a", 1e400: 1})",
                                        R"({"event_type": "a", "b": 1e400x})",
                                        "{\"event_type\": \"a\", \"b\": \"\xff\"}",
                                        "{\"event_type\": \"a\", \"b\": \"\xed\xa0\x80\"}",
                                        "{\"event_type\": \"a\", \"b\": \"\n\"}",
                                        "\xef\xbb\xbf{\"event_type\": \"a\"}",
                                        R"({"a": {"event_type": "nested"}})"})
        EXPECT_EQ(observe(json), Census::not_an_event) << json;
    EXPECT_EQ(observe(std::string_view("{\"event_type\": \"a\"}\0", 20)), Census::not_an_event);
    EXPECT_EQ(observe(R"({"event_type": "a", "b": )" + std::string(2000, '[') + std::string(2000, ']') + "}"),
              Census::not_an_event);
    EXPECT_EQ(census_.type_count(), 0U);
    EXPECT_NE(observe(" {\"event_type\": \"a\"}\r\n"), Census::not_an_event);
    EXPECT_EQ(census_.schema(0), (Schema{{"event_type", ColumnType::string}})); // the refused ones left no column
}

TEST_F(CensusTest, ValuesHaveTheNarrowestTypeThatHoldsThemAll) {
    EXPECT_EQ(inferred_type({R"("x": null)"}), ColumnType::null);
    EXPECT_EQ(inferred_type({R"("x": true)", R"("x": null)"}), ColumnType::boolean);
    EXPECT_EQ(inferred_type({R"("x": -9223372036854775808)", R"("x": 9223372036854775807)", R"("x": -0)"}),
              ColumnType::bigint);
    EXPECT_EQ(inferred_type({R"("x": 1)", R"("x": 1.0)"}), ColumnType::double_);
    EXPECT_EQ(inferred_type({R"("x": 1e2)"}), ColumnType::double_);
    EXPECT_EQ(inferred_type({R"("x": 1e-400)"}), ColumnType::double_);
    EXPECT_EQ(inferred_type({R"("x": 9223372036854775808)"}), ColumnType::string);
    EXPECT_EQ(inferred_type({R"("x": -9223372036854775809)"}), ColumnType::string);
    EXPECT_EQ(inferred_type({R"("x": 123456789012345678901234567890)"}), ColumnType::string);
    EXPECT_EQ(inferred_type({R"("x": 1e400)"}), ColumnType::string);
    EXPECT_EQ(inferred_type({R"("x": {"y": 1e400})"}), ColumnType::string);
    EXPECT_EQ(inferred_type({R"("x": true)", R"("x": 1)"}), ColumnType::string);
    EXPECT_EQ(inferred_type({R"("x": "\u0000")"}), ColumnType::string);
}

TEST_F(CensusTest, TheLastOfRepeatedKeysCounts) {
    EXPECT_EQ(inferred({R"("x": "text", "x": 1)"}), (Schema{{"x", ColumnType::bigint}}));
    EXPECT_EQ(inferred({R"("x": 1, "x": "text", "x": null)"}), (Schema{{"x", ColumnType::null}}));
    EXPECT_EQ(inferred({R"("x": 1)", R"("x": "text", "\u0078": 2)"}), (Schema{{"x", ColumnType::bigint}}));
    EXPECT_EQ(census_.type_name(observe(R"({"event_type": "a", "event_type": "b"})")), "b");
    EXPECT_EQ(census_.type_name(observe(R"({"event_type": 5, "event\u005ftype": "c"})")), "c");
}

TEST_F(CensusTest, KeysAreFoundInAnyOrder) {
    EXPECT_EQ(
        inferred({R"("a": 1, "b": true)", R"("b": false, "a": 2)", R"("b": true)", R"("c": 1, "b": true, "a": 3)"}),
        (Schema{{"a", ColumnType::bigint}, {"b", ColumnType::boolean}, {"c", ColumnType::bigint}}));
}

TEST_F(CensusTest, KeysBeyondTheLimitAreRescued) {
    std::string json = R"({"event_type": "t")";
    for (std::size_t i = 1; i < limits::columns_max; ++i) json += fmt::format(R"(, "k{}": 1)", i);
    const auto full = observe(json + "}");
    EXPECT_EQ(census_.schema(full).size(), limits::columns_max);
    EXPECT_EQ(observe(json + R"(, "more": 1})"), full);
    EXPECT_EQ(census_.schema(full).size(), limits::columns_max + 1);
    EXPECT_NE(find_column(census_.schema(full), rescued_data_key), nullptr);
    EXPECT_EQ(find_column(census_.schema(full), "more"), nullptr);
}

TEST_F(CensusTest, AKeyNamedAsTheRescueColumnIsRescued) {
    EXPECT_EQ(inferred({R"("_rescued_data": 5)"}), (Schema{{"_rescued_data", ColumnType::string}}));
}

TEST_F(CensusTest, TypesBeyondTheLimitShareOneId) {
    EXPECT_EQ(census_.expect("late"), 0);
    EXPECT_EQ(census_.events(0), 0);
    for (std::size_t i = 1; i < limits::event_types_max; ++i)
        ASSERT_EQ(observe(fmt::format(R"({{"event_type": "t{}"}})", i)), i);
    EXPECT_EQ(observe(R"({"event_type": "beyond", "a": 1})"), Census::further_types);
    EXPECT_EQ(observe(R"({"event_type": "further", "b": 1})"), Census::further_types);
    EXPECT_EQ(observe(R"({"event_type": "late"})"), 0);
    EXPECT_EQ(census_.type_name(Census::further_types), "");
    EXPECT_EQ(census_.events(Census::further_types), 2);
    EXPECT_EQ(census_.schema(Census::further_types).size(), 3U);
    EXPECT_EQ(census_.type_count(), limits::event_types_max + 1);
}

} // namespace
} // namespace questlog::event
