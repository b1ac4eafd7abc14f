#pragma once

#include "log/log_files.h"
#include "log/record_batch.h"
#include "log/recovery.h"
#include "log/segment_index.h"

#include <functional>
#include <string>
#include <vector>

/// What is whole and what is damaged in a segment, down to the last record: `log verify` tells it, `log repair` acts on
/// it. Never changes anything.
namespace questlog::log {

/// Bytes [begin, end) of a segment are not what they were, and with them offsets [from, to) are gone.
struct Damage {
    std::int64_t begin = 0;
    std::int64_t end = 0; ///< begin == end: nothing stands where events should.
    Offset from;
    Offset to;
    TimestampMs newest{-1}; ///< The greatest timestamp before it.
    std::string what;
};

struct SegmentScan {
    std::string path;
    Offset base;
    std::int64_t file_bytes = 0;
    std::int64_t data_end = 0;   ///< One past the last byte that is whole or damaged; zeros filled ahead come after it.
    std::vector<Damage> damages; ///< Ascending.
    std::vector<std::pair<Offset, Offset>> holes; ///< Ranges that were given up by an earlier repair.
    Offset end_offset;                            ///< What would follow on it.
    TimestampMs newest{-1};                       ///< The greatest timestamp up to its end.
    std::int64_t batches = 0;
    std::int64_t events = 0;
    bool unsynced = false; ///< The task's bound is one of a log that is not synced at each commit.
    Offset bound;          ///< The task's: recovery needs it to lie between two batches.
    bool bound_inside_batch = false;
    std::int64_t torn_bytes = 0;      ///< At its end, and no damage: recovery cuts them.
    std::int64_t unsynced_events = 0; ///< Acknowledged before they were synced, and not there: no damage either.
    std::optional<std::int64_t> time_goes_back; ///< Position of the first batch that is older than one before it.
    SegmentIndex index;                         ///< As it would be made from this segment.
};

struct ScanTask {
    std::string directory;
    Offset base;
    RecoveryBound bound;       ///< Where it must lead to: the next segment's base; of the last one as recovery has it.
    bool bound_known = true;   ///< False: the durable end is missing, and `bound` is the segment's base.
    bool last = false;         ///< It may go on beyond the bound, and zeros may follow.
    bool writer_alive = false; ///< Then what lies beyond the bound is not looked at.
    TimestampMs newest{-1};    ///< The greatest timestamp before the segment.
    std::function<void(std::int64_t bytes)> on_progress; ///< How far it is in the segment. May be empty.
};

/// A missing file is one that has nothing but damage.
Result<SegmentScan> scan_segment(io::Files& files, const ScanTask& task);

} // namespace questlog::log
