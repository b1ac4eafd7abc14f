#include "event/envelope.h"

#include "base/limits.h"
#include "event/padded_json.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <map>

namespace questlog::event {
namespace {

using Headers = std::vector<HeaderView>;

const Headers no_headers;
const Headers form_type{{"Content-Type", "application/x-www-form-urlencoded"}};

/// One declared call and what it makes of requests. An error reads "reject: message".
class Call {
public:
    explicit Call(EventDeclaration declaration) : catalogue_(Catalogue::make({std::move(declaration)}).value()) {}
    Call() : Call(slay_dragon()) {}

    static EventDeclaration slay_dragon() {
        EventDeclaration declaration;
        declaration.path = "/";
        declaration.methods = {"GET", "POST"};
        declaration.type = "slay_dragon";
        return declaration;
    }

    std::string get(std::string_view query, const Headers& headers = no_headers) { return event(query, "", headers); }
    std::string post(std::string_view body, const Headers& headers = no_headers) { return event("", body, headers); }

    std::string event(std::string_view query, std::string_view body, const Headers& headers) {
        std::string out = "kept";
        const Status written =
            envelope_.write(catalogue_.declarations().front(), query, PaddedJson(body).view(), headers, out);
        if (written.ok()) return out.substr(4);
        EXPECT_EQ(out, "kept") << "an error leaves the output as it was";
        EXPECT_EQ(written.error().kind, ErrorKind::reject);
        return "reject: " + written.error().message;
    }

private:
    Catalogue catalogue_;
    Envelope envelope_;
};

Call with_field(std::string name, ColumnType type, bool required = false) {
    EventDeclaration declaration = Call::slay_dragon();
    declaration.fields = {{std::move(name), type, required}};
    return Call(std::move(declaration));
}

TEST(Envelope, WritesTheReferencesCallsByteForByte) {
    std::ifstream golden(QUESTLOG_SOURCE_DIR "/tests/golden/events/calls.txt", std::ios::binary);
    std::vector<std::string> wanted;
    for (std::string line; std::getline(golden, line);) wanted.push_back(line);
    ASSERT_EQ(wanted.size(), 8U);

    const Catalogue game = Catalogue::make(Catalogue::builtin()).value();
    Envelope envelope;
    std::vector<std::string> written;
    for (const std::string_view host : {"user1.comcast.com", "user2.att.com"}) {
        const Headers ab{{"Host", host}, {"User-Agent", "ApacheBench/2.3"}, {"Accept", "*/*"}};
        for (const char* path : {"/", "/purchase_a_sword", "/purchase_knife", "/join_guild"}) {
            std::string value;
            ASSERT_TRUE(envelope.write(*game.find(path), "", "", ab, value).ok());
            written.push_back(value);
        }
    }
    std::sort(wanted.begin(), wanted.end());
    std::sort(written.begin(), written.end());
    EXPECT_EQ(written, wanted);
}

/// Recorded from Werkzeug 3.1.9: header lines, then "=> " and the event.
TEST(Envelope, ShowsHeadersAsWerkzeugDoes) {
    std::ifstream golden(QUESTLOG_SOURCE_DIR "/tests/golden/events/werkzeug_headers.txt", std::ios::binary);
    EventDeclaration declaration = Call::slay_dragon();
    declaration.type = "default";
    Call plain(declaration);
    declaration.fields = {{"unused", ColumnType::bigint, false}}; // the general path
    Call general(declaration);
    std::vector<std::pair<std::string, std::string>> sent;
    int cases = 0;
    for (std::string line; std::getline(golden, line);) {
        if (line.empty()) {
            sent.clear();
        } else if (line.starts_with("=> ")) {
            const Headers headers(sent.begin(), sent.end());
            EXPECT_EQ(plain.get("", headers), line.substr(3));
            EXPECT_EQ(general.get("", headers), line.substr(3));
            ++cases;
        } else {
            sent.emplace_back(line.substr(0, line.find(": ")), line.substr(line.find(": ") + 2));
        }
    }
    EXPECT_EQ(cases, 10);
}

TEST(Envelope, StoresSecretHeadersOnlyWhereDeclared) {
    const Headers headers{
        {"authorization", "Bearer x"}, {"Cookie", "a=b"}, {"Proxy-Authorization", "y"}, {"Host", "h"}};
    EXPECT_EQ(Call().get("", headers), R"({"event_type": "slay_dragon", "Host": "h"})");
    EXPECT_EQ(Call().get("a=1", headers), R"({"event_type": "slay_dragon", "a": "1", "Host": "h"})");
    EventDeclaration declaration = Call::slay_dragon();
    declaration.store_headers = {"cookie"};
    EXPECT_EQ(Call(declaration).get("", headers), R"({"event_type": "slay_dragon", "Cookie": "a=b", "Host": "h"})");
}

TEST(Envelope, EscapesWhateverAHeaderHolds) {
    EXPECT_EQ(Call().get("", {{"a\"b\\\x01\xe9", "\"\x02"}}),
              R"({"event_type": "slay_dragon", "A\"B\\\u0001\u00e9": "\"\u0002"})");
}

TEST(Envelope, TakesFieldsFromTheQueryTheLastOfANameInItsFirstPlace) {
    EXPECT_EQ(Call().get("weapon=big+sword&level=%37&weapon=%C3%A9"),
              R"({"event_type": "slay_dragon", "weapon": "\u00e9", "level": "7"})");
    EXPECT_EQ(Call().get("receipt=1&wait=disk&a=%22"), R"({"event_type": "slay_dragon", "a": "\""})");
    EXPECT_EQ(Call().get("receipt=1"), R"({"event_type": "slay_dragon"})");
    EXPECT_EQ(Call().get("a=%ff"), "reject: query: field \"a\" is not valid UTF-8");
    EXPECT_EQ(Call().get("%ff=a"), "reject: query: a field's name is not valid UTF-8");
}

