#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "io/env.h"

#include <string>
#include <vector>

/// Where a partition begins. Retention moves that on, durably, before it removes a file: so a segment that is missing
/// at or above the start is damage, and one below it is not, nor is it the log's any more if it is still there.
namespace questlog::log {

[[nodiscard]] std::string log_start_file(const std::string& directory);

/// The offset of the first event that the partition is to hold; 0 where nothing ever expired. `corrupt` where the
/// record does not read.
Result<Offset> read_log_start(io::Files& files, const std::string& directory);
/// Says durably that the partition begins at `start`, the base of one of its segments.
Status write_log_start(io::Files& files, const std::string& directory, Offset start);

/// Makes the partition begin at `start`, the base of one of its segments and never below where it began: its record is
/// on disk before the segments and indexes below are removed. Nothing is done where nothing lies below; so a recovery
/// completes what a process that was killed has begun, and does not take its record for certain. After an error the
/// partition may begin there or where it did before. That the files are gone is not synced: what a power cut brings
/// back is no part of the log.
Status begin_at(io::Files& files, const std::string& directory, Offset start);

struct PartitionSegments {
    Offset start;              ///< As read_log_start() has it.
    std::vector<Offset> bases; ///< Of the segments at and above it, ascending.
};
/// `corrupt` where the segment is missing that begins at the start. Beside a live writer too.
Result<PartitionSegments> list_segments(io::Files& files, const std::string& directory);

} // namespace questlog::log
