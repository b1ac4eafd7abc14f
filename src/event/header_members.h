#pragma once

#include "event/json_text.h"
#include "event/request_headers.h"

#include <string>
#include <string_view>
#include <vector>

/// Request headers as members of an event. The text of a name or value is the bytes sent, read as Latin-1.
namespace questlog::event {

/// Appends `"Title-Case": `.
void append_header_name(std::string& out, std::string_view name);

/// Appends each header as a member to `text` and to `members`.
void append_header_members(std::string& text, std::vector<Member>& members, HeaderSelection headers);

} // namespace questlog::event
