#pragma once

#include "kafka/checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace questlog::kafka {

/// What of one partition is sent and not acknowledged. Acknowledgements may come out of order (a batch whose answer got
/// lost is asked for again while a later one is answered); what has arrived counts up to the first that is missing.
class InFlight {
public:
    /// Nothing is in flight; all before `end` has arrived, and the topic ends at `topic_end`.
    void begin(Offset end, std::optional<Arrived> last, std::int64_t topic_end) {
        sent_.clear();
        end_ = end;
        last_ = last;
        topic_end_ = topic_end;
    }

    /// Its number, for acknowledged().
    std::uint64_t sent(Offset event) {
        sent_.push_back({event, unknown, false});
        return first_ + sent_.size() - 1;
    }
    /// The last one was not sent after all.
    void take_back() { sent_.pop_back(); }
    /// `record` is the offset that Kafka gave it; below 0: it does not say. False: the topic ends before where it did,
    /// so it is another one.
    [[nodiscard]] bool acknowledged(std::uint64_t number, std::int64_t record);

    [[nodiscard]] std::size_t size() const { return sent_.size(); }
    [[nodiscard]] Offset end() const { return end_; } ///< One past the last of those that have arrived without a gap.
    [[nodiscard]] const std::optional<Arrived>& last() const { return last_; } ///< Of them, whose place is known.
    [[nodiscard]] std::int64_t topic_end() const { return topic_end_; }
    [[nodiscard]] Offset event(std::uint64_t number) const { return sent_[number - first_].event; }

private:
    static constexpr std::int64_t unknown = -1;
    struct Sent {
        Offset event;
        std::int64_t record;
        bool done;
    };

    std::deque<Sent> sent_;
    std::uint64_t first_ = 0; ///< The number of sent_.front().
    Offset end_;
    std::optional<Arrived> last_;
    std::int64_t topic_end_ = 0;
};

inline bool InFlight::acknowledged(std::uint64_t number, std::int64_t record) {
    Sent& one = sent_[number - first_];
    one.record = record;
    one.done = true;
    while (!sent_.empty() && sent_.front().done) {
        const Sent& front = sent_.front();
        if (front.record >= 0) {
            if (front.record < topic_end_) return false;
            topic_end_ = front.record + 1;
            last_ = Arrived{front.event, front.record};
        }
        end_ = front.event.plus(1);
        sent_.pop_front();
        ++first_;
    }
    return true;
}

} // namespace questlog::kafka
