#include "scan/set_aside.h"

#include "base/offset_spans.h"

#include <algorithm>

namespace questlog::scan {

void add_invalid(SetAside& aside, std::string_view reason, Offset offset) {
    auto known =
        std::find_if(aside.invalid.begin(), aside.invalid.end(), [&](const auto& one) { return one.first == reason; });
    if (known == aside.invalid.end())
        known = aside.invalid.insert(known, {std::string(reason), std::vector<OffsetSpan>{}});
    append_offset(known->second, offset);
}

void take_out_repeats(SetAside& aside) {
    for (auto& [reason, spans] : aside.invalid) {
        std::vector<OffsetSpan> left;
        auto repeat = aside.repeats.begin();
        for (auto [from, to] : spans) {
            for (; repeat != aside.repeats.end() && repeat->from < to; ++repeat) {
                if (repeat->to <= from) continue;
                if (from < repeat->from) left.push_back({from, repeat->from});
                from = std::min(repeat->to, to);
                if (repeat->to > to) break;
            }
            if (from < to) left.push_back({from, to});
        }
        spans = std::move(left);
    }
    std::erase_if(aside.invalid, [](const auto& one) { return one.second.empty(); });
}

SetAsideCursor::SetAsideCursor(const SetAside& aside) {
    for (const OffsetSpan& span : aside.repeats) spans_.push_back({span, nullptr});
    for (const auto& [reason, spans] : aside.invalid)
        for (const OffsetSpan& span : spans) spans_.push_back({span, &reason});
    std::sort(spans_.begin(), spans_.end(),
              [](const Span& one, const Span& other) { return one.offsets.from < other.offsets.from; });
}

bool SetAsideCursor::has(Offset offset) {
    while (next_ < spans_.size() && spans_[next_].offsets.to <= offset) ++next_;
    return next_ < spans_.size() && spans_[next_].offsets.from <= offset;
}

} // namespace questlog::scan
