#pragma once

#include "base/guarded.h"
#include "kafka/checkpoint.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::kafka {

enum class ForwarderState : std::uint8_t {
    starting,    ///< Kafka was not heard of yet.
    running,     ///< Events are forwarded as they come.
    unreachable, ///< Kafka does not answer. Events wait in the log; it goes on by itself.
    refused,     ///< Events wait in the log until a person has done something; after that it goes on by itself.
};
[[nodiscard]] std::string_view name_of(ForwarderState state);

/// What a forwarder lets others know. Any thread. Tells the operator's log of each change once.
class ForwarderBoard {
public:
    ForwarderBoard(std::string topic, std::string bootstrap, std::size_t partitions)
        : topic_(std::move(topic)), bootstrap_(std::move(bootstrap)), board_(Board{{}, {}, arrived_none(partitions)}) {}

    struct Arrivals {
        std::vector<Offset> ends;                 ///< By partition: all events before have arrived.
        std::vector<std::optional<Arrived>> last; ///< The last event whose place in Kafka is known.
    };

    /// `text`: why it is not running, a sentence.
    void change(ForwarderState state, const std::string& text);
    void arrived(Arrivals arrivals);

    [[nodiscard]] ForwarderState state() const { return state_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::string last_error() const;
    [[nodiscard]] Arrivals arrivals() const;

private:
    struct Board {
        std::string text;
        std::string last_error;
        Arrivals arrivals;
    };
    static Arrivals arrived_none(std::size_t partitions) {
        return {std::vector<Offset>(partitions), std::vector<std::optional<Arrived>>(partitions)};
    }
    void tell(ForwarderState before, ForwarderState state, const std::string& text) const;

    const std::string topic_;
    const std::string bootstrap_;
    std::atomic<ForwarderState> state_ = ForwarderState::starting;
    mutable Guarded<Board> board_;
};

} // namespace questlog::kafka
