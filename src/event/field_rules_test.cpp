#include "event/field_rules.h"

#include "event/padded_json.h"
#include "event/typed_field.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

namespace questlog::event {
namespace {

FieldDeclaration field(const std::string& name, ColumnType type, bool required = false) {
    return {name, type, required};
}

EventDeclaration declaration(const std::string& path, const std::string& type, std::vector<FieldDeclaration> fields) {
    EventDeclaration made;
    made.path = path;
    made.methods = {"POST"};
    made.type = type;
    made.fields = std::move(fields);
    return made;
}

class FieldRulesTest : public ::testing::Test {
protected:
    static std::string why(const std::vector<EventDeclaration>& declarations, std::string_view event,
                           std::string_view type = "raid") {
        FieldChecker checker(std::make_shared<FieldRules>(declarations));
        return std::string(checker.why_not(type, PaddedJson(event).view()));
    }
    static std::vector<EventDeclaration> raid(std::vector<FieldDeclaration> fields) {
        return {declaration("/raid", "raid", std::move(fields))};
    }
};

TEST_F(FieldRulesTest, SayWhichFieldIsWrongAndHow) {
    FieldDeclaration level = field("level", ColumnType::bigint, true);
    level.least = "1";
    level.most = "60";
    FieldDeclaration role = field("role", ColumnType::string);
    role.one_of = {R"("healer")", R"("t\u00e4nk")"};
    const auto rules = raid({level, role, field("gold", ColumnType::double_), field("won", ColumnType::boolean)});
    EXPECT_EQ(why(rules, R"({"event_type": "raid", "level": 1})"), "");
    EXPECT_EQ(
        why(rules, R"({"event_type": "raid", "level": 60, "role": "t\u00e4nk", "gold": 2, "won": true, "x": []})"), "");
    EXPECT_EQ(why(rules, R"({"event_type": "raid"})"), "field \"level\": required, and missing");
    EXPECT_EQ(why(rules, R"({"level": null})"), "field \"level\": required, and missing");
    EXPECT_EQ(why(rules, R"({"level": 0})"), "field \"level\": out of its range");
    EXPECT_EQ(why(rules, R"({"level": 61})"), "field \"level\": out of its range");
    EXPECT_EQ(why(rules, R"({"level": 60.0})"), "field \"level\": not a bigint");
    EXPECT_EQ(why(rules, R"({"level": "7"})"), "field \"level\": not a bigint");
    EXPECT_EQ(why(rules, R"({"level": {"of": 1}})"), "field \"level\": not a bigint");
    EXPECT_EQ(why(rules, R"({"level": 1, "role": "mage"})"), "field \"role\": not one of its values");
    EXPECT_EQ(why(rules, R"({"level": 1, "role": 5})"), "field \"role\": not a string");
    EXPECT_EQ(why(rules, R"({"level": 1, "role": null})"), "");
    EXPECT_EQ(why(rules, R"({"level": 1, "gold": "2"})"), "field \"gold\": not a double");
    EXPECT_EQ(why(rules, R"({"won": 0, "level": 1})"), "field \"won\": not a boolean");
    EXPECT_EQ(why(rules, R"({"level": 99, "level": 7})"), "") << "of a repeated key the last value counts";
    EXPECT_EQ(why(rules, R"({"lev\u0065l": 99})"), "field \"level\": out of its range");
    EXPECT_EQ(why(rules, R"({"level": 99})", "guild"), "") << "another type";
}

TEST_F(FieldRulesTest, OneDeclarationOfTheTypeThatFitsIsEnough) {
    const std::vector<EventDeclaration> two{declaration("/a", "raid", {field("n", ColumnType::bigint, true)}),
                                            declaration("/b", "raid", {field("name", ColumnType::string, true)})};
    EXPECT_EQ(why(two, R"({"n": 1})"), "");
    EXPECT_EQ(why(two, R"({"name": "a"})"), "");
    EXPECT_EQ(why(two, R"({"n": "1", "name": 2})"), "field \"n\": not a bigint") << "the first one's reason";
    auto and_any = two;
    and_any.push_back(declaration("/c", "raid", {}));
    EXPECT_EQ(why(and_any, R"({})"), "") << "one without fields fits everything";
    EXPECT_FALSE(FieldRules(and_any).check("raid"));
    EXPECT_TRUE(FieldRules(two).check("raid"));
}

TEST_F(FieldRulesTest, TellTheTypesOfColumns) {
    const FieldRules rules({declaration("/a", "raid", {field("n", ColumnType::bigint)}),
                            declaration("/b", "raid", {field("n", ColumnType::double_)})});
    EXPECT_EQ(rules.type_of("raid", "n"), ColumnType::double_);
    EXPECT_EQ(rules.type_of("raid", "m"), std::nullopt);
    EXPECT_EQ(rules.type_of("guild", "n"), std::nullopt);
}

TEST_F(FieldRulesTest, RangesAreExactBeyondWhatADoubleHolds) {
    FieldDeclaration big = field("n", ColumnType::bigint);
    big.most = "9007199254740993"; // 2^53 + 1
    EXPECT_EQ(why(raid({big}), R"({"n": 9007199254740993})"), "");
    EXPECT_EQ(why(raid({big}), R"({"n": 9007199254740994})"), "field \"n\": out of its range");
    FieldDeclaration tenth = field("n", ColumnType::double_);
    tenth.least = "0.1";
    EXPECT_EQ(why(raid({tenth}), R"({"n": 0.1})"), "");
    EXPECT_EQ(why(raid({tenth}), R"({"n": 0.099999999999999999})"), "field \"n\": out of its range");
}

/// What the door lets pass is no dead letter later, and what it refuses would be one.
TEST_F(FieldRulesTest, AgreeWithTheDoor) {
    std::mt19937_64 random(7);
    const std::vector<std::string> values{
        "0",     "1",    "-1",    "5.0",  "1e2",   "9223372036854775807", "9223372036854775808",
        "1e400", "true", "false", "null", "\"a\"", "\"\\u0061\"",         "\"5\"",
        "[]",    "{}",   "[1, 2]"};
    for (int round = 0; round < 4000; ++round) {
        std::vector<FieldDeclaration> fields;
        for (const std::string name : {"a", "b"}) {
            FieldDeclaration made = field(name, static_cast<ColumnType>(1 + random() % 4), random() % 2 == 0);
            if (made.type == ColumnType::bigint && random() % 2 == 0) made.least = "1";
            if (made.type == ColumnType::double_ && random() % 2 == 0) made.most = "99.5";
            if (made.type == ColumnType::string && random() % 2 == 0) made.one_of = {"\"a\"", "\"b\""};
            if (made.type == ColumnType::bigint && random() % 4 == 0) made.one_of = {"0", "1"};
            fields.push_back(made);
        }
        std::string event = R"({"event_type": "raid")";
        for (const std::string name : {"a", "b"})
            if (random() % 5 != 0) event += fmt::format(R"(, "{}": {})", name, values[random() % values.size()]);
        event += "}";
        std::string text;
        std::vector<Member> members;
        append_object_members(text, members, event);
        keep_last_values(text, members);
        const bool passes = apply_declared_types(fields, text, members).ok();
        ASSERT_EQ(why(raid(fields), event).empty(), passes) << event;
    }
}

} // namespace
} // namespace questlog::event
