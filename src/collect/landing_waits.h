#pragma once

#include "collect/batch_stage.h"
#include "http/server.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace questlog::collect {

/// The answers that wait for their events to be in tables, each for the same time. One thread.
class LandingWaits {
public:
    /// An answer that waits: its number, for http::Response::hold. `receipts` is the body of the 202 that it becomes
    /// when its time is over.
    std::uint64_t add(const std::vector<Position>& positions, std::chrono::nanoseconds until, std::string receipts);
    [[nodiscard]] bool are_landed(const std::vector<Position>& positions) const;
    [[nodiscard]] bool any() const { return !waits_.empty(); }

    /// Events below these offsets, by partition, are in their tables: which answers may go out.
    std::vector<http::Resolution> landed(const std::vector<Offset>& ends);
    /// Whose time is over.
    std::vector<http::Resolution> give_up(std::chrono::nanoseconds now);
    std::vector<http::Resolution> give_up_all();

private:
    struct Wait {
        std::uint64_t number = 0;
        std::chrono::nanoseconds until{};
        std::vector<Position> last; ///< Of each partition.
        std::string receipts;
    };
    http::Resolution give_up_first();

    std::deque<Wait> waits_; ///< In order of `until`.
    std::vector<Offset> ends_;
    std::uint64_t last_number_ = 0;
};

} // namespace questlog::collect
