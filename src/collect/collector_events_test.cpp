// What comes with events: the clients' own names for them, fields that are declared, bodies that are zipped.
#include "collect/collector_fixture.h"

namespace questlog::collect {
namespace {

using Strings = std::vector<std::string>;

class NamedEvents : public CollectorTest {
protected:
    AnswerPtr send_with_key(std::string_view key, std::string_view target, std::string_view body) {
        const AnswerPtr answer = send("POST", target, body, {{"Host", "h"}, {"idempotency-KEY", key}});
        turn();
        return answer;
    }
    Strings ids() {
        Strings all;
        for (const LoggedEvent& event : partition().events) all.push_back(event.message_id);
        return all;
    }
};

TEST_F(NamedEvents, KeepTheirMessageIdBesideTheValueWhichStaysAsSent) {
    const std::string odd = R"({ "message_id":"old", "event_type":"a", "message\u005fid" : "a\/\u0062 c" })";
    ask("POST", "/events", odd);
    ask("POST", "/events",
        R"([{"event_type":"b"}, {"event_type":"c","message_id":"m-1"}, {"event_type":"d","message_id":null}])");
    ask("POST", "/", R"({"message_id": "from the body"})");
    ask("GET", "/?message_id=from+the+query");
    ask("GET", "/");
    EXPECT_EQ(ids(), (Strings{"a/b c", "", "m-1", "", "from the body", "from the query", ""}));
    EXPECT_EQ(values().front(), odd);
    EXPECT_EQ(values()[2], R"({"event_type":"c","message_id":"m-1"})");
}

TEST_F(NamedEvents, AreNamedByTheRequestsKeyWhereTheyHaveNoNameOfTheirOwn) {
    send_with_key("k1", "/events", R"({"event_type":"a"})");
    send_with_key("\"k2\"", "/events", "[{\"event_type\":\"a\"}]");
    send_with_key("k3", "/events",
                  "{\"event_type\":\"a\"}\n7\n{\"event_type\":\"b\",\"message_id\":\"own\"}\n{\"event_type\":\"c\"}");
    send_with_key("k4", "/", "");
    send_with_key("k5", "/", R"({"message_id": "own 2"})");
    EXPECT_EQ(ids(), (Strings{"k1", "k2/0", "k3/0", "own", "k3/3", "k4", "own 2"}));
    EXPECT_EQ(values().front(), R"({"event_type":"a"})");
}

TEST_F(NamedEvents, AreRefusedByNameWhereTheirNameIsNone) {
    const std::string longest(128, 'x');
    const std::string rule = "message_id must be a string of 1 to 128 printable ASCII characters";
    EXPECT_EQ(ask("POST", "/events", R"({"event_type":"a","message_id":")" + longest + "\"}")->status, 200U);
    for (const std::string& wrong : {std::string("\"\""), '"' + longest + "x\"", std::string("7"), std::string("[]"),
                                     std::string("\"\\n\""), std::string("\"\303\251\"")}) {
        const std::string body = R"({"event_type":"a","message_id":)" + wrong + "}";
        const AnswerPtr one = ask("POST", "/events", body + "\n{\"event_type\":\"b\"}");
        EXPECT_EQ(one->status, 207U) << wrong;
        EXPECT_NE(one->body.find(rule), std::string::npos) << one->body;
        EXPECT_EQ(ask("POST", "/", R"({"message_id":)" + wrong + "}")->body, "{\"error\": \"" + rule + "\"}\n")
            << wrong;
    }
    EXPECT_EQ(collector_->tally().invalid_calls, 6);
    EXPECT_EQ(collector_->tally().invalid_events, 6);
}

TEST_F(NamedEvents, AreNotStoredUnderAKeyThatIsNone) {
    for (const std::string& wrong : {std::string(), std::string("\"\""), std::string(129, 'x'), std::string("\xe9")}) {
        for (const char* target : {"/events", "/"}) {
            const AnswerPtr answer = send_with_key(wrong, target, R"({"event_type":"a"})");
            EXPECT_EQ(answer->status, 400U) << wrong;
            EXPECT_NE(answer->body.find("Idempotency-Key"), std::string::npos);
        }
    }
    const AnswerPtr twice = send("GET", "/", "", {{"Idempotency-Key", "a"}, {"Idempotency-Key", "a"}});
    EXPECT_EQ(twice->status, 400U);
    EXPECT_TRUE(values().empty());
}

/// POST /trade wants gold; POST /gift keeps what has none, as does POST /present, of the same type, that wants a name.
class DeclaredFields : public CollectorTest {
protected:
    static std::vector<event::EventDeclaration> game() {
        auto all = declarations();
        auto gift = all.back();
        gift.path = "/gift";
        gift.type = "gift";
        gift.on_mismatch = event::OnMismatch::keep;
        gift.fields.push_back({"n", event::ColumnType::bigint, false});
        auto present = gift;
        present.path = "/present";
        present.fields = {{"name", event::ColumnType::string, true}};
        all.push_back(gift);
        all.push_back(present);
        return all;
    }
    DeclaredFields() : CollectorTest(on_io_thread(), 1, game()) {}
};

TEST_F(DeclaredFields, OfAPostedEventAreCheckedAsACallsAre) {
    const AnswerPtr answer = ask("POST", "/events",
                                 "{\"event_type\":\"trade\",\"gold\":1}\n{\"event_type\":\"trade\",\"gold\":\"1\"}\n"
                                 "{\"event_type\":\"other\",\"gold\":\"1\"}\n{\"event_type\":\"\\u0074rade\"}\n7");
    EXPECT_EQ(answer->status, 207U);
    EXPECT_EQ(answer->body, "{\"accepted\": 2, \"rejected\": 3, \"rejections\": ["
                            R"({"index": 1, "reason": "field \"gold\": expected a bigint, got \"1\""}, )"
                            R"({"index": 3, "reason": "field \"gold\": required, and missing; send a bigint"}, )"
                            R"({"index": 4, "reason": "not a JSON object"}]})"
                            "\n");
    EXPECT_EQ(values(), (Strings{R"({"event_type":"trade","gold":1})", R"({"event_type":"other","gold":"1"})"}));
    EXPECT_EQ(ask("POST", "/events", R"({"event_type":"trade","gold":1.0})")->status, 400U);
    EXPECT_EQ(collector_->tally().invalid_events, 4);
}

