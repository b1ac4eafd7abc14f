#pragma once

#include "kafka/topic_partition.h"
#include "log/event_log.h"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace questlog::kafka {

/// The collector's log of the same number, whose events go to this partition.
struct LocalPart {
    log::PartitionReader* log = nullptr;
    log::Topic topic;
    Partition partition;
};

/// A partition of a topic as the readers of logs know it (topic_log.h).
class PartitionReader final : public log::PartitionReader {
public:
    PartitionReader(std::unique_ptr<TopicPartition> topic, std::optional<LocalPart> local)
        : topic_(std::move(topic)), local_(std::move(local)) {}

    [[nodiscard]] Partition partition() const override { return topic_->number(); }
    Result<Offset> start_offset() override;
    Result<Offset> end_offset() override;
    Result<std::int64_t> bytes() override;
    Result<std::int64_t> bytes_below(Offset end) override;
    Result<std::int64_t> unforwarded() override;
    Result<std::int64_t> events_between(Offset from, Offset to) override;
    Result<std::unique_ptr<log::BatchCursor>> read(Offset from, Offset to) override;
    Result<std::unique_ptr<log::RecordFetcher>> fetcher() override;
    Result<Offset> find_time(TimestampMs time) override;

    /// TopicPartition::last_of()
    Result<std::optional<Offset>> last_of(const log::Topic& embedded, Offset at) {
        return topic_->last_of(embedded, partition(), at);
    }

    /// The local events that Kafka did not have when the reader was first asked for its end: those from `from` on,
    /// which go on at offset `high`, to `to`.
    struct Unforwarded {
        Offset high;
        Offset from;
        Offset to;
        [[nodiscard]] Offset end() const { return high.plus(to.minus(from)); }
        /// What an offset of Kafka's is, as it is seen here, above the local one.
        [[nodiscard]] std::int64_t shift() const { return high.minus(from); }
    };

private:
    Result<Unforwarded> local_tail();

    std::unique_ptr<TopicPartition> topic_;
    std::optional<LocalPart> local_;
    std::mutex unforwarded_mutex_; ///< Who asks first finds out, and the others wait for it.
    std::optional<Unforwarded> unforwarded_;
};

} // namespace questlog::kafka
