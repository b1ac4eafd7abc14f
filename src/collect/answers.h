#pragma once

#include "collect/batch_stage.h"
#include "event/catalogue.h"
#include "event/envelope.h"
#include "http/server.h"

#include <span>
#include <string>
#include <string_view>

/// The bodies and headers of the collector's answers. Pure. docs/formats/http.md shows each.
namespace questlog::collect {

inline constexpr std::string_view json_type = "application/json";
inline constexpr std::string_view text_type = "text/plain; charset=utf-8";

[[nodiscard]] http::Response answer(unsigned status, std::string_view type, std::string_view body,
                                    std::string_view extra_headers = {});

/// {"log": "...", "partition": 0, "offset": 12}, and for one that came before "duplicate": true.
[[nodiscard]] std::string receipt_answer(std::string_view log_id, const Position& position, bool is_repeat);

/// Status and body for POST /events. `positions` are the places of the accepted events, where a receipt is wanted; else
/// it is empty. `repeated`: so many of these came before.
struct IntakeAnswer {
    unsigned status = 200; ///< 200 all accepted, 207 some, 400 none.
    std::string body;
};
[[nodiscard]] IntakeAnswer intake_answer(const event::Intake& intake, std::string_view log_id,
                                         std::span<const Position> positions, std::size_t repeated = 0);

/// What the answer with these receipts (either of the two above) becomes where its events are not known to be
/// forwarded: the same with an "error" before it.
[[nodiscard]] std::string pending_answer(std::string_view receipts);

/// {"error": "..."}
[[nodiscard]] std::string error_answer(std::string_view message);

/// "Allow: GET, HEAD, OPTIONS\r\n" for the methods that make events.
[[nodiscard]] std::string allow_header(std::span<const std::string> methods);

/// What a 404 says: the calls that there are.
[[nodiscard]] std::string path_list(const event::Catalogue& catalogue);

} // namespace questlog::collect
