#pragma once

#include "base/result.h"

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

/// Small records that are text with a version and a checksum, such as `holes` and `start_offset` of a partition
/// (docs/formats/log.md). The first line, the version's and the checksum's are the same in every version.
namespace questlog {

/// What kind of record a text is, and what its errors say.
struct TextKind {
    std::string_view title; ///< Its first line: "questlog holes".
    int version = 1;
    std::string_view cure; ///< What a person does about a damaged one, a clause.
};

/// `lines` are whole lines.
[[nodiscard]] std::string encode_checked_text(const TextKind& kind, std::string_view lines);
/// The lines of it. `corrupt` where a byte is wrong; `reject` where a newer version of the program wrote it. `path` is
/// for the message.
Result<std::string_view> decode_checked_text(const TextKind& kind, std::string_view text, const std::string& path);
[[nodiscard]] Error damaged_text(const TextKind& kind, const std::string& path, std::string_view what);

[[nodiscard]] constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

template <class Int> [[nodiscard]] bool parse_number(std::string_view word, Int& value) {
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    return error == std::errc() && end == word.data() + word.size();
}

/// Takes the first line from `text`, without its line break.
[[nodiscard]] std::string_view take_text_line(std::string_view& text);

} // namespace questlog
