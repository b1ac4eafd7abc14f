#include "event/row_decoder.h"

#include "event/census.h"
#include "event/padded_json.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>
#include <string>

namespace questlog::event {
namespace {

std::string shown(const Cell& cell) {
    switch (cell.type) {
    case ColumnType::null: return "null";
    case ColumnType::boolean: return cell.boolean ? "true" : "false";
    case ColumnType::bigint: return fmt::format("{}", cell.bigint);
    case ColumnType::double_: return fmt::format("double {}", cell.number);
    case ColumnType::string: return fmt::format("'{}'", cell.string);
    }
    return {};
}

/// The cell of column "x" of type `type` for the event {"x": <value>}; "misfit" where it does not decode.
std::string decoded(ColumnType type, std::string_view value) {
    const PaddedJson json(fmt::format(R"({{ "x" : {} }})", value));
    RowDecoder decoder({{"x", type}});
    std::vector<Cell> cells(1);
    return decoder.decode(json.view(), cells) ? shown(cells[0]) : "misfit";
}

TEST(RowDecoder, StringColumnsHoldStringsAndTheJsonTextOfAllElse) {
    EXPECT_EQ(decoded(ColumnType::string, R"("plain")"), "'plain'");
    EXPECT_EQ(decoded(ColumnType::string, R"("")"), "''");
    EXPECT_EQ(decoded(ColumnType::string, R"("a\"b\\c\/\b\f\n\r\t")"), "'a\"b\\c/\b\f\n\r\t'");
    EXPECT_EQ(decoded(ColumnType::string, R"("\u00e9 \u20AC \ud83d\ude00")"), "'é € 😀'");
    EXPECT_EQ(decoded(ColumnType::string, R"("\u0000")"), std::string("'\0'", 3));
    EXPECT_EQ(decoded(ColumnType::string, R"({ "y" : [1, "}"] , "z": "\"]" })"),
              R"('{ "y" : [1, "}"] , "z": "\"]" }')");
    EXPECT_EQ(decoded(ColumnType::string, "[ 1,\n2 ]"), "'[ 1,\n2 ]'");
    EXPECT_EQ(decoded(ColumnType::string, "[]"), "'[]'");
    EXPECT_EQ(decoded(ColumnType::string, "{ }"), "'{ }'");
    EXPECT_EQ(decoded(ColumnType::string, "12345678901234567890123"), "'12345678901234567890123'");
    EXPECT_EQ(decoded(ColumnType::string, "1.50"), "'1.50'");
    EXPECT_EQ(decoded(ColumnType::string, "1e400"), "'1e400'");
    EXPECT_EQ(decoded(ColumnType::string, "true"), "'true'");
    EXPECT_EQ(decoded(ColumnType::string, "null"), "null");
    EXPECT_EQ(decoded(ColumnType::null, R"("text")"), "'text'");
}

TEST(RowDecoder, NumbersAreExact) {
    EXPECT_EQ(decoded(ColumnType::bigint, "9223372036854775807"), "9223372036854775807");
    EXPECT_EQ(decoded(ColumnType::bigint, "-9223372036854775808"), "-9223372036854775808");
    EXPECT_EQ(decoded(ColumnType::bigint, "-0"), "0");
    EXPECT_EQ(decoded(ColumnType::string, "-0"), "'0'") << "whether a text came before it was landed or later";
    EXPECT_EQ(decoded(ColumnType::bigint, "null"), "null");
    EXPECT_EQ(decoded(ColumnType::double_, "0.1"), "double 0.1");
    EXPECT_EQ(decoded(ColumnType::double_, "-0.0"), "double -0");
    EXPECT_EQ(decoded(ColumnType::double_, "-0"), "double 0");
    EXPECT_EQ(decoded(ColumnType::double_, "3"), "double 3");
    EXPECT_EQ(decoded(ColumnType::double_, "1E+3"), "double 1000");
    EXPECT_EQ(decoded(ColumnType::double_, "9007199254740993"), "double 9007199254740992");
    EXPECT_EQ(decoded(ColumnType::double_, "4.9e-324"), "double 5e-324");
    EXPECT_EQ(decoded(ColumnType::double_, "1e-400"), "double 0");
    EXPECT_EQ(decoded(ColumnType::double_, "-1e-400"), "double -0");
    EXPECT_EQ(decoded(ColumnType::double_, "1.7976931348623157e308"), "double 1.7976931348623157e+308");
    EXPECT_EQ(decoded(ColumnType::boolean, "true"), "true");
    EXPECT_EQ(decoded(ColumnType::boolean, "false"), "false");
}

