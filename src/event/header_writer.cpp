#include "event/header_writer.h"

#include <algorithm>

namespace questlog::event {

void HeaderWriter::begin(HeaderSelection headers) {
    header_text_.clear();
    headers_.clear();
    append_header_members(header_text_, headers_, std::move(headers));
}

void HeaderWriter::append(std::string& out, std::string_view value) {
    text_.clear();
    members_.clear();
    append_object_members(text_, members_, value);
    const auto type = std::find_if(members_.begin(), members_.end(),
                                   [this](const Member& member) { return member.key(text_) == "\"event_type\""; });
    if (type != members_.end()) std::rotate(members_.begin(), type, type + 1);
    const std::size_t shift = text_.size();
    text_ += header_text_;
    for (Member header : headers_) {
        header.key_at += shift;
        header.value_at += shift;
        header.end += shift;
        members_.push_back(header);
    }
    keep_last_values(text_, members_);
    out += '{';
    append_members(out, text_, members_);
    out += '}';
}

} // namespace questlog::event
