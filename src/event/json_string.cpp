#include "event/json_string.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace questlog::event {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
    return static_cast<std::uint8_t>(text[at]);
}

/// Printable ASCII but for the quote and the backslash.
constexpr bool is_plain(std::uint8_t byte) {
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/// True if all eight bytes are plain. Each test leaves the top bit of a byte clear where it finds something.
bool all_plain(const char* eight) {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t tops = ones * 0x80;
    std::uint64_t word = 0;
    std::memcpy(&word, eight, sizeof word);
    const auto differs_from = [word](std::uint64_t byte) { return ((word ^ (ones * byte)) | tops) - ones; };
    const std::uint64_t not_control = (word | tops) - ones * 0x20;
    return (~word & not_control & differs_from('"') & differs_from('\\') & differs_from(0x7f) & tops) == tops;
}

void append_unit(std::string& out, std::uint32_t unit) {
    constexpr std::string_view digits = "0123456789abcdef";
    const std::array<char, 6> escape{'\\',
                                     'u',
                                     digits[(unit >> 12) & 0xf],
                                     digits[(unit >> 8) & 0xf],
                                     digits[(unit >> 4) & 0xf],
                                     digits[unit & 0xf]};
    out.append(escape.data(), escape.size());
}

/// One UTF-16 unit or ASCII character.
void append_escaped(std::string& out, std::uint32_t unit) {
    switch (unit) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
    }
    if (unit < 0x80 && is_plain(static_cast<std::uint8_t>(unit)))
        out += static_cast<char>(unit);
    else
        append_unit(out, unit);
}

void append_code_point(std::string& out, std::uint32_t point) {
    if (point < 0x10000) return append_escaped(out, point);
    append_unit(out, 0xd800 + ((point - 0x10000) >> 10));
    append_unit(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
}

/// Decodes the sequence at the start of `text`; its length, or 0 if it is not valid UTF-8 (RFC 3629).
std::size_t decode_utf8(std::string_view text, std::uint32_t& point) {
    const std::uint8_t first = byte_at(text, 0);
    const std::size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length == 0 || first > 0xf4 || text.size() < length) return 0;
    point = length == 1 ? first : first & (0x7fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const std::uint8_t next = byte_at(text, i);
        if ((next & 0xc0) != 0x80) return 0;
        point = (point << 6) | (next & 0x3fu);
    }
    const bool overlong = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
    const bool surrogate = point >= 0xd800 && point < 0xe000;
    return overlong || surrogate || point > 0x10ffff ? 0 : length;
}

/// Of a digit that the parser has seen to be one.
std::uint32_t checked_hex_value(char digit) {
    if (digit <= '9') return static_cast<std::uint32_t>(digit - '0');
    return static_cast<std::uint32_t>((digit | 0x20) - 'a' + 10);
}

/// The escape sequence at the start of `contents`; its length.
std::size_t append_escape_again(std::string& out, std::string_view contents) {
    switch (contents[1]) {
    case 'b': append_escaped(out, '\b'); return 2;
    case 'f': append_escaped(out, '\f'); return 2;
    case 'n': append_escaped(out, '\n'); return 2;
    case 'r': append_escaped(out, '\r'); return 2;
    case 't': append_escaped(out, '\t'); return 2;
    case 'u': {
        std::uint32_t unit = 0;
        for (std::size_t i = 2; i < 6; ++i) unit = unit << 4 | checked_hex_value(contents[i]);
        append_escaped(out, unit);
        return 6;
    }
    default: append_escaped(out, byte_at(contents, 1)); return 2; // quote, backslash, slash
    }
}

} // namespace

std::size_t plain_prefix(std::string_view text) {
    std::size_t at = 0;
    while (at + 8 <= text.size() && all_plain(text.data() + at)) at += 8;
    while (at < text.size() && is_plain(byte_at(text, at))) ++at;
    return at;
}

bool append_json_string(std::string& out, std::string_view text) {
    const std::size_t before = out.size();
    out += '"';
    for (;;) {
        const std::size_t plain = plain_prefix(text);
        out.append(text.data(), plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        std::uint32_t point = 0;
        const std::size_t used = decode_utf8(text, point);
        if (used == 0) {
            out.resize(before);
            return false;
        }
        append_code_point(out, point);
        text.remove_prefix(used);
    }
    out += '"';
    return true;
}

std::string json_string(std::string_view text) {
    std::string json;
    if (!append_json_string(json, text)) append_json_latin1(json, text);
    return json;
}

void append_json_latin1(std::string& out, std::string_view bytes) {
    out += '"';
    for (;;) {
        const std::size_t plain = plain_prefix(bytes);
        out.append(bytes.data(), plain);
        if (plain == bytes.size()) break;
        append_escaped(out, byte_at(bytes, plain));
        bytes.remove_prefix(plain + 1);
    }
    out += '"';
}

void append_reescaped(std::string& out, std::string_view contents) {
    for (;;) {
        const std::size_t plain = plain_prefix(contents);
        out.append(contents.data(), plain);
        contents.remove_prefix(plain);
        if (contents.empty()) return;
        std::uint32_t point = 0;
        if (contents[0] == '\\') {
            contents.remove_prefix(append_escape_again(out, contents));
        } else if (const std::size_t used = decode_utf8(contents, point); used != 0) {
            append_code_point(out, point);
            contents.remove_prefix(used);
        } else {
            return; // not reached with a valid string
        }
    }
}

} // namespace questlog::event
