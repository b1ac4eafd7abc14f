#pragma once

#include "base/result.h"
#include "http/server.h"

#include <span>
#include <string_view>

namespace questlog::collect {

/// The Idempotency-Key header: the client's own name for the request. Empty where there is none. `reject`: it comes
/// twice, or is not 1 to 128 printable ASCII characters. Quotes around it, as a structured field has them, are taken
/// off.
Result<std::string_view> read_idempotency_key(std::span<const http::Header> headers);

/// What a client asks for in the query. The names are reserved: they never become fields of an event.
struct RequestOptions {
    bool receipt = false; ///< `receipt=1`: the answer has the event's place in the log.
    /// `replay=1`: the events are named by the request's key, whatever message_id they have. One that is in the log
    /// already, as a dead letter, comes through again so.
    bool replay = false;
};

/// `reject` for values that mean nothing: a client that asked for more than it gets must not take the 200 for it.
Result<RequestOptions> read_request_options(std::string_view query);

} // namespace questlog::collect
