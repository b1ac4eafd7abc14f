#pragma once

#include "base/limits.h"
#include "event/schema.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace questlog::event {

inline constexpr std::size_t json_padding_bytes =
    64; ///< Readable bytes that must follow every JSON text given to event/.

/// Looks at each event once: validates its JSON in full, tells its event type as a small id, and infers that type's
/// schema over all events seen. Where a key is repeated in an event its last value counts, as in Python's json.loads.
/// A type has at most limits::columns_max columns, those first seen; its further keys are read as rescued_data_key.
/// One thread.
class Census {
public:
    using TypeId = std::uint16_t;
    static constexpr TypeId not_an_event = 0xffff; ///< No JSON object, or without a string `event_type`.
    /// All event types after the first limits::event_types_max share this id, one schema, and the empty name.
    static constexpr TypeId further_types = limits::event_types_max;

    Census();
    ~Census();
    Census(Census&&) noexcept;
    Census& operator=(Census&&) noexcept;

    /// Gives `type` an id before its first event, so that it keeps one of its own however many types there are.
    TypeId expect(std::string_view type);
    /// `value` must be followed by json_padding_bytes readable bytes (of any content).
    TypeId observe(std::string_view value);
    [[nodiscard]] std::size_t type_count() const;
    [[nodiscard]] std::string_view type_name(TypeId id) const;
    [[nodiscard]] std::int64_t events(TypeId id) const;  ///< How many were seen.
    [[nodiscard]] const Schema& schema(TypeId id) const; ///< Over all that were seen; valid until the next observe().
    /// The keys of its columns, by first appearance. The numbers order the keys of all types among each other.
    [[nodiscard]] std::vector<std::pair<std::uint64_t, std::string>> keys(TypeId id) const;

private:
    friend std::string_view why_no_event(std::string_view value);
    struct State;
    std::unique_ptr<State> state_;
};

/// Why Census::observe says not_an_event of `value`: "not JSON", "not a JSON object", "no string event_type"; empty: it
/// is an event. `value` as there. Any thread; not fast.
[[nodiscard]] std::string_view why_no_event(std::string_view value);

} // namespace questlog::event
