#pragma once

#include "io/env.h"
#include "log/log_files.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

/// What is done to a partition between an unclean stop and the next use. docs/decisions/0001-log-recovery.md says why.
namespace questlog::log {

/// What a walk over the last segment found; everything that the decision rests on.
struct SegmentSurvey {
    std::string path;
    Offset base;
    std::int64_t file_bytes = 0;
    std::int64_t data_bytes = 0; ///< Whole, valid batches from the start.
    Offset end_offset;           ///< One past the last event of those.
    TimestampMs max_timestamp{-1};
    std::optional<TimestampMs> first_timestamp; ///< Of the first event, if there is one.
    std::int64_t durable_bytes = -1; ///< Of the batches below the durable end; -1 where it is the end of none.
    std::string fault;               ///< What is wrong with the bytes after them; empty where there are none but zeros.
    std::int64_t nonzero_end = 0;    ///< One past the last byte that is not zero; at least data_bytes.
    std::int64_t torn_batch_end = 0; ///< Where the batch at data_bytes would end; 0 where its length cannot be trusted.
    bool foreign_start = false;      ///< The bytes at data_bytes are neither zeros nor the start of the next batch.
    std::int64_t next_valid_batch = -1; ///< Position of a valid batch after the damage.
};

/// What must be done to the last segment so that it can be served and appended to.
struct RecoveryPlan {
    bool truncate = false;             ///< Bytes follow the data: zeros filled ahead, or a torn batch.
    std::int64_t torn_bytes = 0;       ///< How many of those bytes are a torn batch.
    std::int64_t rewritten_events = 0; ///< In whole batches above the durable end: they may be in memory only.
    std::int64_t lost_events = 0;      ///< Acknowledged, never certainly synced, and not there.
};

/// What of a partition is certainly on disk, so that its absence is damage.
struct RecoveryBound {
    Offset end;
    /// Whether each commit was synced before the next one was written: then what lies above `end` is one torn batch at
    /// most. Otherwise it may be anything, and is cut where it does not read.
    bool commits_synced = true;
    Offset acknowledged{}; ///< What the durable end says; at least `end`, but for a power cut.
};
Result<RecoveryBound> recovery_bound(io::Files& files, const std::string& directory, DurableEnd durable_end);

/// Decides, without touching anything. `corrupt` names file, byte and offset, and says what to do.
Result<RecoveryPlan> plan_recovery(const SegmentSurvey& survey, const RecoveryBound& bound);

/// Walks the segment at `path`, whose first offset is `base`.
Result<SegmentSurvey> survey_segment(io::Files& files, const std::string& path, Offset base, Offset durable_end);

/// A partition that is recovered: durable up to its end, no byte after its data, and marked as cleanly closed.
struct RecoveredPartition {
    std::vector<Offset> segments; ///< Base offsets, ascending.
    Offset end_offset;
    std::int64_t last_segment_bytes = 0;
    TimestampMs max_timestamp{-1};
    std::optional<TimestampMs> last_segment_first_timestamp;
};

/// Recovers the partition in `directory`. The caller holds the topic's writer lock. Repeating it changes nothing.
Result<RecoveredPartition> recover_partition(io::Files& files, const std::string& directory,
                                             io::SharedWord& durable_end,
                                             const std::function<void(const std::string&)>& on_recovery);

} // namespace questlog::log
