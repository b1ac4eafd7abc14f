#pragma once

#include "base/limits.h"
#include "base/result.h"
#include "log/event_log.h"

#include <chrono>
#include <cstdint>
#include <optional>

namespace questlog::batch {

/// How much of a partition is landed at a time.
struct CutLimits {
    std::int64_t bytes = limits::cut_bytes_default;            ///< Of batches, uncompressed.
    std::chrono::milliseconds time = limits::cut_time_default; ///< From a cut's first event to the next cut's.
};

/// Finds where a partition's next cut ends, from the log alone: at the first event that is `time` or more after the
/// cut's first, or of another UTC day; or after the batch that makes it `bytes` or more, whichever is first. Looks at
/// each batch once, as it comes, however often it is asked. Within the partition time never goes back, as its writer
/// sees to; other producers' may, and be any, and then an event may come before its cut's day. One thread.
class CutFinder {
public:
    CutFinder(const CutLimits& limits, Offset from) : limits_(limits) { restart(from); }

    /// The next cut begins at `from`.
    void restart(Offset from);

    /// Looks at what is new below `end`, which is the log's durable end or below. Where the cut ends; nullopt: what
    /// there is does not make a cut yet. Not to be asked again after an answer before restart().
    Result<std::optional<Offset>> find(log::PartitionReader& log, Offset end);

    [[nodiscard]] Offset from() const { return from_; }
    [[nodiscard]] Offset seen() const { return seen_; } ///< One past the last offset that was looked at.
    [[nodiscard]] bool has_events() const { return first_.has_value(); } ///< Between the two.
    [[nodiscard]] TimestampMs first_time() const { return first_.value_or(TimestampMs{}); }

private:
    Result<std::optional<Offset>> look_at(const log::Batch& batch, Offset end);
    void begin(TimestampMs first);

    CutLimits limits_;
    Offset from_;
    Offset seen_;
    std::int64_t bytes_ = 0;
    std::optional<TimestampMs> first_;
    TimestampMs last_; ///< An event of a later time is not of the cut.
};

/// "2026-11-25", in UTC; of years that SQL has no date of, the nearest one that it has.
[[nodiscard]] std::string utc_date(TimestampMs time);

} // namespace questlog::batch
