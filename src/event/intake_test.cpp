#include "event/envelope.h"
#include "event/padded_json.h"

#include <gtest/gtest.h>
#include <optional>

namespace questlog::event {
namespace {

/// What became of a body, copied out.
struct Outcome {
    std::vector<std::string> accepted;
    std::vector<std::size_t> accepted_index;
    std::vector<std::pair<std::size_t, std::string>> rejected;
    bool single = false;
    std::string error; ///< Of the body as a whole.
};

using Headers = std::vector<HeaderView>;

Outcome outcome_of(IntakeParser& parser, std::string_view body, const std::optional<Headers>& headers = {},
                   const std::vector<std::string>& stored_secrets = {}) {
    const PaddedJson padded(body);
    Outcome outcome;
    const auto parsed =
        headers ? parser.parse(padded.view(), HeaderSelection(*headers, stored_secrets)) : parser.parse(padded.view());
    if (!parsed.ok()) {
        EXPECT_EQ(parsed.error().kind, ErrorKind::reject);
        outcome.error = parsed.error().message;
        return outcome;
    }
    const Intake& intake = *parsed.value();
    outcome.accepted.assign(intake.accepted.begin(), intake.accepted.end());
    outcome.accepted_index = intake.accepted_index;
    for (const RejectedEvent& event : intake.rejected) outcome.rejected.emplace_back(event.index, event.reason);
    outcome.single = intake.single;
    std::vector<std::size_t> indexes = outcome.accepted_index;
    for (const auto& [index, reason] : outcome.rejected) indexes.push_back(index);
    std::sort(indexes.begin(), indexes.end());
    for (std::size_t i = 0; i < indexes.size(); ++i) EXPECT_EQ(indexes[i], i) << "every event has one fate";
    return outcome;
}

Outcome post(std::string_view body) {
    IntakeParser parser;
    return outcome_of(parser, body);
}

Outcome post_with(const Headers& headers, std::string_view body, const std::vector<std::string>& stored_secrets = {}) {
    IntakeParser parser;
    return outcome_of(parser, body, headers, stored_secrets);
}

using Strings = std::vector<std::string>;
const std::string one = R"({"event_type":"a","n":1})";
const std::string two = R"({"event_type": "b", "n": [1, 2]})";

TEST(Intake, TakesOneObject) {
    const Outcome outcome = post(" \r\n" + one + "\n");
    EXPECT_EQ(outcome.accepted, Strings{one});
    EXPECT_TRUE(outcome.single);
}

TEST(Intake, TakesOneObjectOverSeveralLinesMinified) {
    const Outcome outcome = post("{\n  \"event_type\": \"a b\",\r\n  \"n\": [1, 2]\n}\n");
    EXPECT_EQ(outcome.accepted, Strings{R"({"event_type":"a b","n":[1,2]})"});
    EXPECT_TRUE(outcome.single);
}

TEST(Intake, TakesAnArray) {
    const Outcome outcome = post("[" + one + " ,\t" + two + "]");
    EXPECT_EQ(outcome.accepted, (Strings{one, two}));
    EXPECT_FALSE(outcome.single);
    EXPECT_EQ(post("[ " + one + "\n]").accepted, Strings{one});
}

TEST(Intake, MinifiesThoseElementsThatHoldLineBreaks) {
    const Outcome outcome = post("[{\n\"event_type\" : \"a\\n\"\n},\n" + two + ", {\r\"event_type\": \"c\"}]");
    EXPECT_EQ(outcome.accepted, (Strings{R"({"event_type":"a\n"})", two, R"({"event_type":"c"})"}));
}

TEST(Intake, TakesLinesBlankOnesAndCarriageReturnsAside) {
    EXPECT_EQ(post(one + "\n" + two).accepted, (Strings{one, two}));
    EXPECT_EQ(post("\n" + one + "\r\n \t\r\n" + two + "\r\n\r\n").accepted, (Strings{one, two}));
}

TEST(Intake, StoresAsSentWithoutTouchingSpacingOrEscapes) {
    const std::string odd =
        "{ \"event_type\" :\"\\u0061\",\"e\":\"\303\251\\/\", \"e\":1.0e3,\"n\":1234567890123456789012}";
    EXPECT_EQ(post(odd).accepted, Strings{odd});
}

TEST(Intake, RejectsEventByEventAndSaysWhy) {
    const Outcome outcome =
        post(one + "\n{\"n\":1}\n{\"event_type\":7}\n[1]\n{\"event_type\":\"\"}\n{\"event_type\":\"a\"\n" + two +
             "\n{\"event_type\":\"a\"}{\"event_type\":\"b\"}\n{\"event_type\":\"a\",\"event_type\":\"b\"}\n"
             "{\"event_type\":\"\xff\"}\nnull\n{\"event_type\":\"a\",\"n\":01}\n{\"event_type\":\"a\",\"n\":nul}");
    EXPECT_EQ(outcome.accepted, (Strings{one, two}));
    EXPECT_EQ(outcome.accepted_index, (std::vector<std::size_t>{0, 6}));
    const std::vector<std::pair<std::size_t, std::string>> rejected{
        {1, "no event_type: every event needs one, a non-empty string"},
        {2, "event_type is not a string"},
        {3, "not a JSON object"},
        {4, "event_type is empty"},
        {5, "not valid JSON"},
        {7, "not valid JSON"},
        {8, "event_type appears more than once"},
        {9, "not valid UTF-8"},
        {10, "not a JSON object"},
        {11, "not valid JSON"},
        {12, "not valid JSON"},
    };
    EXPECT_EQ(outcome.rejected, rejected);
}

TEST(Intake, RejectsElementsOfAnArrayOneByOne) {
    const Outcome outcome = post("[" + one + ", 7, {}, \"],{\", " + two + "]");
    EXPECT_EQ(outcome.accepted, (Strings{one, two}));
    EXPECT_EQ(outcome.accepted_index, (std::vector<std::size_t>{0, 4}));
    EXPECT_EQ(outcome.rejected.size(), 3U);
}

TEST(Intake, FindsTheEndOfEveryStringOfAnArray) {
    const std::string quoted = R"({"event_type":"a\"],[{","n":"\\"})";
    const std::string slashes = R"({"event_type":"\\\\\"}","]":"\\\\"})";
    EXPECT_EQ(post("[" + quoted + "," + slashes + "," + one + "]").accepted, (Strings{quoted, slashes, one}));
}

