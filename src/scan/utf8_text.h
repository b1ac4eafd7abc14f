#pragma once

#include <string>
#include <string_view>

namespace questlog::scan {

/// `bytes` where they are valid UTF-8, else a copy in `buffer` with U+FFFD for each byte that belongs to no character.
[[nodiscard]] std::string_view shown_as_utf8(std::string_view bytes, std::string& buffer);

} // namespace questlog::scan
