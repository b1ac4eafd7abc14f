#include "event/catalogue.h"
#include "event/envelope.h"
#include "event/padded_json.h"
#include "event/record_key.h"

#include <gtest/gtest.h>
#include <optional>

namespace questlog::event {
namespace {

std::optional<std::string> key_in(std::string_view object, std::string_view field_json = "\"player\"") {
    std::string text;
    std::vector<Member> members;
    append_object_members(text, members, PaddedJson(object).view());
    std::string key = "before ";
    const bool found = append_record_key(key, text, members, field_json);
    EXPECT_EQ(key.substr(0, 7), "before ");
    if (!found) {
        EXPECT_EQ(key.size(), 7U) << "nothing is appended where there is no key";
        return std::nullopt;
    }
    return key.substr(7);
}

TEST(RecordKey, IsAStringsCharactersAndAnyOtherValuesText) {
    EXPECT_EQ(key_in(R"({"player": "ada"})"), "ada");
    EXPECT_EQ(key_in(R"({"player":"\u0061\n\""})"), "a\n\"");
    EXPECT_EQ(key_in(R"({"player": ""})"), "");
    EXPECT_EQ(key_in(R"({"player": 1.50})"), "1.50");
    EXPECT_EQ(key_in(R"({"player": 123456789012345678901234567890})"), "123456789012345678901234567890");
    EXPECT_EQ(key_in(R"({"player": {"b":[1,2]}})"), R"({"b": [1, 2]})");
    EXPECT_EQ(key_in(R"({"player": "\ud800"})"), R"("\ud800")") << "half a pair has no characters";
}

TEST(RecordKey, IsNoneWithoutTheFieldOrWithNull) {
    EXPECT_EQ(key_in(R"({"players": "ada"})"), std::nullopt);
    EXPECT_EQ(key_in(R"({"player": null})"), std::nullopt);
    EXPECT_EQ(key_in("{}"), std::nullopt);
    EXPECT_EQ(key_in(R"({"a": {"player": "inner"}})"), std::nullopt);
}

TEST(RecordKey, OfARepeatedMemberIsTheLastOnes) {
    EXPECT_EQ(key_in(R"({"player": "first", "player": "last"})"), "last");
}

TEST(RecordKey, FindsAFieldHoweverItsNameIsEscaped) {
    EXPECT_EQ(key_in(R"({"pl\u0061yer": "ada"})"), "ada");
}

EventDeclaration move(std::string path, std::string key) {
    EventDeclaration declaration;
    declaration.path = std::move(path);
    declaration.methods = {"POST"};
    declaration.type = "move";
    declaration.key = std::move(key);
    return declaration;
}

TEST(RecordKey, OfACallMayBeAConstantAFieldOrAHeader) {
    EventDeclaration by_host = move("/move", "Host");
    const auto catalogue = Catalogue::make({by_host}).value();
    Envelope envelope;
    std::string out;
    const std::vector<HeaderView> headers{{"host", "user1"}};
    ASSERT_TRUE(envelope.write(*catalogue.find("/move"), "", "", headers, out).ok());
    EXPECT_EQ(envelope.key(), "user1");
    out.clear();
    ASSERT_TRUE(envelope.write(*catalogue.find("/move"), "", "", {}, out).ok());
    EXPECT_EQ(envelope.key(), std::nullopt) << "nothing is kept from the call before";
}

TEST(RecordKey, IsOneForAllDeclarationsOfAType) {
    EXPECT_TRUE(Catalogue::make({move("/move", "player"), move("/go", "player")}).ok());
    EXPECT_FALSE(Catalogue::make({move("/move", "player"), move("/go", "Host")}).ok());
    EXPECT_FALSE(Catalogue::make({move("/move", "player"), move("/go", "")}).ok());
    EXPECT_FALSE(Catalogue::make({move("/move", "event_type")}).ok());
}

TEST(RecordKey, OfPostedEventsStayWithThemWhereOthersAreRejected) {
    const auto catalogue = Catalogue::make({move("/move", "player")}).value();
    IntakeParser parser({}, &catalogue);
    const PaddedJson body(R"([{"event_type": "move", "player": "a"}, 7, {"event_type": "other", "player": "b"},
                              {"event_type": "move", "player": "c"}])");
    const auto intake = parser.parse(body.view());
    ASSERT_TRUE(intake.ok());
    ASSERT_EQ((*intake)->keys.size(), 3U);
    EXPECT_EQ((*intake)->keys[0], "a");
    EXPECT_EQ((*intake)->keys[1], std::nullopt);
    EXPECT_EQ((*intake)->keys[2], "c");
    const PaddedJson next(R"({"event_type": "move"})");
    ASSERT_TRUE(parser.parse(next.view()).ok());
    EXPECT_EQ(parser.parse(next.view()).value()->keys, std::vector<std::optional<std::string_view>>{std::nullopt});
}

} // namespace
} // namespace questlog::event
