#pragma once

#include <string>
#include <string_view>

namespace questlog::event {

/// Appends the text that the contents of a valid JSON string (what stands between its quotes) mean, as UTF-8. False
/// where an escape is not valid (a lone surrogate is not); then what was appended is of no use. The text is never
/// longer.
[[nodiscard]] bool append_unescaped(std::string& out, std::string_view contents);

} // namespace questlog::event
