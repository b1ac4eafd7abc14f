#pragma once

#include "base/strong.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace questlog::collect {

/// One answered request, as the access log shows it.
struct AccessLine {
    std::string_view peer;
    std::string_view method;
    std::string_view target;
    int version = 11; ///< 10 or 11.
    unsigned status = 200;
};

/// Writes lines as the reference's server does, in UTC:
/// 127.0.0.1 - - [04/Aug/2018 18:27:12] "GET /purchase_a_sword HTTP/1.0" 200 -
/// What a client sent cannot break a line: bytes outside printable ASCII, quotes and backslashes are escaped.
class AccessLogFormat {
public:
    void append(std::string& out, TimestampMs now, const AccessLine& line);

private:
    std::int64_t second_ = -1;
    std::string date_; ///< Of second_.
};

} // namespace questlog::collect
