#include "event/record_key.h"

#include "event/json_unescape.h"

#include <algorithm>

namespace questlog::event {

bool append_record_key(std::string& out, std::string_view text, const std::vector<Member>& members,
                       std::string_view field_json) {
    const auto found = std::find_if(members.rbegin(), members.rend(),
                                    [&](const Member& member) { return member.key(text) == field_json; });
    if (found == members.rend()) return false;
    const std::string_view value = found->value(text);
    if (value == "null") return false;
    const std::size_t before = out.size();
    if (value.front() == '"' && append_unescaped(out, value.substr(1, value.size() - 2))) return true;
    out.resize(before); // no string, or one with half a surrogate pair: no UTF-8 says that, its escape does
    out += value;
    return true;
}

} // namespace questlog::event
