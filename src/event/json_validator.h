#pragma once

#include "base/result.h"
#include "event/event_limits.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace questlog::event {

enum class JsonKind : std::uint8_t { object, array, scalar };

/// What keeps a text from being an event.
enum class EventFault : std::uint8_t {
    none,
    not_json,
    not_utf8,
    too_deep,
    too_large,
    not_an_object,
    event_type_missing,
    event_type_not_string,
    event_type_empty,
    event_type_too_long,
    event_type_twice,
    message_id_wrong,
    internal, ///< Memory.
};

/// A sentence for the client.
[[nodiscard]] std::string reason_of(EventFault fault, const EventLimits& limits = {});
/// True if the text is no JSON at all, so that what stands around it cannot be trusted either.
[[nodiscard]] bool breaks_json(EventFault fault);

/// Of an event: valid until the validator's next call.
struct EventNames {
    std::string_view type;
    std::string_view message_id; ///< Empty: none. Of a repeated one the last, as everywhere.
};

/// Validates single JSON documents in full: syntax, UTF-8, depth, nothing after the document.
/// Every text is followed by json_padding_bytes readable bytes, of any content. One thread.
class JsonValidator {
public:
    /// `reject` if `text` is not one JSON document.
    Result<JsonKind> validate(std::string_view text);
    /// Whether `text` is an event: an object within the limits with one non-empty string `event_type`.
    /// What it is called, through `names`.
    EventFault check_event(std::string_view text, EventNames& names);
    EventFault check_event(std::string_view text);

    /// The same for many, one a line: after begin_lines() the lines of its text, in order and each once, without white
    /// space around them and without those that are empty. Faster than check_event() until one is no JSON. The text
    /// stays until then; any other call of the validator ends what is faster.
    void begin_lines(std::string_view text);
    EventFault check_line(std::string_view line, EventNames& names);

    explicit JsonValidator(const EventLimits& limits = {});
    ~JsonValidator();
    JsonValidator(JsonValidator&&) noexcept;
    JsonValidator& operator=(JsonValidator&&) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Appends valid JSON without the white space between its tokens.
void append_minified(std::string& out, std::string_view json);

} // namespace questlog::event
