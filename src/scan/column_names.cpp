#include "scan/column_names.h"

#include "base/crc32c.h"
#include "base/letter_case.h"

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <map>
#include <set>

namespace questlog::scan {

namespace {

[[nodiscard]] bool is_plain(unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/// Takes the code point that valid UTF-8 begins with.
[[nodiscard]] std::uint32_t take_code_point(std::string_view& text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    std::uint32_t code = length == 1 ? first : first & (0x7fU >> length);
    for (std::size_t i = 1; i < length && i < text.size(); ++i)
        code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
    text.remove_prefix(std::min(length, text.size()));
    return code;
}

/// Names that are given so far, by their lower case.
class Names {
public:
    explicit Names(const std::vector<std::string>& of_the_row) : given_{std::string(event::rescued_data_key)} {
        for (const std::string& name : of_the_row) given_.insert(lower_ascii(name));
    }
    [[nodiscard]] bool give(const std::string& name) { return given_.insert(lower_ascii(name)).second; }

    [[nodiscard]] std::string give_any(const std::string& wish) {
        if (give(wish)) return wish;
        for (std::size_t suffix = 2;; ++suffix)
            if (std::string name = fmt::format("{}_{}", wish, suffix); give(name)) return name;
    }

private:
    std::set<std::string> given_;
};

} // namespace

std::string escaped_name(std::string_view key) {
    std::string name;
    for (std::string_view rest = key; !rest.empty();) {
        if (is_plain(static_cast<unsigned char>(rest.front()))) {
            name += rest.front();
            rest.remove_prefix(1);
        } else {
            name += fmt::format("_x{:X}_", take_code_point(rest));
        }
    }
    if (name.empty()) return "_x_";
    if (name.size() <= name_bytes_max) return name;
    const std::string checksum = fmt::format("_{:08x}", crc32c(std::as_bytes(std::span(key))));
    return name.substr(0, name_bytes_max - checksum.size()) + checksum;
}

std::vector<std::string> column_names(std::span<const std::string> keys, const NameRights& rights) {
    Names names(rights.row);
    std::map<std::string_view, std::string> known{{event::rescued_data_key, std::string(event::rescued_data_key)}};
    for (const NamedKey& landed : rights.landed)
        if (names.give(landed.name)) known.emplace(landed.key, landed.name);
    const std::set<std::string_view> present(keys.begin(), keys.end());
    for (const std::string& name : rights.declared)
        if (present.contains(name) && !known.contains(name) && escaped_name(name) == name && names.give(name))
            known.emplace(name, name);
    std::vector<std::string> given;
    for (const std::string& key : keys) {
        const auto found = known.find(key);
        given.push_back(found != known.end() ? found->second : names.give_any(escaped_name(key)));
    }
    return given;
}

std::string_view sql_type(event::ColumnType type) {
    switch (type) {
    case event::ColumnType::boolean: return "BOOLEAN";
    case event::ColumnType::bigint: return "BIGINT";
    case event::ColumnType::double_: return "DOUBLE";
    case event::ColumnType::null:
    case event::ColumnType::string: return "VARCHAR";
    }
    return "VARCHAR";
}

} // namespace questlog::scan
