#include "collect/request_options.h"

#include "event/form.h"
#include "event/message_id.h"
#include "event/request_headers.h"

#include <string>

namespace questlog::collect {

Result<std::string_view> read_idempotency_key(std::span<const http::Header> headers) {
    constexpr std::string_view header_name = "idempotency-key";
    std::string_view key;
    bool seen = false;
    for (const http::Header& header : headers) {
        if (header.name.size() != header_name.size() || !event::equal_ignoring_case(header.name, header_name)) continue;
        if (seen) return reject("there must be one Idempotency-Key only");
        seen = true;
        key = header.value;
        if (key.size() >= 2 && key.front() == '"' && key.back() == '"') key = key.substr(1, key.size() - 2);
        if (!event::is_message_id(key)) return reject("Idempotency-Key must be 1 to 128 printable ASCII characters");
    }
    return key;
}

Result<RequestOptions> read_request_options(std::string_view query, Reads reads) {
    RequestOptions options;
    std::string name;
    std::string value;
    event::FormCursor cursor(query);
    while (cursor.next(name, value)) {
        if (name == "receipt" || (name == "replay" && reads == Reads::intake)) {
            if (value != "0" && value != "1") return reject("{} must be 1 or 0", name);
            (name == "receipt" ? options.receipt : options.replay) = value == "1";
        } else if (name == "wait") {
            if (value != "durable" && value != "landed")
                return reject("wait must be durable, which every answer waits for, or landed");
            options.landed = value == "landed";
        }
    }
    return options;
}

} // namespace questlog::collect
