#pragma once

#include "base/result.h"
#include "base/witness.h"
#include "log/event_log.h"

#include <optional>

/// Whether a log is the one that was landed: one that was restored from an older backup has the same id, and in time
/// the same offsets again, of other events. docs/formats/lake.md.
namespace questlog::scan {

/// The record at the offset, which is below the log's end. nullopt: none can be read there. It has expired, was given
/// up by a repair or is damaged, or the offset never had one, as in a cluster.
Result<std::optional<Witness>> witness_at(log::PartitionReader& log, Offset offset);

/// What was landed of the partition: all below `landed_to`, and `last`, where that is known, was the last record there.
/// `corrupt` where the log ends before, or has another record in that one's place; says what to do. Where `last` is no
/// longer in the log there is nothing to compare. Reads one record.
Status check_landed(log::PartitionReader& log, Offset landed_to, const std::optional<Witness>& last);

} // namespace questlog::scan
