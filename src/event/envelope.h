#pragma once

#include "base/result.h"
#include "event/catalogue.h"
#include "event/event_limits.h"
#include "event/json_string.h"
#include "event/request_headers.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Turns requests into event values: the JSON text that is stored. One thread per object.
namespace questlog::event {

/// Writes the event of a declared call:
/// {"event_type": ..., <constants>, <query fields>, <body fields>, <headers>} with json.dumps spacing and a dict's
/// rules: a later source replaces an earlier one's value in its place. Only event_type is fixed.
class Envelope {
public:
    /// Appends the value to `out` (which is left as it was on an error). `declaration` is a Catalogue's. `query` is the
    /// raw query string, `body` the raw body (a JSON object, or application/x-www-form-urlencoded, or empty), followed
    /// by json_padding_bytes readable bytes. `reject` says which field is wrong and how.
    Status write(const EventDeclaration& declaration, std::string_view query, std::string_view body,
                 std::span<const HeaderView> headers, std::string& out);

    /// What was written last, in the client's own name for it; empty: none.
    [[nodiscard]] std::string_view message_id() const;
    /// What was written last, by its declaration's key field; nullopt: the field is missing or null, or there is none.
    [[nodiscard]] std::optional<std::string_view> key() const;
    /// What was written last is not as its fields are declared, which on_mismatch lets pass.
    [[nodiscard]] bool mismatched() const;

    explicit Envelope(const EventLimits& limits = {});
    ~Envelope();
    Envelope(Envelope&&) noexcept;
    Envelope& operator=(Envelope&&) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Wrong events named in one answer; a body with more is rejected whole, so that every event's fate is told.
inline constexpr std::size_t rejections_max = 1000;

struct RejectedEvent {
    std::size_t index = 0; ///< Of the event in the request, from 0.
    std::string reason;
};

/// What a body sent to POST /events holds.
struct Intake {
    /// Values to store, in order: trimmed; minified if they held line breaks; or written anew with headers.
    std::vector<std::string_view> accepted;
    std::vector<std::size_t> accepted_index; ///< Which event of the request each is.
    std::vector<RejectedEvent> rejected;     ///< In order of index.
    /// Of each accepted event, the client's own name for it; empty: none. Empty as a whole where no event has one.
    std::vector<std::string_view> message_ids;
    /// Of each accepted event, what its type's key field holds; nullopt: nothing. Empty as a whole where no type has
    /// one.
    std::vector<std::optional<std::string_view>> keys;
    std::size_t mismatched = 0; ///< Accepted events whose declared fields are not as declared (on_mismatch = keep).
    bool single = false;        ///< One JSON object rather than an array or NDJSON.
};

/// Splits and checks a body: one object, a JSON array, or NDJSON, told apart by content.
class IntakeParser {
public:
    /// The result and its views are valid until the next call and while `body` lives. `body` is followed by
    /// json_padding_bytes readable bytes. `reject`: the body as a whole cannot be read (empty, not UTF-8, a broken
    /// array). Whole too: a body with more than rejections_max wrong events. An array whose elements are JSON, or a
    /// line of NDJSON, is taken or rejected event by event. The limits apply to each event.
    Result<const Intake*> parse(std::string_view body);
    /// The same, each accepted value written anew as Envelope writes a declared call's: event_type first, then its
    /// other members, then `headers`. An event that grows beyond its limit is rejected. `reject` too: all
    /// of them together grow beyond limits::events_with_headers_bytes_max.
    Result<const Intake*> parse(std::string_view body, HeaderSelection headers);

    /// Events of types that `declared` gives fields are checked as calls are, and keyed as it says. It outlives this;
    /// may be null.
    explicit IntakeParser(const EventLimits& limits = {}, const Catalogue* declared = nullptr);
    ~IntakeParser();
    IntakeParser(IntakeParser&&) noexcept;
    IntakeParser& operator=(IntakeParser&&) noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace questlog::event
