#pragma once

#include "base/result.h"
#include "event/catalogue.h"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Turns requests into event values: the JSON text that is stored. One thread per object.
namespace questlog::event {

using HeaderView = std::pair<std::string_view, std::string_view>; ///< Name and value as sent.

/// Appends `text` (UTF-8) as a JSON string as Python's json.dumps writes it: ASCII only, \uXXXX with surrogate pairs.
/// False if it is not valid UTF-8; then nothing was appended.
[[nodiscard]] bool append_json_string(std::string& out, std::string_view text);
/// The same for bytes that are read as Latin-1, as WSGI reads header values. Always succeeds.
void append_json_latin1(std::string& out, std::string_view bytes);
/// A header name as Werkzeug shows it: Python's str.title ("user-agent" -> "User-Agent", "x-3d" -> "X-3D").
void append_title_case(std::string& out, std::string_view name);

/// Writes the event of a declared call:
/// {"event_type": ..., <constants>, <query and body fields>, <headers>} with json.dumps spacing.
class Envelope {
public:
    /// Appends the value to `out` (which is left as it was on an error). `query` is the raw query string, `body` the raw
    /// body (a JSON object, or application/x-www-form-urlencoded, or empty), followed by json_padding_bytes readable
    /// bytes. `reject` says which field is wrong and how.
    Status write(const EventDeclaration& declaration, std::string_view query, std::string_view body,
                 std::span<const HeaderView> headers, std::string& out);

    Envelope();
    ~Envelope();
    Envelope(Envelope&&) noexcept;
    Envelope& operator=(Envelope&&) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

struct RejectedEvent {
    std::size_t index = 0; ///< Of the event in the request, from 0.
    std::string reason;
};

/// What a body sent to POST /events holds.
struct Intake {
    std::vector<std::string_view> accepted;  ///< Values to store, in order: trimmed; minified if they held line breaks.
    std::vector<std::size_t> accepted_index; ///< Which event of the request each is.
    std::vector<RejectedEvent> rejected;     ///< In order of index.
    bool single = false;                     ///< One JSON object rather than an array or NDJSON.
};

/// Splits and checks a body: one object, a JSON array, or NDJSON, told apart by content.
class IntakeParser {
public:
    /// The result and its views are valid until the next call and while `body` lives. `body` is followed by
    /// json_padding_bytes readable bytes. `reject`: the body as a whole cannot be read (empty, not UTF-8, a broken array).
    /// A client's `event_type` must be a non-empty string. limits::event_bytes_max and json_depth_max apply to each event.
    Result<const Intake*> parse(std::string_view body);

    IntakeParser();
    ~IntakeParser();
    IntakeParser(IntakeParser&&) noexcept;
    IntakeParser& operator=(IntakeParser&&) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace questlog::event
