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
    const auto first = std::find_if(text.begin(), text.end(), separates);
    if (first == text.begin() || first == text.end() || *first != ':') return std::nullopt;
    const auto second = std::find(first + 1, text.end(), ':');
    if (second == text.end()) return std::nullopt;
    Origin origin{{text.begin(), first}, {}, {}};
    if (!parse_number({first + 1, second}, origin.partition.value) ||
        !parse_number({second + 1, text.end()}, origin.offset.value) || origin.partition.value < 0 ||
        origin.offset.value < 0)
        return std::nullopt;
    return origin;
}

std::set<std::string> OriginsSeen::logs() const {
    std::set<std::string> ids;
    for (const Last& last : last_) ids.insert(last.log_id);
    return ids;
}

std::size_t OriginsSeen::place_of(std::string_view log_id, Partition partition) const {
    const auto found = std::lower_bound(last_.begin(), last_.end(), std::pair(log_id, partition),
                                        [](const Last& last, const auto& wanted) {
                                            return std::pair(std::string_view(last.log_id), last.partition) < wanted;
                                        });
    return static_cast<std::size_t>(found - last_.begin());
}

bool OriginsSeen::has(std::size_t place, std::string_view log_id, Partition partition) const {
    return place < last_.size() && last_[place].partition == partition && last_[place].log_id == log_id;
}

bool OriginsSeen::see(const Origin& origin) {
    if (!has(latest_, origin.log_id, origin.partition)) {
        latest_ = place_of(origin.log_id, origin.partition);
        if (!has(latest_, origin.log_id, origin.partition)) {
            last_.insert(last_.begin() + static_cast<std::ptrdiff_t>(latest_),
                         {std::string(origin.log_id), origin.partition, origin.offset});
            return true;
        }
    }
    Offset& last = last_[latest_].offset;
    if (origin.offset <= last) return false;
    last = origin.offset;
    return true;
}

std::optional<Offset> OriginsSeen::last(std::string_view log_id, Partition partition) const {
    const std::size_t place = place_of(log_id, partition);
    return has(place, log_id, partition) ? std::optional(last_[place].offset) : std::nullopt;
}

std::string OriginsSeen::encode() const {
    std::string text;
    for (const Last& last : last_)
        fmt::format_to(std::back_inserter(text), " {}:{}:{}", last.log_id, last.partition, last.offset);
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
