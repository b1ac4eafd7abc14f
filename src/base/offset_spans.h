#pragma once

#include "base/strong.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Offsets of a partition as spans in order, none empty, none reaching into the next.
namespace questlog {

/// An offset that is greater than all there are.
void append_offset(std::vector<OffsetSpan>& spans, Offset offset);

/// "4 7-9"
[[nodiscard]] std::string spans_text(const std::vector<OffsetSpan>& spans);
/// nullopt: `text` is none.
[[nodiscard]] std::optional<std::vector<OffsetSpan>> parse_spans(std::string_view text);

} // namespace questlog
