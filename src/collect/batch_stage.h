#pragma once

#include "base/strong.h"
#include "collect/seen_ids.h"
#include "io/env.h"
#include "log/event_log.h"
#include "log/record_batch.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace questlog::collect {

/// One event on its way into the log. Views of the request's.
struct StagedEvent {
    std::string_view value;
    std::string_view message_id = {};                   ///< The client's own name for it; empty: none.
    std::optional<std::string_view> key = std::nullopt; ///< Its record's key, which chooses its partition.
};

/// Where a staged event will be, if its commit succeeds.
struct Position {
    Partition partition;
    Offset offset;
};

/// One partition's share of a commit.
struct PartitionAppend {
    log::PartitionWriter* partition = nullptr;
    log::BatchBuilder* batch = nullptr; ///< Not empty.
};

/// The events of one commit: a batch for each partition that has any.
struct StagedCommit {
    struct Batch {
        log::BatchBuilder builder;
        TimestampMs newest; ///< Greatest timestamp; the partition's, while the batch is empty.
    };
    std::vector<Batch> batches;                     ///< By partition.
    std::vector<Partition> partitions;              ///< Those with events, in the order of their first ones.
    std::vector<std::chrono::nanoseconds> arrivals; ///< Of the requests, on the monotonic clock.
    std::size_t bytes = 0;                          ///< Of all batches, headers included.
    std::int64_t events = 0;
    std::int64_t mismatched = 0; ///< Of them, not as declared.
};

/// Where the event is that another one repeats.
struct Repeated {
    Position first;
    enum class In : std::uint8_t { log, flight, open_commit } in = In::log; ///< Durable, or as its commit fares.
};

/// Gathers events into the open commit. An event with a key goes to its key's partition, as Kafka's clients choose it;
/// one without, but with a message id, to that of its id, where one that repeats it is looked for; all others of a
/// commit to one partition, the next one in each commit: spread, and few to write and sync. An event's offset is known
/// when it is staged. Two commits exist: the open one and the one in flight.
/// The io thread only; the log's writers are touched only while nothing is in flight.
class BatchStage {
public:
    /// `seen`: of each partition, the ids of its log.
    BatchStage(io::Clock& clock, log::LogWriter& log, std::size_t commit_bytes_max, std::vector<SeenIds> seen);

    /// Whether `events` events, of `bytes` by bytes_of() together, fit into the open commit.
    [[nodiscard]] bool has_room(std::size_t events, std::size_t bytes) const;
    /// Whether they fit into an empty one: else there never is room.
    [[nodiscard]] bool can_have_room(std::size_t events, std::size_t bytes) const;
    /// Whether an event with its message id came before.
    [[nodiscard]] std::optional<Repeated> find(const StagedEvent& event) const;
    /// A request came whose events are staged next: its time is read, once for all requests of a turn.
    void begin_request();
    /// Copied. There is room.
    Position add(const StagedEvent& event);
    /// Of the events staged with this request, so many are not as declared; counted once they are durable.
    void count_mismatched(std::size_t events) { open_.mismatched += static_cast<std::int64_t>(events); }
    /// What an event takes of a batch, but for the record's own framing.
    [[nodiscard]] static std::size_t bytes_of(const StagedEvent& event);
    [[nodiscard]] std::int64_t open_events() const { return open_.events; }

    /// Closes the open commit: it is in flight until landed() or failed(). Empty if its offsets are no longer the log's
    /// next ones, because the commit before it failed; then it is already failed, and in_flight() is what failed.
    [[nodiscard]] std::span<const PartitionAppend> take();
    [[nodiscard]] const StagedCommit& in_flight() const { return in_flight_; }
    [[nodiscard]] bool flying() const { return flying_; }
    void landed();
    void failed();
    /// Forgets the open commit.
    void drop_open();

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

    [[nodiscard]] Partition partition_for(const StagedEvent& event) const;
    [[nodiscard]] std::size_t framing_max(std::size_t events, bool first_request) const;
    static void clear(StagedCommit& commit);
    [[nodiscard]] End& end_of(Partition partition) { return ends_[static_cast<std::size_t>(partition.value)]; }
    [[nodiscard]] const End& end_of(Partition partition) const {
        return ends_[static_cast<std::size_t>(partition.value)];
    }
    [[nodiscard]] SeenIds& seen_of(Partition partition) { return seen_[static_cast<std::size_t>(partition.value)]; }
    [[nodiscard]] static StagedCommit::Batch& batch_of(StagedCommit& commit, Partition partition) {
        return commit.batches[static_cast<std::size_t>(partition.value)];
    }

    io::Clock& clock_;
    log::LogWriter& log_;
    std::size_t commit_bytes_max_;
    std::vector<End> ends_;
    std::vector<SeenIds> seen_; ///< By partition; also of what is not durable yet.
    StagedCommit open_;
    StagedCommit in_flight_;
    std::vector<PartitionAppend> appends_; ///< Of the one in flight.
    bool flying_ = false;
    Partition spread_to_; ///< Where events without a key go.
    std::optional<Moment> moment_;
};

} // namespace questlog::collect
