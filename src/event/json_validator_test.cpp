// Lines that are checked in one run are what each of them is by itself, whatever stands around it.
#include "event/json_validator.h"

#include "base/checked_text.h"
#include "event/json_text.h"
#include "event/padded_json.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <vector>

namespace questlog::event {
namespace {

struct Checked {
    EventFault fault = EventFault::none;
    std::string type;
    std::string message_id;
    friend bool operator==(const Checked&, const Checked&) = default;
    friend void PrintTo(const Checked& checked, std::ostream* out) {
        *out << fmt::format("{} type \"{}\" id \"{}\"", reason_of(checked.fault), checked.type, checked.message_id);
    }
};

Checked checked(EventFault fault, const EventNames& names) {
    if (fault != EventFault::none) return {fault, {}, {}};
    return {fault, std::string(names.type), std::string(names.message_id)};
}

std::string joined(const std::vector<std::string>& lines, std::string_view end = "\n") {
    std::string text;
    for (const std::string& line : lines) text += line + std::string(end);
    return text;
}

/// Each line of the text that is not empty, in one run.
std::vector<Checked> in_a_run(JsonValidator& validator, std::string_view text) {
    const PaddedJson padded(text);
    std::vector<Checked> all;
    validator.begin_lines(padded.view());
    for (std::string_view rest = padded.view(); !rest.empty();) {
        const std::string_view line = trim_json_space(take_text_line(rest));
        if (line.empty()) continue;
        EventNames names;
        const EventFault fault = validator.check_line(line, names);
        all.push_back(checked(fault, names));
    }
    return all;
}

std::vector<Checked> one_by_one(JsonValidator& validator, const std::vector<std::string>& lines) {
    std::vector<Checked> all;
    for (const std::string& line : lines) {
        const PaddedJson padded(trim_json_space(line));
        if (padded.view().empty()) continue;
        EventNames names;
        const EventFault fault = validator.check_event(padded.view(), names);
        all.push_back(checked(fault, names));
    }
    return all;
}

const std::vector<std::string>& odd_lines() {
    static const std::vector<std::string> lines{
        R"({"event_type":"a"})",
        R"({"event_type":"b","message_id":"one"})",
        R"(  { "event_type" : "c" , "n" : [ 1 , { } , [ ] ] }  )",
        "{\"event_type\":\"c\xc3\xa9\"}",
        R"({"event_type":"d","text":"}\n{\"event_type\":\"no\"}"})",
        R"({"event_type":"wide","n":123456789012345678901234567890})",
        R"({"event_type":"e","n":1e400})",
        R"({"event_type":"a"}{"event_type":"b"})",
        R"({"event_type":"a"} {"event_type":"b"})",
        R"({"event_type":"a"},)",
        R"(,{"event_type":"a"})",
        R"({"event_type":"a"}x)",
        R"({"event_type":"a"}})",
        R"({"event_type":"a")",
        R"({"event_type":)",
        R"("event_type":"a"})",
        R"(})",
        R"([{"event_type":"a"}])",
        R"([])",
        R"({})",
        R"(1)",
        R"("text")",
        R"("open)",
        R"({"event_type":"open)",
        R"({"event_type":"a\"})",
        R"(null)",
        R"(tru)",
        "{\"event_type\":\"\xff\"}",
        "{\"event_type\":\"cut \xc3\"}",
        "{\"event_type\":\"control \x01\"}",
        "{\"event_type\":\"a\"}\r",
        "\xef\xbb\xbf{\"event_type\":\"a\"}",
        R"({"event_type":""})",
        R"({"event_type":1})",
        R"({"event_type":"a","event_type":"b"})",
        R"({"event_type":"a","message_id":"with space"})",
        R"({"event_type":"deep","n":)" + std::string(70, '[') + std::string(70, ']') + "}",
        "",
        " ",
    };
    return lines;
}