/// As in Python's json and in Spark: an integer has one zero, a double two.
TEST(CensusAndRowDecoder, MinusZeroIsAnIntegersZeroAndADoublesOwn) {
    const auto landed = [](const std::vector<std::string>& values) {
        Census census;
        for (const std::string& value : values)
            census.observe(PaddedJson(R"({"event_type": "a", "x": )" + value + "}").view());
        const auto schema = census.schema(0);
        const auto column = std::find_if(schema.begin(), schema.end(), [](const Column& c) { return c.key == "x"; });
        std::string cells;
        for (const std::string& value : values) cells += " " + decoded(column->type, value);
        return std::string(type_name(column->type)) + cells;
    };
    EXPECT_EQ(landed({"-0"}), "bigint 0");
    EXPECT_EQ(landed({"-0", "1.5"}), "double double 0 double 1.5");
    EXPECT_EQ(landed({"-0.0", "-0e0", "0"}), "double double -0 double -0 double 0");
    EXPECT_EQ(landed({"-0", R"("x")"}), "string '0' 'x'");
}

TEST(RowDecoder, WhatDoesNotFitIsToldNotGuessed) {
    EXPECT_EQ(decoded(ColumnType::boolean, "1"), "misfit");
    EXPECT_EQ(decoded(ColumnType::bigint, "1.0"), "misfit");
    EXPECT_EQ(decoded(ColumnType::bigint, "1e3"), "misfit");
    EXPECT_EQ(decoded(ColumnType::bigint, "9223372036854775808"), "misfit");
    EXPECT_EQ(decoded(ColumnType::bigint, R"("1")"), "misfit");
    EXPECT_EQ(decoded(ColumnType::double_, "true"), "misfit");
    EXPECT_EQ(decoded(ColumnType::double_, "[1]"), "misfit");
}

class DecodedEvents : public ::testing::Test {
protected:
    /// The cells of `columns` for one event after another, as text.
    std::vector<std::string> decode(RowDecoder& decoder, std::size_t columns, std::string_view json) {
        const PaddedJson padded(json);
        std::vector<Cell> cells(columns);
        EXPECT_TRUE(decoder.decode(padded.view(), cells)) << json;
        std::vector<std::string> texts;
        for (const Cell& cell : cells) texts.push_back(shown(cell));
        return texts;
    }
    using Texts = std::vector<std::string>;
};

TEST_F(DecodedEvents, KeysAreFoundInAnyOrderAndAbsentOnesAreNull) {
    RowDecoder decoder({{"a", ColumnType::bigint}, {"b", ColumnType::string}, {"e\"", ColumnType::bigint}});
    EXPECT_EQ(decode(decoder, 3, R"({"a": 1, "b": "x", "e\"": 2})"), (Texts{"1", "'x'", "2"}));
    EXPECT_EQ(decode(decoder, 3, R"({"b": "y", "a": 2})"), (Texts{"2", "'y'", "null"}));
    EXPECT_EQ(decode(decoder, 3, R"({"other": [{"a": 9}], "\u0061": 3, "\u0065\u0022": 4})"),
              (Texts{"3", "null", "4"}));
    EXPECT_EQ(decode(decoder, 3, "{}"), (Texts{"null", "null", "null"}));
    EXPECT_EQ(decode(decoder, 3, R"({"a": 1, "b": "x", "e\"": 2})"), (Texts{"1", "'x'", "2"}));
}

