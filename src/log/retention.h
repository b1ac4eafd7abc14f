#pragma once

#include "log/event_log.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Which of a partition's oldest segments go because of the log's size or age, and how they go.
/// docs/decisions/0010-retention.md
namespace questlog::log {

/// How much of its past a partition keeps.
struct RetentionLimits {
    std::optional<std::int64_t> bytes; ///< nullopt: any amount.
    std::optional<std::int64_t> ms;    ///< nullopt: of any age.
    bool force = false;                ///< True: what the limits let go of goes, also where a table has not landed it.
    [[nodiscard]] bool unlimited() const { return !bytes && !ms; }
    auto operator<=>(const RetentionLimits&) const = default;
};

/// A segment from the front of a partition. It no longer grows.
struct OldSegment {
    Offset base;
    Offset end;             ///< The next one's base.
    std::int64_t bytes = 0; ///< Of its data.
    /// The greatest timestamp in it. nullopt: it was not looked at, since one before it is young enough to stay.
    std::optional<TimestampMs> newest;
    bool operator==(const OldSegment&) const = default;
};

/// A partition as retention sees it.
struct PartitionAge {
    Partition partition;
    Offset start;
    Offset certain; ///< All below it is on disk, whatever happens: the durable end, or the synced one where it is less.
    TimestampMs now;                  ///< The wall clock's.
    std::vector<OldSegment> segments; ///< From the start on, all but the last.
    std::int64_t last_bytes = 0;      ///< Of the last one's data.
};

/// What is to be done with a partition.
struct TrimPlan {
    Partition partition;
    Offset start;                   ///< As it is.
    std::vector<OldSegment> expire; ///< From the front: these go.
    std::vector<OldSegment> kept;   ///< After them: these would, but for the floor.
    [[nodiscard]] Offset new_start() const { return expire.empty() ? start : expire.back().end; }
};

[[nodiscard]] std::int64_t bytes_of(std::span<const OldSegment> segments);
[[nodiscard]] std::int64_t events_of(std::span<const OldSegment> segments); ///< By offsets.

/// Decides. A segment goes if all before it do, an event that is certain follows on it, no offset of it is at or above
/// `floor` (or `force`), and a limit says so: the segments after it hold `bytes` all the same, or its greatest
/// timestamp is more than `ms` ago.
[[nodiscard]] TrimPlan plan_trim(const PartitionAge& age, const RetentionLimits& limits, Offset floor);

/// Up to where nobody needs the events of a partition any more, if only all of them.
inline constexpr Offset no_floor{INT64_MAX};

/// What holds for a topic: what its configs say, and else what the server's do.
[[nodiscard]] RetentionLimits limits_of(const Topic& topic, const RetentionLimits& server);

/// Looks at the partition's files: sizes, and of the oldest segments the last batch, until one is young enough.
/// `corrupt` where a segment that would go does not lead up to the next: what is damaged is a person's to give up, not
/// retention's. Takes no lock.
Result<PartitionAge> look_at_age(io::Env env, const Topics& topics, LogReader& log, Partition partition,
                                 const RetentionLimits& limits);

/// Carries the plan out, each step durable before the next: the partition's new start is recorded, then the files go.
/// The caller's process holds the topic's writer lock. Stopped anywhere, the log is whole and begins at the old start
/// or the new one, and the next trim or recovery removes what is left. Readers that are inside of a segment that goes
/// read it to its end. `retry_later` (a full disk, no file descriptor): nothing was removed, and a later trim may
/// succeed. After any other error no one in this process may trim the partition again: what a failed sync covered may
/// come back.
Status trim(io::Files& files, const Topics& topics, const Topic& topic, const TrimPlan& plan);

/// The right to trim a topic's log by hand. Taking it recovers the log as the next writer would. `retry_later`, naming
/// the holder, while a writer lives.
Result<std::unique_ptr<io::Lock>> lock_for_trimming(io::Env env, const Topics& topics, const Topic& topic);

} // namespace questlog::log
