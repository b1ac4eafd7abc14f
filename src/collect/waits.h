#pragma once

#include "collect/batch_stage.h"
#include "http/server.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace questlog::collect {

/// What becomes of events once they are durable, and answers may wait for.
enum class Progress : std::uint8_t {
    landed,    ///< In their tables. Without it an answer is 202 with the receipts.
    forwarded, ///< Confirmed by where the log is forwarded to. Without it an answer is 504 with the receipts.
};

/// The answers that wait for their events to get on. One thread.
class Waits {
public:
    /// By Progress: what an answer waits for, and until when.
    using Until = std::array<std::optional<std::chrono::nanoseconds>, 2>;
    using Resolutions = std::vector<http::Resolution>;

    /// An answer that waits for all that `until` has: its number, for http::Response::hold. 0: the events are so far
    /// already. `receipts` is the body that says where they are; `commit` is what the answer waits for before, 0: none.
    std::uint64_t add(std::span<const Position> positions, Until until, std::string receipts, std::uint64_t commit);
    /// It has failed, and with it what its answers would wait for.
    void forget(std::uint64_t commit);
    [[nodiscard]] bool any(Progress progress) const { return waiting_[index(progress)] > 0; }

    /// Events below these offsets, by partition, have got so far: which answers may go out.
    Resolutions reached(Progress progress, const std::vector<Offset>& ends);
    /// Nothing is waited for beyond its time. An answer that is not landed goes on waiting until it is forwarded.
    Resolutions give_up(std::chrono::nanoseconds now);
    /// Nothing waits for it any longer.
    Resolutions give_up_all(Progress progress);

    [[nodiscard]] static std::size_t index(Progress progress) { return static_cast<std::size_t>(progress); }

private:
    struct Wait {
        std::uint64_t number = 0;
        std::uint64_t commit = 0;
        Until until;                ///< What it waits for still.
        std::vector<Position> last; ///< Of each partition.
        std::string receipts;
        unsigned status = 0; ///< What it becomes; 0: it goes out as it was given.
    };
    [[nodiscard]] bool are(Progress progress, std::span<const Position> positions) const;
    template <class IsOver> void give_up(Progress progress, IsOver&& is_over);
    void end(Wait& wait, Progress progress);
    Resolutions take_resolved();

    std::deque<Wait> waits_;
    std::array<std::size_t, 2> waiting_{};    ///< By Progress: how many wait for it,
    std::array<std::vector<Offset>, 2> ends_; ///< and how far it has got.
    std::uint64_t last_number_ = 0;
};

} // namespace questlog::collect
