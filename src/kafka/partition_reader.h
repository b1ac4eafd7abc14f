#pragma once

#include "base/guarded.h"
#include "kafka/topic_partition.h"
#include "log/event_log.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace questlog::kafka {

/// The collector's log of the same number, whose events go to this partition.
struct LocalPart {
    log::PartitionReader* log = nullptr;
    log::Topic topic;
    Partition partition;
};

/// The rest of a local batch whose first events are in Kafka: a batch of its own. There is one at most where Kafka's
/// records end and the local ones begin. It is nowhere else as it is here, so it is kept. Any thread.
class LocalHead {
public:
    void keep(std::span<const std::byte> records);
    /// Empty: none is kept. Followed by at least 64 readable bytes; stays as it is while this lives.
    [[nodiscard]] std::span<const std::byte> records() const;

private:
    struct Kept {
        std::vector<std::byte> bytes;
        std::size_t size = 0; ///< Of the records.
    };
    mutable Guarded<Kept> kept_;
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
    Result<std::set<std::string>> origins(Offset before) override;
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
    LocalHead head_;
    std::mutex unforwarded_mutex_; ///< Who asks first finds out, and the others wait for it.
    std::optional<Unforwarded> unforwarded_;
};

} // namespace questlog::kafka