TEST_F(DecodedEvents, AKeyThatOnlyBeginsAsPredictedIsAnother) {
    RowDecoder decoder({{"Host", ColumnType::string}, {"Hostname", ColumnType::string}});
    EXPECT_EQ(decode(decoder, 2, R"({"Host": "a"})"), (Texts{"'a'", "null"}));
    EXPECT_EQ(decode(decoder, 2, R"({"Hostname": "b"})"), (Texts{"null", "'b'"}));
    EXPECT_EQ(decode(decoder, 2, R"({"Host": "c"})"), (Texts{"'c'", "null"}));
}

TEST_F(DecodedEvents, AnEmptyKeyIsAKeyFromTheFirstEventOn) {
    const Schema columns{{"", ColumnType::bigint}, {"event_type", ColumnType::string}};
    RowDecoder first(columns);
    EXPECT_EQ(decode(first, 2, R"({"": 1, "event_type": "x"})"), (Texts{"1", "'x'"}));
    EXPECT_EQ(decode(first, 2, R"({"event_type": "y", "": 2})"), (Texts{"2", "'y'"}));
    RowDecoder last(columns);
    EXPECT_EQ(decode(last, 2, R"({"event_type": "x", "": 1})"), (Texts{"1", "'x'"}));
    RowDecoder without({{"event_type", ColumnType::string}, {std::string(rescued_data_key), ColumnType::string}});
    EXPECT_EQ(decode(without, 2, R"({"": 1, "event_type": "x"})"), (Texts{"'x'", R"('{"": 1}')"}));
}

TEST_F(DecodedEvents, TheLastOfRepeatedKeysCounts) {
    RowDecoder decoder({{"a", ColumnType::bigint}});
    EXPECT_EQ(decode(decoder, 1, R"({"a": 1, "a": 2})"), (Texts{"2"}));
    EXPECT_EQ(decode(decoder, 1, R"({"a": "text", "\u0061": 3})"), (Texts{"3"}));
    EXPECT_EQ(decode(decoder, 1, R"({"a": 1, "a": null})"), (Texts{"null"}));
}

TEST_F(DecodedEvents, OnlyWantedColumnsAreFilled) {
    RowDecoder decoder({{"a", ColumnType::bigint}, {"b", ColumnType::bigint}}, {1});
    EXPECT_EQ(decode(decoder, 2, R"({"a": "no number, which nobody asks", "b": 7})"), (Texts{"null", "7"}));
}

TEST_F(DecodedEvents, ManyEscapedStringsOfOneEventStayApart) {
    Schema schema;
    std::string json = "{";
    Texts expected;
    for (int i = 100; i < 400; ++i) {
        schema.push_back({fmt::format("k{}", i), ColumnType::string});
        json += fmt::format("{}\"k{}\":\"\\n{}\"", i == 100 ? "" : ",", i, i);
        expected.push_back(fmt::format("'\n{}'", i));
    }
    RowDecoder decoder(schema);
    EXPECT_EQ(decode(decoder, schema.size(), json + "}"), expected);
}

