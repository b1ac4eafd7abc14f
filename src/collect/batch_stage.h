#pragma once

#include "base/strong.h"
#include "io/env.h"
#include "log/event_log.h"
#include "log/record_batch.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace questlog::collect {

/// Where a staged event will be, if its batch's commit succeeds.
struct Position {
    Partition partition;
    Offset offset;
};

/// The events of one commit.
struct StagedBatch {
    log::BatchBuilder builder;
    Partition partition;
    TimestampMs newest;                             ///< Greatest timestamp; the partition's, while the batch is empty.
    std::vector<std::chrono::nanoseconds> arrivals; ///< Of the requests, on the monotonic clock.
    std::int64_t events = 0;
    std::int64_t mismatched = 0; ///< Of them, not as declared.
};

/// Gathers events into the open batch. A batch goes to one partition, fixed by its first event, so an event's offset is
/// known when it is staged; batches go round the partitions. Two batches exist: the open one and the one in flight.
/// The io thread only; the log's writers are touched only while nothing is in flight.
class BatchStage {
public:
    BatchStage(io::Clock& clock, log::LogWriter& log, std::size_t batch_bytes_max);

    /// Whether `events` values, of `bytes` by bytes_of() together, fit into the open batch.
    [[nodiscard]] bool has_room(std::size_t events, std::size_t bytes) const;
    /// Whether they fit into an empty one: else there never is room.
    [[nodiscard]] bool can_have_room(std::size_t events, std::size_t bytes) const;
    /// A request came whose events are staged next: its time is read, once for all requests of a turn.
    void begin_request();
    /// Copied, the value and the client's own name for it (empty: none). There is room.
    Position add(std::string_view value, std::string_view message_id);
    /// Of the events staged with this request, so many are not as declared; counted once they are durable.
    void count_mismatched(std::size_t events) { open_.mismatched += static_cast<std::int64_t>(events); }
    /// What a value and its name take of a batch, but for the record's own framing.
    [[nodiscard]] static std::size_t bytes_of(std::string_view value, std::string_view message_id);
    [[nodiscard]] bool empty() const { return open_.events == 0; }

    /// Closes the open batch: it is in flight until landed() or failed(). Null if its offsets are no longer the log's
    /// next ones, because the batch before it failed; then it is already failed, and in_flight() is what failed.
    log::PartitionWriter* take();
    [[nodiscard]] StagedBatch& in_flight() { return in_flight_; }
    void landed();
    void failed();

    /// One past the last durable event of each partition.
    [[nodiscard]] std::vector<Offset> durable_ends() const;

private:
    struct End {
        Offset durable; ///< Known to be synced.
        Offset next;    ///< The next batch's first, if the one in flight succeeds.
        TimestampMs newest;
    };
    struct Moment {
        TimestampMs wall;
        std::chrono::nanoseconds monotonic{};
    };

    void open_batch();
    [[nodiscard]] End& end_of(Partition partition) { return ends_[static_cast<std::size_t>(partition.value)]; }

    io::Clock& clock_;
    log::LogWriter& log_;
    std::size_t batch_bytes_max_;
    std::vector<End> ends_;
    StagedBatch open_;
    StagedBatch in_flight_;
    bool flying_ = false;
    Partition next_partition_{0};
    std::optional<Moment> moment_;
};

} // namespace questlog::collect