TEST(Envelope, TakesFieldsFromAJsonBodyWhateverItsContentType) {
    EXPECT_EQ(Call().post(" {\"a\":{\"b\":[1,2.50]},\"c\":\"\303\251\\/\",\"a\":null}\r\n"),
              R"({"event_type": "slay_dragon", "a": null, "c": "\u00e9/"})");
    EXPECT_EQ(Call().post("{}"), R"({"event_type": "slay_dragon"})");
    EXPECT_EQ(Call().post(" \r\n"), R"({"event_type": "slay_dragon"})");
    EXPECT_EQ(Call().post(R"({"a":1})", form_type),
              R"({"event_type": "slay_dragon", "a": 1, "Content-Type": "application/x-www-form-urlencoded"})");
    EXPECT_EQ(Call().post(R"({"receipt":1,"wait":2})"), R"({"event_type": "slay_dragon", "receipt": 1, "wait": 2})");
}

TEST(Envelope, TakesFieldsFromAForm) {
    EXPECT_EQ(
        Call().post("a=1&b=x+y\r\n", form_type),
        R"({"event_type": "slay_dragon", "a": "1", "b": "x y", "Content-Type": "application/x-www-form-urlencoded"})");
    const Headers with_charset{{"content-TYPE", "Application/X-WWW-Form-Urlencoded; charset=utf-8"}};
    EXPECT_EQ(Call().post("receipt=1", with_charset).substr(0, 45), R"({"event_type": "slay_dragon", "receipt": "1",)");
    EXPECT_EQ(Call().post("a=%ff", form_type), "reject: body: field \"a\" is not valid UTF-8");
}

TEST(Envelope, LaterSourcesReplaceEarlierOnesInPlaceButNeverTheType) {
    EventDeclaration declaration = Call::slay_dragon();
    declaration.constants = {{"a", "1"}, {"Host", "2"}};
    Call call(declaration);
    const Headers headers{{"host", "h"}, {"Event-Type", "t"}, {"event_type", "evil"}};
    EXPECT_EQ(call.get("", headers), R"({"event_type": "slay_dragon", "a": 1, "Host": "h", "Event-Type": "t"})");
    EXPECT_EQ(call.event("b=q&event_type=evil&c=q", R"({"b":1,"event\u005ftype":"evil","a":[],"Host":3})", headers),
              R"({"event_type": "slay_dragon", "a": [], "Host": "h", "b": 1, "c": "q", "Event-Type": "t"})");
}

TEST(Envelope, RefusesBodiesThatAreNoObject) {
    EXPECT_EQ(Call().post("[1]"), "reject: body: not a JSON object");
    EXPECT_EQ(Call().post("\"a\""), "reject: body: not a JSON object");
    EXPECT_EQ(Call().post("a=1"), "reject: body: not valid JSON");
    for (const char* broken :
         {"{", "{\"a\":nul}", "{\"a\":[1 2]}", "{} {}", "{\"a\":1,}", "{\"a\":\"\t\"}", "{\"a\":01}", "{\"a\":1.}"})
        EXPECT_EQ(Call().post(broken), "reject: body: not valid JSON") << broken;
    EXPECT_EQ(Call().post("{\"a\":\"\xff\"}"), "reject: body: not valid UTF-8");
}

TEST(Envelope, KeepsNumbersThatNoParserHolds) {
    EXPECT_EQ(Call().post(R"({"a":123456789012345678901234567890,"b":-1e999})"),
              R"({"event_type": "slay_dragon", "a": 123456789012345678901234567890, "b": -1e999})");
}

