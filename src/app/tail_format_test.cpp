#include "app/tail_format.h"

#include <gtest/gtest.h>

namespace questlog::app {
namespace {

std::string formatted(std::string_view text) {
    const auto format = TailFormat::parse(text);
    EXPECT_TRUE(format.ok()) << text;
    log::Record record;
    record.offset = Offset{41};
    record.timestamp = TimestampMs{1795384733873};
    record.value = R"({"event_type": "default"})";
    std::string out;
    if (format.ok()) format->append(out, "game-events", Partition{2}, record);
    return out;
}

TEST(TailFormat, WritesWhatKcatWrites) {
    EXPECT_EQ(formatted("%s\\n"), "{\"event_type\": \"default\"}\n");
    EXPECT_EQ(formatted("%T %p %o %S %t%%"), "1795384733873 2 41 25 game-events%");
    EXPECT_EQ(formatted("%k|%K\\t\\x41\\\\"), "|-1\tA\\");
}

TEST(TailFormat, TellsNullFromNothing) {
    log::BatchBuilder builder;
    builder.begin(Offset{0});
    const std::vector<log::RecordHeader> headers{{"none", {}}, {"empty", ""}};
    builder.add(TimestampMs{1}, {}, "", headers);
    builder.add(TimestampMs{1}, "", std::nullopt, {});
    const auto batch = builder.seal();
    log::RecordCursor records(log::parse_batch_header(batch).value(), batch.subspan(log::batch_header_bytes));
    std::string out;
    log::Record record;
    while (records.next(record).value())
        TailFormat::parse("%S %K <%h>,")->append(out, "game-events", Partition{2}, record);
    EXPECT_EQ(out, "-1 0 <none=NULL,empty=>,0 -1 <>,");
}

TEST(TailFormat, TellsWhetherItNeedsHeaders) {
    EXPECT_TRUE(TailFormat::parse("%s %h\\n")->has_headers());
    EXPECT_FALSE(TailFormat::parse("%s h%%h\\n")->has_headers());
}

TEST(TailFormat, RefusesWhatItDoesNotKnow) {
    for (const char* wrong : {"%z", "%", "\\q", "\\", "\\x4", "\\xg0"})
        EXPECT_FALSE(TailFormat::parse(wrong).ok()) << wrong;
}

} // namespace
} // namespace questlog::app
