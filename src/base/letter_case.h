#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace questlog {

/// Lower case of ASCII letters; everything else is kept. SQL compares names this way.
[[nodiscard]] inline std::string lower_ascii(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

[[nodiscard]] inline bool equal_but_for_case(std::string_view one, std::string_view other) {
    return one.size() == other.size() && lower_ascii(one) == lower_ascii(other);
}

} // namespace questlog
