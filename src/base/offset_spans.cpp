#include "base/offset_spans.h"

#include "base/checked_text.h"

#include <algorithm>

namespace questlog {

void append_offset(std::vector<OffsetSpan>& spans, Offset offset) {
    if (!spans.empty() && spans.back().to == offset)
        spans.back().to = offset.plus(1);
    else
        spans.push_back({offset, offset.plus(1)});
}

std::string spans_text(const std::vector<OffsetSpan>& spans) {
    std::string text;
    for (const auto& [from, to] : spans) {
        text += fmt::format("{}{}", text.empty() ? "" : " ", from);
        if (to != from.plus(1)) text += fmt::format("-{}", to.plus(-1));
    }
    return text;
}

std::optional<std::vector<OffsetSpan>> parse_spans(std::string_view text) {
    std::vector<OffsetSpan> spans;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(word.size() + 1, text.size()));
        const std::size_t dash = word.find('-');
        OffsetSpan span;
        if (!parse_number(word.substr(0, dash), span.from.value)) return std::nullopt;
        Offset last = span.from;
        if (dash != std::string_view::npos && !parse_number(word.substr(dash + 1), last.value)) return std::nullopt;
        span.to = last.plus(1);
        if (span.to <= span.from || (!spans.empty() && span.from < spans.back().to)) return std::nullopt;
        spans.push_back(span);
    }
    return spans;
}

} // namespace questlog
