#include "event/json_split.h"

#include "event/json_text.h"

#include <array>
#include <cstdint>

namespace questlog::event {
namespace {

enum class Mark : std::uint8_t { none, quote, open, close, comma };

constexpr std::array<Mark, 256> marks = [] {
    std::array<Mark, 256> table{};
    table['"'] = Mark::quote;
    table['{'] = table['['] = Mark::open;
    table['}'] = table[']'] = Mark::close;
    table[','] = Mark::comma;
    return table;
}();

Mark mark_of(char c) {
    return marks[static_cast<std::uint8_t>(c)];
}

/// The position of the string's closing quote; text.size() if there is none. `open` is the opening one's.
std::size_t string_end(std::string_view text, std::size_t open) {
    for (std::size_t quote = text.find('"', open + 1); quote != std::string_view::npos;
         quote = text.find('"', quote + 1)) {
        std::size_t backslashes = 0;
        while (text[quote - 1 - backslashes] == '\\') ++backslashes; // ends at the opening quote
        if (backslashes % 2 == 0) return quote;
    }
    return text.size();
}

} // namespace

bool split_json_array(std::string_view array, std::vector<std::string_view>& elements) {
    elements.clear();
    array = trim_json_space(array);
    if (array.size() < 2 || array.front() != '[' || array.back() != ']') return false;
    const std::string_view inside = array.substr(1, array.size() - 2);
    std::size_t depth = 0;
    std::size_t begin = 0;
    std::size_t at = 0;
    for (; at < inside.size(); ++at) {
        switch (mark_of(inside[at])) {
        case Mark::none: break;
        case Mark::quote: at = string_end(inside, at); break;
        case Mark::open: ++depth; break;
        case Mark::close:
            if (depth == 0) return false;
            --depth;
            break;
        case Mark::comma:
            if (depth != 0) break;
            elements.push_back(trim_json_space(inside.substr(begin, at - begin)));
            begin = at + 1;
            break;
        }
    }
    if (depth != 0 || at != inside.size()) return false;
    const std::string_view last = trim_json_space(inside.substr(begin));
    if (!last.empty() || !elements.empty()) elements.push_back(last);
    return true;
}

} // namespace questlog::event