TEST(Intake, RefusesABrokenArrayWhole) {
    for (const std::string& broken :
         Strings{"[", "[" + one, "[" + one + "}", "[" + one + ",]", "[," + one + "]", "[" + one + "]]",
                 "[" + one + "] " + one, "[" + one + "][" + two + "]", "[" + one + " " + two + "]",
                 "[{\"event_type\":\"a]", "[" + one + ",{\"a\":[}]", "[" + one + ",\"\xff\"]"}) {
        const Outcome outcome = post(broken);
        EXPECT_TRUE(outcome.error.starts_with("not a JSON array")) << broken << " -> " << outcome.error;
    }
    EXPECT_EQ(post("[]").error, "the array holds no event");
    EXPECT_EQ(post(" [ \n ] ").error, "the array holds no event");
}

TEST(Intake, RefusesAnEmptyBody) {
    EXPECT_TRUE(post("").error.starts_with("the body is empty"));
    EXPECT_TRUE(post("\r\n \t\n").error.starts_with("the body is empty"));
}

TEST(Intake, TellsABrokenObjectOverSeveralLinesFromLines) {
    EXPECT_EQ(post("{\n \"event_type\": \"a\",\n \"n\": nul\n}").error, "the body is not valid JSON");
    EXPECT_EQ(post("{\n \"event_type\": \"a\",\n \"n\": \"" + std::string(40'000, 'x') + "\"\n}").error,
              "the body is larger than 32768 bytes");
    const Outcome lines = post("{\"event_type\":\"a\",\n" + one);
    EXPECT_EQ(lines.accepted, Strings{one});
    EXPECT_EQ(lines.rejected.size(), 1U);
}

TEST(Intake, ReadsLinesBehindAWrongFirstOneHoweverLongTheBody) {
    std::string body = "{\"n\":1}\n";
    for (int i = 0; i < 2000; ++i) body += one + "\n";
    EXPECT_EQ(post(body).accepted.size(), 2000U);
    body = "{\"n\":\n";
    for (int i = 0; i < 2000; ++i) body += one + "\n";
    EXPECT_EQ(post(body).accepted.size(), 2000U);
}

TEST(Intake, NeitherLosesATruncatedTailNorAddsItToTheLineBefore) {
    for (std::size_t cut = 1; cut < two.size(); ++cut) {
        const Outcome outcome = post(one + "\n" + two.substr(0, cut));
        EXPECT_EQ(outcome.accepted, Strings{one}) << cut;
        EXPECT_EQ(outcome.rejected.size(), 1U) << cut;
    }
}

TEST(Intake, BoundsEachEvent) {
    const auto of_size = [](std::size_t bytes) {
        const std::string frame = R"({"event_type":"a","x":""})";
        return R"({"event_type":"a","x":")" + std::string(bytes - frame.size(), 'x') + "\"}";
    };
    EXPECT_EQ(post(of_size(32'768)).accepted.size(), 1U);
    EXPECT_EQ(post(of_size(32'769)).rejected.front().second, "larger than 32768 bytes");
    EXPECT_EQ(post("[" + of_size(32'769) + "," + one + "]").accepted, Strings{one});
    const std::string deep = R"({"event_type":"a","x":)" + std::string(64, '[') + "0" + std::string(64, ']') + "}";
    const Outcome outcome = post(one + "\n" + deep + "\n" + two);
    EXPECT_EQ(outcome.accepted, (Strings{one, two}));
    EXPECT_EQ(outcome.rejected.front().second, "nested deeper than 64 levels");
    EXPECT_EQ(post(R"({"event_type":")" + std::string(256, 'x') + "\"}").accepted.size(), 1U);
    EXPECT_EQ(post(R"({"event_type":")" + std::string(257, 'x') + "\"}").rejected.front().second,
              "event_type is longer than 256 bytes");
}

TEST(Intake, RefusesABodyWithMoreWrongEventsThanItCanName) {
    std::string body = one + "\n";
    for (std::size_t i = 0; i < rejections_max; ++i) body += "x\n";
    EXPECT_EQ(post(body).rejected.size(), rejections_max);
    EXPECT_EQ(post(body + "x").error,
              "more than 1000 events are wrong, and nothing was stored; the first is event 1: not valid JSON");
}

TEST(Intake, KeepsNothingFromTheBodyBefore) {
    IntakeParser parser;
    EXPECT_EQ(outcome_of(parser, "[{\n\"event_type\":\"a\"\n}, 1]").rejected.size(), 1U);
    const Outcome after = outcome_of(parser, one);
    EXPECT_EQ(after.accepted, Strings{one});
    EXPECT_TRUE(after.rejected.empty());
    EXPECT_FALSE(outcome_of(parser, "[" + one + "]").single);
}

TEST(IntakeWithHeaders, WritesEventsAsThoseOfDeclaredCalls) {
    const Headers headers{{"hOST", "a"}, {"x-3d-glasses", "say \"hi\""}, {"x_y", "forged"}, {"accept", "caf\xe9"}};
    const std::string added = R"("Host": "a", "X-3D-Glasses": "say \"hi\"", "Accept": "caf\u00e9"})";
    EXPECT_EQ(post_with(headers, R"({"n":1.50,"s":"\u0061é","event_type":"a","in":{"x":[1,2]}})").accepted,
              Strings{R"({"event_type": "a", "n": 1.50, "s": "a\u00e9", "in": {"x": [1, 2]}, )" + added});
    EXPECT_EQ(post_with(headers, "{\n\"event\\u005ftype\":\"a\"\n}").accepted,
              Strings{R"({"event_type": "a", )" + added});
    EXPECT_EQ(post_with({}, two).accepted, Strings{two}) << "a request may have none";
}

TEST(IntakeWithHeaders, GivesThemToEveryEventOfABatch) {
    const Headers headers{{"Host", "h"}};
    const Strings expected{R"({"event_type": "a", "n": 1, "Host": "h"})",
                           R"({"event_type": "b", "n": [1, 2], "Host": "h"})"};
    EXPECT_EQ(post_with(headers, one + "\n" + two).accepted, expected);
    EXPECT_EQ(post_with(headers, "[" + one + "," + two + "]").accepted, expected);
}

TEST(IntakeWithHeaders, HeadersWinOverMembersOfTheSameNameInTheirPlace) {
    EXPECT_EQ(post_with({{"host", "real"}, {"X-Trace", "1"}, {"x-trace", "2"}},
                        R"({"Host":"forged","event_type":"a","host":"mine","n":1,"n":2})")
                  .accepted,
              Strings{R"({"event_type": "a", "Host": "real", "host": "mine", "n": 2, "X-Trace": "1,2"})"});
}

TEST(IntakeWithHeaders, LeavesSecretsOutUnlessTheyAreDeclared) {
    const Headers headers{{"Authorization", "s"}, {"Cookie", "c"}, {"Proxy-Authorization", "p"}};
    EXPECT_EQ(post_with(headers, R"({"event_type":"a"})").accepted, Strings{R"({"event_type": "a"})"});
    EXPECT_EQ(post_with(headers, R"({"event_type":"a"})", {"cookie"}).accepted,
              Strings{R"({"event_type": "a", "Cookie": "c"})"});
}

TEST(IntakeWithHeaders, RejectsWhatTheyMakeTooLargeAmongTheOthers) {
    const auto of_size = [](std::size_t bytes) {
        const std::string frame = R"({"event_type": "a", "x": ""})";
        return R"({"event_type": "a", "x": ")" + std::string(bytes - frame.size(), 'x') + "\"}";
    };
    const Headers headers{{"Host", "h"}};
    const std::size_t most = 32'768 - std::string_view(R"(, "Host": "h")").size();
    const Outcome outcome =
        post_with(headers, "7\n" + one + "\n" + of_size(most) + "\n" + of_size(most + 1) + "\n8\n" + two);
    EXPECT_EQ(outcome.accepted_index, (std::vector<std::size_t>{1, 2, 5}));
    EXPECT_EQ(outcome.accepted[1].size(), 32'768U);
    EXPECT_EQ(outcome.accepted[2], R"({"event_type": "b", "n": [1, 2], "Host": "h"})");
    const std::vector<std::pair<std::size_t, std::string>> rejected{
        {0, "not a JSON object"}, {3, "larger than 32768 bytes with the request's headers"}, {4, "not a JSON object"}};
    EXPECT_EQ(outcome.rejected, rejected);
    EXPECT_EQ(post_with(headers, of_size(most + 1)).rejected.size(), 1U);
}

TEST(IntakeWithHeaders, RefusesABodyThatTheyMakeTooLargeForABatch) {
    const std::string value(8'000, 'v');
    std::string body;
    for (int i = 0; i < 1'000; ++i) body += one + "\n";
    EXPECT_EQ(post_with({{"X", value}}, body).accepted.size(), 1'000U);
    for (int i = 0; i < 1'000; ++i) body += one + "\n";
    EXPECT_TRUE(post_with({{"X", value}}, body).error.starts_with("the events are more than 8388608 bytes"));
}

TEST(IntakeWithHeaders, KeepsNothingFromTheBodyBefore) {
    IntakeParser parser;
    EXPECT_EQ(outcome_of(parser, one, Headers{{"Host", "h"}, {"Accept", "*"}}).accepted.size(), 1U);
    EXPECT_EQ(outcome_of(parser, two, Headers{{"Via", "v"}}).accepted,
              Strings{R"({"event_type": "b", "n": [1, 2], "Via": "v"})"});
    EXPECT_EQ(outcome_of(parser, one).accepted, Strings{one});
}

} // namespace
} // namespace questlog::event
