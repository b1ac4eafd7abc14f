#include "event/header_members.h"

#include "event/json_string.h"

namespace questlog::event {

void append_header_name(std::string& out, std::string_view name) {
    if (plain_prefix(name) == name.size()) {
        out += '"';
        append_title_case(out, name);
        out += "\": ";
        return;
    }
    std::string title;
    append_title_case(title, name);
    append_json_latin1(out, title);
    out += ": ";
}

void append_header_members(std::string& text, std::vector<Member>& members, HeaderSelection headers) {
    std::string_view name;
    std::string_view value;
    while (headers.next(name, value)) {
        Member member;
        member.key_at = text.size();
        append_header_name(text, name);
        member.value_at = text.size();
        append_json_latin1(text, value);
        member.end = text.size();
        member.from_text = true;
        members.push_back(member);
    }
}

} // namespace questlog::event
