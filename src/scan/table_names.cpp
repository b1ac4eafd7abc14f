#include "scan/table_names.h"

#include "base/letter_case.h"
#include "scan/column_names.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fmt/format.h>

namespace questlog::scan {
namespace {

constexpr std::array<std::string_view, 4> reserved = {"default", "events", "ledger", dead_letters_name};
constexpr std::string_view suffix = "_event";

[[nodiscard]] bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

[[nodiscard]] bool is_reserved(std::string_view name) {
    return std::any_of(reserved.begin(), reserved.end(),
                       [&](std::string_view word) { return equal_but_for_case(word, name); });
}

/// The character that `text` begins with: its code point, or the byte where it is no UTF-8. `bytes` is its length.
[[nodiscard]] std::uint32_t first_character(std::string_view text, std::size_t& bytes) {
    const auto first = static_cast<unsigned char>(text.front());
    bytes = first < 0xc2 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 1;
    if (bytes == 1 || text.size() < bytes) {
        bytes = 1;
        return first;
    }
    std::uint32_t code = first & (0x7fU >> bytes);
    for (std::size_t i = 1; i < bytes; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0U) != 0x80U) {
            bytes = 1;
            return first;
        }
        code = code << 6 | (next & 0x3fU);
    }
    return code;
}

/// FNV-1a, 64 bits. http://www.isthe.com/chongo/tech/comp/fnv/
[[nodiscard]] std::uint64_t checksum(std::string_view text) {
    std::uint64_t sum = 0xcbf29ce484222325U;
    for (const char c : text) {
        sum ^= static_cast<unsigned char>(c);
        sum *= 0x100000001b3U;
    }
    return sum;
}

[[nodiscard]] std::string escaped(std::string_view type) {
    std::string name;
    for (std::size_t at = 0; at < type.size();) {
        const std::string_view rest = type.substr(at);
        std::size_t bytes = 1;
        if (rest.starts_with("_x"))
            name += "_x5F_";
        else if (is_plain(rest.front()))
            name += rest.front();
        else
            name += fmt::format("_x{:X}_", first_character(rest, bytes));
        at += bytes;
    }
    return name;
}

} // namespace

std::string table_name_of(std::string_view event_type) {
    if (is_reserved(event_type)) return std::string(event_type).append(suffix);
    if (event_type.ends_with(suffix)) {
        const std::string_view stem = event_type.substr(0, event_type.size() - suffix.size());
        if (is_reserved(stem)) return std::string(stem).append("_x5F_").append(suffix.substr(1));
    }
    std::string name = escaped(event_type);
    if (name.empty() || name.front() == '_' || name.front() == '-') name.insert(0, "e_xs");
    if (name.size() <= name_bytes_max) return name;
    const std::string end = fmt::format("_xh{:016x}", checksum(event_type));
    return name.substr(0, name_bytes_max - end.size()) + end;
}

} // namespace questlog::scan
