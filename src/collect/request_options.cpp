#include "collect/request_options.h"

#include "event/form.h"

#include <string>

namespace questlog::collect {

Result<RequestOptions> read_request_options(std::string_view query) {
    RequestOptions options;
    std::string name;
    std::string value;
    event::FormCursor cursor(query);
    while (cursor.next(name, value)) {
        if (name == "receipt") {
            if (value != "0" && value != "1") return reject("receipt must be 1 or 0");
            options.receipt = value == "1";
        } else if (name == "wait" && value != "durable") {
            return reject("wait must be durable: an event is answered once it is synced to this node's disk");
        }
    }
    return options;
}

} // namespace questlog::collect