TEST_F(DeclaredFields, ThatDoNotFitTakeNoOtherEventsName) {
    ask("POST", "/events",
        R"([{"event_type":"trade","message_id":"x"}, {"event_type":"a","message_id":"y"}, {"event_type":"a"}])");
    ASSERT_EQ(partition().events.size(), 2U);
    EXPECT_EQ(partition().events[0].message_id, "y");
    EXPECT_EQ(partition().events[1].message_id, "");
}

TEST_F(DeclaredFields, ThatDoNotFitAreStoredAsTheyCameAndCountedWhereTheDeclarationSaysSo) {
    EXPECT_EQ(ask("POST", "/gift?n=7", R"({"gold": "much"})")->status, 200U);
    EXPECT_EQ(values().back(), R"({"event_type": "gift", "n": 7, "gold": "much", "Host": "user1.comcast.com"})");
    EXPECT_EQ(ask("POST", "/gift", R"({"gold": 7})")->status, 200U);
    EXPECT_EQ(metric("questlog_events_mismatched_total"), "1");
    EXPECT_EQ(ask("POST", "/events", "[{\"event_type\":\"gift\"}, {\"event_type\":\"gift\",\"gold\":2}]")->status,
              200U);
    EXPECT_EQ(metric("questlog_events_mismatched_total"), "2");
    EXPECT_EQ(ask("POST", "/events", R"({"event_type":"gift","name":"as /present has it"})")->status, 200U);
    EXPECT_EQ(metric("questlog_events_mismatched_total"), "2") << "one of the type's declarations is enough";
    EXPECT_EQ(metric("questlog_events_accepted_total"), "5");
}

TEST_F(DeclaredFields, ThatDoNotFitAreNotCountedWhereTheLogTookNothing) {
    partition().append_error = retry_later("full");
    EXPECT_EQ(ask("POST", "/gift", "")->status, 503U);
    partition().append_error.reset();
    EXPECT_EQ(ask("POST", "/gift", R"({"gold": 7})")->status, 200U);
    EXPECT_EQ(collector_->tally().mismatched, 0);
}

/// {"event_type": "a"} and a line feed, as gzip writes it.
const std::string zipped("\037\213\010\000\000\000\000\000\002\003\253\126\112\055\113\315\053\211\057\251\054\110\125"
                         "\262\122\120\112\124\252\345\002\000\137\265\354\332\024\000\000\000",
                         40);

TEST_F(CollectorTest, UnzipsOnlyWhereABodyIsWanted) {
    const auto send_zipped = [this](std::string_view method, std::string_view target, std::string_view body) {
        coding_ = http::ContentCoding::gzip;
        const AnswerPtr answer = ask(method, target, body);
        coding_ = http::ContentCoding::identity;
        return answer;
    };
    EXPECT_EQ(send_zipped("POST", "/events", zipped)->status, 200U);
    EXPECT_EQ(values(), Strings{R"({"event_type": "a"})"});
    EXPECT_EQ(send_zipped("POST", "/events", "broken")->status, 400U);
    EXPECT_EQ(send_zipped("POST", "/trade", "broken")->status, 400U);
    EXPECT_EQ(send_zipped("POST", "/nowhere", "broken")->status, 404U);
    EXPECT_EQ(send_zipped("HEAD", "/", "broken")->status, 200U);
    EXPECT_EQ(send_zipped("GET", "/healthz", "broken")->status, 200U);
    EXPECT_EQ(collector_->tally().unreadable_bodies, 1);
    EXPECT_EQ(collector_->tally().invalid_calls, 1);
}

} // namespace
} // namespace questlog::collect
