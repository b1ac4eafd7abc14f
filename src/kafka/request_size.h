#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace questlog::kafka {

/// How large a producer's requests are made: smaller where Kafka does not take them, and as large as before again after
/// a while, which is longer each time that was in vain. Pure. One thread.
class RequestSize {
public:
    static constexpr std::int64_t least = 4'096; ///< A smaller one is a record each: 1 byte.
    static constexpr std::chrono::milliseconds wait_max{3'600'000};

    RequestSize(std::int64_t bytes_max, std::chrono::milliseconds wait) : bytes_max_(bytes_max), wait_(wait) {}

    [[nodiscard]] std::int64_t bytes() const { return bytes_; }
    /// False: they have a record each, which cannot be made smaller.
    [[nodiscard]] bool shrink(std::chrono::nanoseconds now) {
        if (bytes_ <= 1) return false;
        if (grown_) wait_ = std::min(wait_ * 2, wait_max);
        grown_ = false;
        bytes_ = bytes_ / 4 < least ? 1 : bytes_ / 4;
        since_ = now;
        return true;
    }
    [[nodiscard]] bool may_grow(std::chrono::nanoseconds now) const {
        return bytes_ < bytes_max_ && now - since_ >= wait_;
    }
    void grow() {
        bytes_ = bytes_max_;
        grown_ = true;
    }

private:
    std::int64_t bytes_max_;
    std::chrono::milliseconds wait_;
    std::int64_t bytes_ = bytes_max_;
    std::chrono::nanoseconds since_{}; ///< When they were made smaller.
    bool grown_ = false;               ///< They were smaller once.
};

} // namespace questlog::kafka
