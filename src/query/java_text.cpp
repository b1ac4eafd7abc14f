#include "query/java_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace questlog::query {
namespace {

struct Character {
    std::uint32_t code = 0;
    std::size_t bytes = 1;
    [[nodiscard]] std::size_t units() const { return code >= 0x10000 ? 2 : 1; }
};

Character first_character(std::string_view text) {
    constexpr std::uint32_t replacement = 0xfffd;
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
    const std::uint32_t lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {replacement, 1};
    std::uint32_t code = lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U) return {replacement, 1};
        code = code << 6U | (byte(i) & 0x3fU);
    }
    const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
    if (overlong || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {replacement, 1};
    return {code, length};
}

/// Spark counts code units, so that what lies above U+FFFF is two wide by its two surrogates.
bool is_full_width(std::uint32_t code) {
    static constexpr std::array<std::pair<std::uint32_t, std::uint32_t>, 8> ranges{{{0x1100, 0x115f},
                                                                                    {0x2e80, 0xa4cf},
                                                                                    {0xac00, 0xd7a3},
                                                                                    {0xf900, 0xfaff},
                                                                                    {0xfe10, 0xfe19},
                                                                                    {0xfe30, 0xfe6f},
                                                                                    {0xff00, 0xff60},
                                                                                    {0xffe0, 0xffe6}}};
    return std::any_of(ranges.begin(), ranges.end(),
                       [&](auto range) { return code >= range.first && code <= range.second; });
}

} // namespace

std::size_t java_length(std::string_view text) {
    std::size_t units = 0;
    while (!text.empty()) {
        const Character character = first_character(text);
        units += character.units();
        text.remove_prefix(character.bytes);
    }
    return units;
}

std::string java_prefix(std::string_view text, std::size_t units) {
    std::size_t taken = 0;
    for (std::string_view rest = text; !rest.empty() && units > 0;) {
        const Character character = first_character(rest);
        if (character.units() > units) return std::string(text.substr(0, taken)) + "?";
        units -= character.units();
        taken += character.bytes;
        rest.remove_prefix(character.bytes);
    }
    return std::string(text.substr(0, taken));
}

std::size_t half_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const Character character = first_character(text);
        width += character.units() + (is_full_width(character.code) ? 1 : 0);
        text.remove_prefix(character.bytes);
    }
    return width;
}

std::string escape_meta_characters(std::string_view text) {
    static constexpr std::array<std::pair<char, char>, 7> escapes{
        {{'\n', 'n'}, {'\r', 'r'}, {'\t', 't'}, {'\f', 'f'}, {'\b', 'b'}, {'\v', 'v'}, {'\a', 'a'}}};
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        const auto escape = std::find_if(escapes.begin(), escapes.end(), [c](auto pair) { return pair.first == c; });
        if (escape == escapes.end()) {
            out += c;
        } else {
            out += '\\';
            out += escape->second;
        }
    }
    return out;
}

} // namespace questlog::query
