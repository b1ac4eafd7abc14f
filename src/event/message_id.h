#pragma once

#include "base/limits.h"

#include <algorithm>
#include <string_view>

/// A client's own name for an event: the member `message_id` of its JSON, query or form. It is a part of the event as
/// every member is; the log keeps it beside the event too, where the same event sent twice can be told.
namespace questlog::event {

inline constexpr std::string_view message_id_key = "message_id";

/// 1 to 128 printable ASCII characters, space included.
[[nodiscard]] inline bool is_message_id(std::string_view text) {
    return !text.empty() && text.size() <= limits::message_id_bytes_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
}

inline constexpr std::string_view message_id_rule =
    "message_id must be a string of 1 to 128 printable ASCII characters";
static_assert(limits::message_id_bytes_max == 128, "the rule names it");

} // namespace questlog::event
