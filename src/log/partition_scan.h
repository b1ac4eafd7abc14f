#pragma once

#include "log/damage_scan.h"
#include "log/hole.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace questlog::log {

/// All that can be known of a partition's files from reading every byte of them.
struct PartitionScan {
    std::string directory;
    Offset start;            ///< What is below it has expired.
    std::string start_fault; ///< What is wrong with its record; empty: nothing. Then `start` is the first segment's.
    std::optional<DurableEnd> durable_end; ///< nullopt where it is missing or short.
    std::string durable_end_fault;         ///< What is wrong with it; empty: nothing.
    std::optional<Offset> synced_end;      ///< Where commits are not synced: data below it certainly are.
    std::string synced_end_fault;          ///< What is wrong with that; empty: nothing.
    std::string lost_events_fault;     ///< What is wrong with the count of events lost in power cuts; empty: nothing.
    std::vector<SegmentScan> segments; ///< One for each that is there or should be, by base offset.
    std::vector<Hole> recorded;        ///< What the record of holes says; empty where it cannot be read.
    std::string record_fault;          ///< What is wrong with that record; empty: nothing.
    std::vector<Offset> wrong_indexes; ///< Base offsets of segments whose index is not what their data says.

    [[nodiscard]] bool damaged() const; ///< Anything that repair would change.
    /// Whether the last segment's end is what a stop in the midst of writing left: the next start cuts it.
    [[nodiscard]] bool torn() const {
        return !segments.empty() && (segments.back().torn_bytes > 0 || segments.back().unsynced_events > 0);
    }
    [[nodiscard]] Offset end_offset() const { return segments.empty() ? Offset{} : segments.back().end_offset; }
    /// Every range that was given up, as the data has it; what adjoins is one.
    [[nodiscard]] std::vector<std::pair<Offset, Offset>> holes() const;
};

struct PartitionScanOptions {
    /// Then the partition ends at the durable end as it is when the scan begins, and segments may expire meanwhile.
    bool writer_alive = false;
    std::function<void(std::int64_t bytes)> on_progress; ///< Bytes of the partition that were looked at.
};

/// Changes nothing and takes no lock. `corrupt` only where the directory itself is missing.
Result<PartitionScan> scan_partition(io::Files& files, const std::string& directory,
                                     const PartitionScanOptions& options);

} // namespace questlog::log
