#include "base/offset_spans.h"

#include <gtest/gtest.h>

namespace questlog {
namespace {

TEST(OffsetSpans, AreWrittenAsTheyAreRead) {
    std::vector<OffsetSpan> spans;
    EXPECT_EQ(spans_text(spans), "");
    EXPECT_EQ(parse_spans(""), spans);
    for (const std::int64_t offset : {4, 7, 8, 9, 11}) append_offset(spans, Offset{offset});
    EXPECT_EQ(spans,
              (std::vector<OffsetSpan>{{Offset{4}, Offset{5}}, {Offset{7}, Offset{10}}, {Offset{11}, Offset{12}}}));
    EXPECT_EQ(spans_text(spans), "4 7-9 11");
    EXPECT_EQ(parse_spans("4 7-9 11"), spans);
    for (const char* wrong : {"x", "4 x", "4-", "-", "9-4", "4 4", "7-9 8", "9 4", "4  5", " 4", "4-5-6"})
        EXPECT_EQ(parse_spans(wrong), std::nullopt) << wrong;
}

} // namespace
} // namespace questlog