TEST(JsonLines, OddOnesAreWhatTheyAreByThemselves) {
    JsonValidator runs;
    JsonValidator single;
    const std::string good = R"({"event_type":"good","message_id":"1"})";
    for (const std::string& one : odd_lines())
        for (const std::string& other : odd_lines()) {
            const std::vector<std::string> lines{good, one, good, other, one, good};
            ASSERT_EQ(in_a_run(runs, joined(lines)), one_by_one(single, lines)) << one << "\n" << other;
        }
}

TEST(JsonLines, TheEndIsWhereTheTextEnds) {
    JsonValidator runs;
    JsonValidator single;
    for (const std::string& last : odd_lines()) {
        std::string text = R"({"event_type":"good"})";
        text += "\r\n\n" + last;
        ASSERT_EQ(in_a_run(runs, text), one_by_one(single, {R"({"event_type":"good"})", last})) << last;
    }
}

/// The parser takes 32 KiB at once: whatever lies on that border is whole all the same.
TEST(JsonLines, AreWholeWhereverTheParserCutsThem) {
    JsonValidator runs;
    JsonValidator single;
    for (std::size_t shift = 0; shift < 140; ++shift) {
        std::vector<std::string> lines{R"({"event_type":")" + std::string(shift + 1, 'x') + R"("})"};
        for (std::size_t i = 0; i < 1500; ++i)
            lines.push_back(fmt::format(R"({{"event_type":"é\"\\","message_id":"{}","n":[{},"日本{}"]}})", i, i,
                                        std::string(i % 97, 'y')));
        ASSERT_GT(joined(lines).size(), 2 * 64 * 1024U);
        ASSERT_EQ(in_a_run(runs, joined(lines, "\r\n")), one_by_one(single, lines)) << shift;
    }
}

TEST(JsonLines, LongOnesAreTaken) {
    JsonValidator runs;
    JsonValidator single;
    std::vector<std::string> lines;
    for (const std::size_t bytes : {10UL, 20'000UL, 10UL, EventLimits().bytes_max - 31, EventLimits().bytes_max, 10UL})
        lines.push_back(R"({"event_type":"long","text":")" + std::string(bytes, 'x') + R"("})");
    const std::vector<Checked> all = in_a_run(runs, joined(lines));
    EXPECT_EQ(all, one_by_one(single, lines));
    ASSERT_EQ(all.size(), lines.size());
    EXPECT_EQ(all[3].fault, EventFault::none);
    EXPECT_EQ(all[4].fault, EventFault::too_large);
}

TEST(JsonLines, SmallLimitsHoldInARun) {
    EventLimits limits;
    limits.bytes_max = 100;
    limits.depth_max = 2;
    JsonValidator runs(limits);
    JsonValidator single(limits);
    const std::vector<std::string> lines{R"({"event_type":"a"})",
                                         R"({"event_type":"a","n":[1]})",
                                         R"({"event_type":"a","n":[[1]]})",
                                         R"({"event_type":"a"})",
                                         R"({"event_type":")" + std::string(100, 'x') + R"("})",
                                         R"({"event_type":"a"})"};
    const std::vector<Checked> all = in_a_run(runs, joined(lines));
    EXPECT_EQ(all, one_by_one(single, lines));
    EXPECT_EQ(all[2].fault, EventFault::too_deep);
    EXPECT_EQ(all[4].fault, EventFault::too_large);
}

TEST(JsonLines, AnotherTextInBetweenEndsTheRunAndHarmsNothing) {
    JsonValidator validator;
    const PaddedJson text("{\"event_type\":\"a\"}\n{\"event_type\":\"b\"}\n");
    EventNames names;
    validator.begin_lines(text.view());
    ASSERT_EQ(validator.check_line(text.view().substr(0, 18), names), EventFault::none);
    const PaddedJson other(R"({"event_type":"other"})");
    ASSERT_EQ(validator.check_event(other.view(), names), EventFault::none);
    EXPECT_EQ(names.type, "other");
    ASSERT_EQ(validator.check_line(text.view().substr(19, 18), names), EventFault::none);
    EXPECT_EQ(names.type, "b");
}

} // namespace
} // namespace questlog::event
