#pragma once

#include "base/strong.h"
#include "http/server.h"

#include <cstdint>
#include <string>

namespace questlog::http {

/// What an answer says about its connection.
enum class Persistence : std::uint8_t {
    implied,    ///< HTTP/1.1 that stays open: nothing to say.
    keep_alive, ///< HTTP/1.0 that stays open.
    close,
};

/// What the request asks of the form of its answer.
struct Framing {
    bool head = false; ///< Length, no body.
    Persistence persistence = Persistence::implied;
};

/// Writes answers, always in this order: status line, Server, Date, Content-Type, Content-Length, the handler's extra
/// lines, Connection, body.
class AnswerWriter {
public:
    explicit AnswerWriter(const std::string& server_name);

    void set_time(TimestampMs wall); ///< For Date, from now on.
    void append(std::string& out, const Response& response, Framing framing) const;

private:
    std::string server_; ///< The Server line.
    std::string common_; ///< The lines that all answers of this second share.
    std::int64_t second_ = -1;
};

/// "Sun, 06 Nov 1994 08:49:37 GMT" of seconds since 1970-01-01 UTC.
[[nodiscard]] std::string http_date(std::int64_t second);

[[nodiscard]] std::string_view reason_of(unsigned status);

} // namespace questlog::http
