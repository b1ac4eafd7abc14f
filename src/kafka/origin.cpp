#include "kafka/origin.h"

#include "base/checked_text.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>

namespace questlog::kafka {
namespace {

/// By hand: each record is looked at, and find_first_of() calls memchr() for each character.
bool separates(char c) {
    return c == ':' || c == ' ' || c == '\n';
}

} // namespace

void write_origin(const Origin& origin, std::string& text) {
    text.clear();
    fmt::format_to(std::back_inserter(text), "{}:{}:{}", origin.log_id, origin.partition, origin.offset);
}

std::optional<Origin> parse_origin(std::string_view text) {
    const std::size_t second = text.rfind(':');
    if (second == std::string_view::npos || second == 0) return std::nullopt;
    const std::size_t first = text.rfind(':', second - 1);
    if (first == std::string_view::npos || first == 0) return std::nullopt;
    Origin origin{text.substr(0, first), {}, {}};
    if (!parse_number(text.substr(first + 1, second - first - 1), origin.partition.value) ||
        !parse_number(text.substr(second + 1), origin.offset.value) || origin.partition.value < 0 ||
        origin.offset.value < 0 || std::any_of(origin.log_id.begin(), origin.log_id.end(), separates))
        return std::nullopt;
    return origin;
}

bool OriginsSeen::see(const Origin& origin) {
    const auto found = last_.find(std::pair(origin.log_id, origin.partition));
    if (found == last_.end()) {
        last_.emplace(Key(origin.log_id, origin.partition), origin.offset);
        return true;
    }
    if (origin.offset <= found->second) return false;
    found->second = origin.offset;
    return true;
}

std::optional<Offset> OriginsSeen::last(std::string_view log_id, Partition partition) const {
    const auto found = last_.find(std::pair(log_id, partition));
    return found == last_.end() ? std::nullopt : std::optional(found->second);
}

std::string OriginsSeen::encode() const {
    std::string text;
    for (const auto& [key, offset] : last_)
        fmt::format_to(std::back_inserter(text), " {}:{}:{}", key.first, key.second, offset);
    return text;
}

std::optional<OriginsSeen> OriginsSeen::decode(std::string_view text) {
    OriginsSeen seen;
    while (!text.empty()) {
        if (text.front() != ' ') return std::nullopt;
        text.remove_prefix(1);
        const std::string_view word = text.substr(0, text.find(' '));
        const auto origin = parse_origin(word);
        if (!origin || !seen.see(*origin)) return std::nullopt;
        text.remove_prefix(word.size());
    }
    return seen;
}

} // namespace questlog::kafka
