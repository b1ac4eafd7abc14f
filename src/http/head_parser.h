#pragma once

#include "http/request_parser.h"

#include <optional>
#include <vector>

namespace questlog::http {

/// What the head of a request says. The views point into the bytes it was read from.
struct Head {
    Request request; ///< Without headers, body and peer.
    std::size_t content_length = 0;
    bool chunked = false;
    bool continue_expected = false;
    bool keep_alive = false;
};

/// Reads a whole head, request line to empty line, whose line ends were checked to be CRLF. Fills `headers` (its memory
/// is reused). A refusal, if it is not to be handed on.
[[nodiscard]] std::optional<Refusal> read_head(std::string_view bytes, std::vector<Header>& headers, Head& head);

/// Whether `c` may stand in a method or field name.
[[nodiscard]] bool is_token_character(char c);

} // namespace questlog::http
