#pragma once

#include <cstdint>

namespace questlog::collect {

/// What became of an event that a client sent.
enum class Fate : std::uint8_t {
    accepted,      ///< Durable, and answered so.
    repeated,      ///< By its message id it is an event that came before, and is answered as that one.
    invalid_call,  ///< A declared call whose fields are wrong: 400.
    invalid_event, ///< Sent to /events, and no event: named in the answer.
    queue_full,    ///< More is waiting for the disk than may: 503.
    not_taken,     ///< What comes after the log takes no more (CollectorOptions::refusal): 503.
    log_failed,    ///< Its commit failed, and it is not in the log: 503.
    undecided,     ///< The disk did not answer in time, and it may be in the log or not: 503.
};

/// The books of the collector since it started. Every event that was received has one fate, or is pending.
struct Tally {
    std::int64_t received = 0;
    std::int64_t accepted = 0;
    std::int64_t repeated = 0;
    std::int64_t invalid_calls = 0;
    std::int64_t invalid_events = 0;
    std::int64_t queue_full = 0;
    std::int64_t not_taken = 0;
    std::int64_t log_failed = 0;
    std::int64_t undecided = 0;
    std::int64_t pending = 0;           ///< Staged or in flight.
    std::int64_t mismatched = 0;        ///< Of the accepted: not as declared, and kept.
    std::int64_t unreadable_bodies = 0; ///< Requests to /events that were refused whole: not in `received`.
    std::int64_t unconfirmed = 0;       ///< Answers that became 504: their events are accepted, and not forwarded yet.

    void settle(Fate fate, std::int64_t events) {
        switch (fate) {
        case Fate::accepted: accepted += events; return;
        case Fate::repeated: repeated += events; return;
        case Fate::invalid_call: invalid_calls += events; return;
        case Fate::invalid_event: invalid_events += events; return;
        case Fate::queue_full: queue_full += events; return;
        case Fate::not_taken: not_taken += events; return;
        case Fate::log_failed: log_failed += events; return;
        case Fate::undecided: undecided += events; return;
        }
    }
    [[nodiscard]] bool balances() const {
        return received == accepted + repeated + invalid_calls + invalid_events + queue_full + not_taken + log_failed +
                               undecided + pending;
    }
};

} // namespace questlog::collect