TEST_F(DecodedEvents, WhatHasNoPlaceIsRescued) {
    RowDecoder decoder({{"_rescued_data", ColumnType::string}, {"a", ColumnType::bigint}});
    EXPECT_EQ(decode(decoder, 2, R"({"a": 1})"), (Texts{"null", "1"}));
    EXPECT_EQ(decode(decoder, 2, R"({"a": "\"", "k\n" : [1, 2] , "_rescued_data": null})"),
              (Texts{R"('{"a": "\"", "k\n": [1, 2], "_rescued_data": null}')", "null"}));
    EXPECT_EQ(decode(decoder, 2, R"({"a": "text", "b": 2, "a": 5})"), (Texts{R"('{"b": 2}')", "5"}));
}

TEST_F(DecodedEvents, RescueIsRightWhateverIsProjected) {
    const Schema schema{{"_rescued_data", ColumnType::string}, {"a", ColumnType::bigint}, {"b", ColumnType::bigint}};
    RowDecoder rescue_only(schema, {0});
    EXPECT_EQ(decode(rescue_only, 3, R"({"a": "x", "b": 2, "c": 3})"),
              (Texts{R"('{"a": "x", "c": 3}')", "null", "null"}));
    RowDecoder column_only(schema, {1});
    EXPECT_EQ(decode(column_only, 3, R"({"a": "x", "b": 2, "c": 3})"), (Texts{"null", "null", "null"}));
}

TEST(EventType, IsReadFromAnywhereInTheEvent) {
    const auto type = [](std::string_view json) {
        std::string out = "(stale)";
        return event_type_of(PaddedJson(json).view(), out) ? out : "none";
    };
    EXPECT_EQ(type(R"({"event_type": "purchase_sword"})"), "purchase_sword");
    EXPECT_EQ(type(R"({"a": {"event_type": "nested"}, "event_type" : "outer" })"), "outer");
    EXPECT_EQ(type(R"({"event\u005ftype": "caf\u00e9"})"), "café");
    EXPECT_EQ(type(R"({"event_type": "a", "event_type": "b"})"), "b");
    EXPECT_EQ(type(R"({"event_type": "a", "event_type": 1})"), "none");
    EXPECT_EQ(type(R"({"event_type": ""})"), "");
    for (const std::string_view json : {"", "[]", "{}", "nonsense", R"({"event_type": 5})", R"({"event_type": "a)",
                                        R"({"event_type": "\ud800"})", "{\"event_type\": \"\xff\"}"})
        EXPECT_EQ(type(json), "none") << json;
}

/// Random events whose decoding is known because they were made from it.
class EventMaker {
public:
    explicit EventMaker(unsigned seed) : random_(seed) {}

    struct Member {
        std::string key;
        ColumnType type = ColumnType::null;
        std::string text;   ///< JSON.
        std::string string; ///< As a string column has it; of a null, nothing.
    };

    /// Members in the order written, repeated keys among them.
    std::vector<Member> members() {
        std::vector<Member> made;
        const std::size_t count = below(8);
        for (std::size_t i = 0; i < count; ++i) {
            Member member = value();
            member.key = keys_[below(std::size(keys_))];
            made.push_back(member);
        }
        made.insert(made.begin() + static_cast<std::ptrdiff_t>(below(made.size() + 1)),
                    {"event_type", ColumnType::string, "\"t\"", "t"});
        return made;
    }

