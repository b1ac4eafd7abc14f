#include "event/request_headers.h"

#include <algorithm>
#include <cstdint>

namespace questlog::event {
namespace {

bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}

char to_lower(char c) {
    return is_upper(c) ? static_cast<char>(c | 0x20) : c;
}

/// In CGI these two have variables of their own, without HTTP_.
bool is_content_header(std::string_view name) {
    return (name.size() == 12 && equal_ignoring_case(name, "content-type")) ||
           (name.size() == 14 && equal_ignoring_case(name, "content-length"));
}

} // namespace

void append_title_case(std::string& out, std::string_view name) {
    const std::size_t before = out.size();
    out.append(name);
    bool in_word = false;
    for (std::size_t i = before; i < out.size(); ++i) {
        const char c = out[i];
        const bool letter = is_lower(c) || is_upper(c);
        if (letter && is_lower(c) != in_word) out[i] = static_cast<char>(c ^ 0x20);
        in_word = letter;
    }
}

bool is_title_case(std::string_view name) {
    std::string title;
    append_title_case(title, name);
    return title == name;
}

bool equal_ignoring_case(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](char a, char b) { return to_lower(a) == to_lower(b); });
}

bool is_secret_header(std::string_view name) {
    switch (name.size()) {
    case 6: return equal_ignoring_case(name, "cookie");
    case 13: return equal_ignoring_case(name, "authorization");
    case 19: return equal_ignoring_case(name, "proxy-authorization");
    default: return false;
    }
}

bool HeaderSelection::may_repeat(std::span<const HeaderView> headers) {
    std::uint64_t lengths = 0;
    for (const auto& [name, value] : headers) {
        const std::uint64_t length = std::uint64_t{1} << (name.size() % 64);
        if ((lengths & length) != 0) return true;
        lengths |= length;
    }
    return false;
}

bool HeaderSelection::keeps(std::string_view name) const {
    if (name.find('_') != std::string_view::npos) return false;
    if (!is_secret_header(name)) return true;
    return std::any_of(stored_secrets_.begin(), stored_secrets_.end(),
                       [&](const std::string& stored) { return equal_ignoring_case(stored, name); });
}

bool HeaderSelection::seen_before(std::size_t index) const {
    return std::any_of(
        headers_.begin(), headers_.begin() + static_cast<std::ptrdiff_t>(index),
        [&](const HeaderView& earlier) { return equal_ignoring_case(earlier.first, headers_[index].first); });
}

std::string_view HeaderSelection::join(std::size_t index) {
    const std::string_view name = headers_[index].first;
    const bool last_counts = is_content_header(name);
    joined_.assign(headers_[index].second);
    for (const auto& [later, value] : headers_.subspan(index + 1)) {
        if (!equal_ignoring_case(later, name)) continue;
        if (last_counts)
            joined_.clear();
        else
            joined_ += ',';
        joined_ += value;
    }
    return joined_;
}

bool HeaderSelection::next(std::string_view& name, std::string_view& value) {
    for (; at_ < headers_.size(); ++at_) {
        name = headers_[at_].first;
        if (!keeps(name) || (repeats_ && seen_before(at_))) continue;
        value = repeats_ ? join(at_) : headers_[at_].second;
        if (value.empty() && is_content_header(name)) continue;
        ++at_;
        return true;
    }
    return false;
}

} // namespace questlog::event
