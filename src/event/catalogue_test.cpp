#include "event/catalogue.h"

#include <functional>
#include <gtest/gtest.h>

namespace questlog::event {
namespace {

EventDeclaration slay_dragon() {
    EventDeclaration declaration;
    declaration.path = "/slay_dragon";
    declaration.methods = {"POST"};
    declaration.type = "slay_dragon";
    declaration.reply = "Dragon slain!\n";
    return declaration;
}

/// The error of a catalogue with one declaration, changed by `change`; empty if it is accepted.
std::string refusal(const std::function<void(EventDeclaration&)>& change) {
    EventDeclaration declaration = slay_dragon();
    change(declaration);
    const auto made = Catalogue::make({declaration});
    if (made.ok()) return "";
    EXPECT_EQ(made.error().kind, ErrorKind::reject);
    return made.error().message;
}

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

TEST(Catalogue, HoldsTheReferenceGame) {
    const auto made = Catalogue::make(Catalogue::builtin());
    ASSERT_TRUE(made.ok()) << made.error().message;
    const Catalogue& game = made.value();
    ASSERT_EQ(game.declarations().size(), 5U);
    EXPECT_EQ(game.find("/")->reply, "\nThis is the default response!\n");
    EXPECT_EQ(game.find("/purchase_a_sword")->reply, "\nSword Purchased!\n");
    EXPECT_EQ(game.find("/purchase_a_knife")->reply, "Knife Purchased!\n");
    EXPECT_EQ(game.find("/purchase_knife")->type, "purchase_knife");
    EXPECT_EQ(game.find("/join_guild")->reply, "\nJoin Guild!\n");
    EXPECT_EQ(game.find("/join_guild")->opening, R"({"event_type": "join_guild", "description": "nice guild")");
    EXPECT_EQ(game.find("/join_guild")->content_type, "text/html; charset=utf-8");
}

TEST(Catalogue, FindsAPathAsItIsWrittenOnly) {
    const auto game = Catalogue::make(Catalogue::builtin()).value();
    EXPECT_EQ(game.find("/join_guild/"), nullptr);
    EXPECT_EQ(game.find("/Join_Guild"), nullptr);
    EXPECT_EQ(game.find("/a"), nullptr);
    EXPECT_EQ(game.find("/zz"), nullptr);
    EXPECT_EQ(game.find(""), nullptr);
    EXPECT_EQ(Catalogue::make({}).value().find("/"), nullptr);
}

TEST(Catalogue, RespacesConstants) {
    EventDeclaration declaration = slay_dragon();
    declaration.constants = {{"loot", " {\"gold\":[1,2],\"name\":\"\303\251\"} "}};
    const auto made = Catalogue::make({declaration}).value();
    EXPECT_EQ(made.find("/slay_dragon")->opening,
              R"({"event_type": "slay_dragon", "loot": {"gold": [1, 2], "name": "\u00e9"})");
}

TEST(Catalogue, RefusesPathsThatCannotBeServed) {
    EXPECT_TRUE(contains(refusal([](auto& d) { d.path = "slay"; }), "must begin with"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.path = ""; }), "must begin with"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.path = "/slay?x"; }), "visible ASCII"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.path = "/slay me"; }), "visible ASCII"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.path = "/dr\303\244che"; }), "percent-encode"));
    for (const char* own : {"/events", "/healthz", "/readyz", "/metrics"})
        EXPECT_TRUE(contains(refusal([&](auto& d) { d.path = own; }), "questlog's own"));
    const auto twice = Catalogue::make({slay_dragon(), slay_dragon()});
    ASSERT_FALSE(twice.ok());
    EXPECT_TRUE(contains(twice.error().message, "\"/slay_dragon\" is declared twice"));
}

TEST(Catalogue, RefusesMethodsThatMakeNoEvent) {
    EXPECT_TRUE(contains(refusal([](auto& d) { d.methods.clear(); }), "has no methods"));
    for (const char* method : {"HEAD", "OPTIONS", "get", "BREW"})
        EXPECT_TRUE(contains(refusal([&](auto& d) { d.methods = {method}; }), "makes no event"));
}

TEST(Catalogue, RefusesNamesAndTypesThatNoEventCanHave) {
    EXPECT_TRUE(contains(refusal([](auto& d) { d.type = ""; }), "event type must be"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.type = std::string(257, 'x'); }), "event type must be"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.type = "\xff"; }), "event type must be"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.constants = {{"event_type", "1"}}; }), "set by `type`"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.constants = {{"a", "1"}, {"a", "2"}}; }), "declared twice"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.constants = {{"a", "nul"}}; }), "constant \"a\": not valid JSON"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.constants = {{"", "1"}}; }), "needs a name"));
    EXPECT_TRUE(contains(refusal([](auto& d) {
                             d.constants = {{"a", '"' + std::string(40'000, 'x') + '"'}};
                         }),
                         "fill an event"));
    EXPECT_TRUE(contains(refusal([](auto& d) {
                             d.fields = {{"event_type", ColumnType::string, false}};
                         }),
                         "set by `type`"));
    EXPECT_TRUE(contains(refusal([](auto& d) {
                             d.fields = {{"wait", ColumnType::string, false}};
                         }),
                         "reserved query name"));
    EXPECT_TRUE(contains(refusal([](auto& d) {
                             d.fields = {{"receipt", ColumnType::string, false}};
                         }),
                         "reserved query name"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.fields = {{"a", ColumnType::null, false}}; }), "needs a type"));
    EXPECT_TRUE(contains(refusal([](auto& d) {
                             d.fields = {{"a", ColumnType::string, false}, {"a", ColumnType::bigint, false}};
                         }),
                         "declared twice"));
}

TEST(Catalogue, RefusesAnswersThatWouldBreakTheResponse) {
    EXPECT_TRUE(contains(refusal([](auto& d) { d.content_type = "text/html\r\nSet-Cookie: a=b"; }), "one line"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.content_type = ""; }), "one line"));
    EXPECT_TRUE(contains(refusal([](auto& d) { d.store_headers = {"Host"}; }), "stored anyway"));
    EXPECT_EQ(refusal([](auto& d) { d.store_headers = {"cookie", "Authorization"}; }), "");
}

TEST(Catalogue, RefusesValuesThatAFieldCannotHave) {
    const auto with = [](FieldDeclaration field) {
        return refusal([&](auto& declaration) { declaration.fields = {field}; });
    };
    FieldDeclaration level{"level", ColumnType::bigint};
    level.least = "1";
    level.most = "60";
    level.one_of = {"1", "60"};
    EXPECT_EQ(with(level), "");
    level.one_of.emplace_back("61");
    EXPECT_TRUE(contains(with(level), "61 in one_of is not a bigint that the field may be"));
    level.one_of = {"\"1\""};
    EXPECT_TRUE(contains(with(level), "\"1\" in one_of is not a bigint"));
    level.one_of.clear();
    level.most = "0";
    EXPECT_TRUE(contains(with(level), "nothing is 1 or more and 0 or less"));
    level.most = "1.5";
    EXPECT_TRUE(contains(with(level), "1.5 is not a bigint"));
    level.type = ColumnType::string;
    EXPECT_TRUE(contains(with(level), "only a bigint or a double has a least and a greatest value"));
}

} // namespace
} // namespace questlog::event
