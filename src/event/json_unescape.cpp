#include "event/json_unescape.h"

#include <cstdint>
#include <cstring>

namespace questlog::event {

namespace {

/// The code unit of the four hex digits at `text`; -1 if they are not that.
[[nodiscard]] std::int32_t code_unit(std::string_view text) {
    if (text.size() < 4) return -1;
    std::int32_t unit = 0;
    for (const char c : text.substr(0, 4)) {
        const char lower = static_cast<char>(c | 0x20);
        if (c >= '0' && c <= '9')
            unit = unit * 16 + (c - '0');
        else if (lower >= 'a' && lower <= 'f')
            unit = unit * 16 + (lower - 'a' + 10);
        else
            return -1;
    }
    return unit;
}

void append_utf8(std::string& out, std::int32_t code) {
    const auto continuation = [](std::int32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xc0 | code >> 6);
        out += continuation(code);
    } else if (code < 0x10000) {
        out += static_cast<char>(0xe0 | code >> 12);
        out += continuation(code >> 6);
        out += continuation(code);
    } else {
        out += static_cast<char>(0xf0 | code >> 18);
        out += continuation(code >> 12);
        out += continuation(code >> 6);
        out += continuation(code);
    }
}

/// Appends the code point of the \u escape whose digits `rest` begins with, and moves `rest` behind it.
[[nodiscard]] bool append_code_point(std::string& out, std::string_view& rest) {
    std::int32_t code = code_unit(rest);
    if (code < 0 || (code >= 0xdc00 && code < 0xe000)) return false;
    rest.remove_prefix(4);
    if (code >= 0xd800 && code < 0xdc00) {
        if (!rest.starts_with("\\u")) return false;
        const std::int32_t low = code_unit(rest.substr(2));
        if (low < 0xdc00 || low >= 0xe000) return false;
        rest.remove_prefix(6);
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    append_utf8(out, code);
    return true;
}

/// What a one-letter escape stands for; 0 if there is none such.
[[nodiscard]] char short_escape(char letter) {
    switch (letter) {
    case '"':
    case '\\':
    case '/': return letter;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

} // namespace

bool append_unescaped(std::string& out, std::string_view contents) {
    for (;;) {
        const auto* backslash = static_cast<const char*>(std::memchr(contents.data(), '\\', contents.size()));
        if (backslash == nullptr) {
            out.append(contents);
            return true;
        }
        const auto plain = static_cast<std::size_t>(backslash - contents.data());
        out.append(contents.data(), plain);
        contents.remove_prefix(plain + 1);
        if (contents.empty()) return false;
        const char letter = contents.front();
        contents.remove_prefix(1);
        if (letter == 'u') {
            if (!append_code_point(out, contents)) return false;
        } else if (const char meant = short_escape(letter); meant != 0) {
            out += meant;
        } else {
            return false;
        }
    }
}

} // namespace questlog::event
