#include "scan/utf8_text.h"

#include <cstdint>
#include <cstring>

namespace questlog::scan {

namespace {

/// How many bytes at the start of `text` are ASCII, looking at eight at once.
[[nodiscard]] std::size_t ascii_prefix(std::string_view text) {
    std::size_t at = 0;
    for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        if ((word & 0x8080808080808080U) != 0) break;
    }
    while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
    return at;
}

/// The length of the character of two to four bytes that `text` begins with; 0 if it begins with none.
[[nodiscard]] std::size_t character_length(std::string_view text) {
    const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80; };
    const unsigned first = byte(0);
    const unsigned second = byte(1);
    if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool in_range = (first != 0xe0 || second >= 0xa0) && (first != 0xed || second <= 0x9f); // no surrogates
        return in_range && continues(1) && continues(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool in_range = (first != 0xf0 || second >= 0x90) && (first != 0xf4 || second <= 0x8f);
        return in_range && continues(1) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

} // namespace

std::string_view shown_as_utf8(std::string_view bytes, std::string& buffer) {
    buffer.clear();
    std::size_t copied = 0;
    for (std::size_t at = ascii_prefix(bytes); at < bytes.size(); at += ascii_prefix(bytes.substr(at))) {
        if (const std::size_t length = character_length(bytes.substr(at)); length != 0) {
            at += length;
            continue;
        }
        buffer.append(bytes, copied, at - copied);
        buffer += "\xef\xbf\xbd";
        copied = ++at;
    }
    if (copied == 0) return bytes;
    buffer.append(bytes, copied);
    return buffer;
}

} // namespace questlog::scan
