#pragma once

#include "base/result.h"
#include "http/server.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace questlog::collect {

/// The Idempotency-Key header: the client's own name for the request. Empty where there is none. `reject`: it comes
/// twice, or is not 1 to 128 printable ASCII characters. Quotes around it, as a structured field has them, are taken
/// off.
Result<std::string_view> read_idempotency_key(std::span<const http::Header> headers);

/// What a client asks for in the query. `receipt` and `wait` are reserved: they never become fields of an event.
struct RequestOptions {
    bool landed = false;  ///< `wait=landed`: the answer waits until the events are in their tables.
    bool receipt = false; ///< `receipt=1`: the answer has the event's place in the log.
    /// Of POST /events, `replay=1`: the events are named by the request's key, whatever message_id they have. One that
    /// is in the log already, as a dead letter, comes through again so. No headers are added.
    bool replay = false;
};

/// `reject` for values that mean nothing: a client that asked for more than it gets must not take the 200 for it.
enum class Reads : std::uint8_t { call, intake };
Result<RequestOptions> read_request_options(std::string_view query, Reads reads);

} // namespace questlog::collect
