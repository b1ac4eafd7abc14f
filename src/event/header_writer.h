#pragma once

#include "event/header_members.h"
#include "event/json_text.h"
#include "event/request_headers.h"

#include <string>
#include <string_view>
#include <vector>

namespace questlog::event {

/// Writes valid events anew, with the headers of one request: event_type first, the other members, the headers.
class HeaderWriter {
public:
    void begin(HeaderSelection headers);
    void append(std::string& out, std::string_view value);

private:
    std::string header_text_;
    std::vector<Member> headers_; ///< In header_text_.
    std::string text_;
    std::vector<Member> members_; ///< Of one event, in text_.
};

} // namespace questlog::event