TEST(Envelope, AcceptsSixtyFourLevelsAndNotOneMore) {
    const auto nested = [](int levels) {
        std::string json = "0";
        for (int i = 0; i < levels; ++i) json = "{\"a\":" + json + "}";
        return json;
    };
    EXPECT_EQ(Call().post(nested(64)).substr(0, 42), R"({"event_type": "slay_dragon", "a": {"a": {)");
    EXPECT_EQ(Call().post(nested(65)), "reject: body: nested deeper than 64 levels");
}

TEST(Envelope, BoundsTheEventAndTheBody) {
    const std::string frame = R"({"event_type": "slay_dragon", "X": ""})";
    const std::string longest(limits::event_bytes_max - frame.size(), 'x');
    EXPECT_EQ(Call().get("", {{"X", longest}}).size(), limits::event_bytes_max);
    EXPECT_EQ(Call().get("", {{"X", longest + "y"}}), "reject: the event would be 32769 bytes, and may be 32768");
    EXPECT_EQ(Call().post("{" + std::string(32'767, ' ') + "}"),
              "reject: body: 32769 bytes, and an event has at most 32768");
}

TEST(DeclaredField, IsReadFromTextAsItsType) {
    EXPECT_EQ(with_field("n", ColumnType::bigint).get("n=-12"), R"({"event_type": "slay_dragon", "n": -12})");
    EXPECT_EQ(with_field("n", ColumnType::double_).get("n=1.50e1"), R"({"event_type": "slay_dragon", "n": 1.50e1})");
    EXPECT_EQ(with_field("n", ColumnType::boolean).get("n=true"), R"({"event_type": "slay_dragon", "n": true})");
    EXPECT_EQ(with_field("n", ColumnType::string).get("n=7"), R"({"event_type": "slay_dragon", "n": "7"})");
    EXPECT_EQ(with_field("Level", ColumnType::bigint).get("x=1", {{"level", "7"}}),
              R"({"event_type": "slay_dragon", "x": "1", "Level": 7})");
}

TEST(DeclaredField, KeepsItsPlaceWhenItIsConverted) {
    EXPECT_EQ(with_field("n", ColumnType::bigint).get("a=1&n=2&b=3"),
              R"({"event_type": "slay_dragon", "a": "1", "n": 2, "b": "3"})");
}

TEST(DeclaredField, RefusesOtherTypesNamingFieldExpectationAndValue) {
    EXPECT_EQ(with_field("n", ColumnType::bigint).get("n=abc"), R"(reject: field "n": expected a bigint, got "abc")");
    EXPECT_EQ(with_field("n", ColumnType::bigint).post(R"({"n":"7"})"),
              R"(reject: field "n": expected a bigint, got "7")");
    EXPECT_EQ(with_field("n", ColumnType::string).post(R"({"n":7})"), R"(reject: field "n": expected a string, got 7)");
    EXPECT_EQ(with_field("n", ColumnType::boolean).post(R"({"n":[1]})"),
              R"(reject: field "n": expected a boolean, got [1])");
    for (const char* wrong : {"1.0", "1e2", "+1", "01", "", "9223372036854775808", "0x1", "1 "})
        EXPECT_TRUE(with_field("n", ColumnType::bigint).get("n=" + std::string(wrong)).starts_with("reject: "))
            << wrong;
    for (const char* wrong : {"1.", ".5", "1e", "inf", "nan", "1e999", "-", "1,5"})
        EXPECT_TRUE(with_field("n", ColumnType::double_).get("n=" + std::string(wrong)).starts_with("reject: "))
            << wrong;
    for (const char* wrong : {"True", "1", "yes", ""})
        EXPECT_TRUE(with_field("n", ColumnType::boolean).get("n=" + std::string(wrong)).starts_with("reject: "))
            << wrong;
    const std::string shown = with_field("n", ColumnType::bigint).get("n=" + std::string(500, 'x'));
    EXPECT_LT(shown.size(), 140U);
}

TEST(DeclaredField, MayBeMissingOrNullUnlessItIsRequired) {
    EXPECT_EQ(with_field("n", ColumnType::bigint).get(""), R"({"event_type": "slay_dragon"})");
    EXPECT_EQ(with_field("n", ColumnType::bigint).post(R"({"n":null})"), R"({"event_type": "slay_dragon", "n": null})");
    const std::string missing = R"(reject: field "n": required, and missing; send a bigint)";
    EXPECT_EQ(with_field("n", ColumnType::bigint, true).get(""), missing);
    EXPECT_EQ(with_field("n", ColumnType::bigint, true).post(R"({"n":null})"), missing);
    EXPECT_EQ(with_field("n", ColumnType::bigint, true).post(R"({"n":1})"), R"({"event_type": "slay_dragon", "n": 1})");
}

} // namespace
} // namespace questlog::event
