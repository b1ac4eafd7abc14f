#pragma once

#include "event/json_text.h"

#include <string>
#include <string_view>
#include <vector>

namespace questlog::event {

/// Appends the record's key: what the event's field `field_json` (the name as JSON text, quotes included) holds. Of a
/// string its characters, of any other value its JSON text as it stands in `text`. False, and nothing is appended: the
/// event has no such member, or null, and so no key. Of a repeated member the last counts, as everywhere.
[[nodiscard]] bool append_record_key(std::string& out, std::string_view text, const std::vector<Member>& members,
                                     std::string_view field_json);

} // namespace questlog::event
