#pragma once

#include "base/limits.h"

#include <algorithm>
#include <string_view>

/// A client's own name for an event: the member `message_id` of its JSON, query or form. It is a part of the event as
/// every member is; the log keeps it beside the event too, where the same event sent twice can be told.
namespace questlog::event {

inline constexpr std::string_view message_id_key = "message_id";

/// What lies in the log: a client's name, or that of a request, a slash and an index.
inline constexpr std::size_t stored_message_id_bytes_max = limits::message_id_bytes_max + 1 + 20;
[[nodiscard]] inline bool is_stored_message_id(std::string_view text) {
    return !text.empty() && text.size() <= stored_message_id_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}
/// 1 to 128 printable ASCII characters, space included.
[[nodiscard]] inline bool is_message_id(std::string_view text) {
    return text.size() <= limits::message_id_bytes_max && is_stored_message_id(text);
}

inline constexpr std::string_view message_id_rule =
    "message_id must be a string of 1 to 128 printable ASCII characters";
static_assert(limits::message_id_bytes_max == 128, "the rule names it");

} // namespace questlog::event