    std::string json(const std::vector<Member>& members) {
        std::string text = space() + "{";
        for (const Member& member : members) {
            if (&member != &members.front()) text += ",";
            text += space() + quoted(member.key) + space() + ":" + space() + member.text + space();
        }
        return text + "}" + space();
    }

private:
    std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_); }
    std::string space() {
        std::string text;
        while (below(3) == 0) text += " \t\r\n"[below(4)];
        return text;
    }
    std::string quoted(const std::string& text) {
        std::string out = "\"";
        for (const char c : text) {
            const bool must = c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
            const bool may = static_cast<unsigned char>(c) < 0x80 && below(8) == 0;
            if (must || may)
                out += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
            else
                out += c;
        }
        return out + "\"";
    }
    std::string words() {
        std::string text;
        const std::size_t length = below(3) == 0 ? below(200) : below(20);
        while (text.size() < length) text += pieces_[below(std::size(pieces_))];
        return text;
    }
    std::string nested(int depth) {
        if (depth == 0 || below(3) == 0) return value(0).text;
        std::string text = below(2) == 0 ? "[" : "{";
        const bool object = text == "{";
        const std::size_t count = below(4);
        for (std::size_t i = 0; i < count; ++i) {
            if (i != 0) text += ",";
            text += space();
            if (object) text += quoted(words()) + ":";
            text += nested(depth - 1) + space();
        }
        return text + (object ? "}" : "]");
    }
    Member value(int depth = 4) {
        switch (below(depth > 0 ? 8 : 7)) {
        case 0: return {"", ColumnType::null, "null", ""};
        case 1:
            return below(2) == 0 ? Member{"", ColumnType::boolean, "true", "true"}
                                 : Member{"", ColumnType::boolean, "false", "false"};
        case 2: {
            const std::string text = fmt::format("{}", static_cast<std::int64_t>(random_()) >> below(64));
            return {"", ColumnType::bigint, text, text};
        }
        case 3: {
            const std::string text = fmt::format("{:e}", std::uniform_real_distribution<double>(-1e9, 1e9)(random_));
            return {"", ColumnType::double_, text, text};
        }
        case 4: {
            const std::string text = below(2) == 0 ? "-1e999" : "98765432109876543210987";
            return {"", ColumnType::string, text, text};
        }
        case 7: {
            const std::string text = nested(depth);
            if (text.front() == '[' || text.front() == '{') return {"", ColumnType::string, text, text};
            return {"", ColumnType::null, "null", ""};
        }
        default: {
            const std::string text = words();
            return {"", ColumnType::string, quoted(text), text};
        }
        }
    }

    std::mt19937_64 random_;
    const std::string keys_[6] = {"a", "b", "Host", "User-Agent", "q\"\\\n", "größe"};
    const std::string pieces_[8] = {"x", "longer", "\"", "\\", "\n", "é", "😀", std::string(1, '\0')};
};

/// What the event says of `column`, by the plain reading of docs/formats/columns.md.
std::string expected_cell(const std::vector<EventMaker::Member>& members, const Column& column) {
    const auto last =
        std::find_if(members.rbegin(), members.rend(), [&](const auto& m) { return m.key == column.key; });
    if (last == members.rend() || last->type == ColumnType::null) return "null";
    switch (column.type) {
    case ColumnType::boolean:
    case ColumnType::bigint: return last->text;
    case ColumnType::double_: return fmt::format("double {}", std::stod(last->text));
    case ColumnType::null:
    case ColumnType::string: return fmt::format("'{}'", last->string);
    }
    return {};
}

TEST(CensusAndRowDecoder, ReadRandomEventsAsTheyWereMeant) {
    for (unsigned seed = 0; seed < 300; ++seed) {
        EventMaker maker(seed);
        Census census;
        std::vector<std::vector<EventMaker::Member>> events;
        std::vector<PaddedJson> texts;
        for (int i = 0; i < 20; ++i) {
            events.push_back(maker.members());
            texts.emplace_back(maker.json(events.back()));
            ASSERT_EQ(census.observe(texts.back().view()), 0) << texts.back().view();
        }
        Schema expected_schema;
        for (const auto& event : events) {
            Schema of_event;
            for (const auto& member : event) {
                std::erase_if(of_event, [&](const Column& column) { return column.key == member.key; });
                of_event.push_back({member.key, member.type});
            }
            std::sort(of_event.begin(), of_event.end());
            expected_schema = merge(expected_schema, of_event);
        }
        ASSERT_EQ(census.schema(0), expected_schema) << "seed " << seed;
        RowDecoder decoder(census.schema(0));
        std::vector<Cell> cells(expected_schema.size());
        for (std::size_t i = 0; i < events.size(); ++i) {
            ASSERT_TRUE(decoder.decode(texts[i].view(), cells)) << texts[i].view();
            for (std::size_t column = 0; column < cells.size(); ++column)
                ASSERT_EQ(shown(cells[column]), expected_cell(events[i], expected_schema[column]))
                    << "seed " << seed << ", column " << expected_schema[column].key << " of " << texts[i].view();
            std::string type;
            ASSERT_TRUE(event_type_of(texts[i].view(), type));
            ASSERT_EQ(type, "t");
        }
    }
}

} // namespace
} // namespace questlog::event
