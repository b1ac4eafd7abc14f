#pragma once

#include "event/message_hash.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace questlog::collect {

/// The message ids of one partition's latest events, for a client that sends one again. Memory: about 40 bytes an id,
/// so that the ten million of the default window take 400 MB, once there are as many. One thread.
class SeenIds {
public:
    explicit SeenIds(const event::RepeatWindow& window);
    ~SeenIds();
    SeenIds(SeenIds&&) noexcept;
    SeenIds& operator=(SeenIds&&) noexcept;

    /// The event that has the id, within the window before an event that would come next, at `time`.
    [[nodiscard]] std::optional<Offset> find(const event::MessageHash& id, TimestampMs time) const;
    /// The partition's next event with an id. Where find() knows the id, the log holds a repeat: the first one stands
    /// for it.
    void add(const event::IdSighting& event);
    /// The events from there on are not in the log after all.
    void forget_from(Offset offset);
    [[nodiscard]] std::size_t size() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Of each partition of a topic, nothing.
[[nodiscard]] std::vector<SeenIds> no_ids_seen(std::int32_t partitions, const event::RepeatWindow& window = {});

} // namespace questlog::collect
