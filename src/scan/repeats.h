#pragma once

#include "base/result.h"
#include "event/message_hash.h"
#include "log/event_log.h"

#include <cstdint>
#include <functional>
#include <vector>

/// Records whose message id was met before: of them the first counts, whatever reads the log.
namespace questlog::scan {

using SightingSink = std::function<void(const event::IdSighting&)>;

/// The record has an id (event::is_stored_message_id) in a header `message_id`. What other producers write
/// there that is none is passed over, and the record counts.
[[nodiscard]] bool has_message_id(const log::Record& record, event::MessageHash& id);

/// Hands on, in order, the records with ids in [from, to), which the log must have.
Status visit_ids(log::PartitionReader& log, Offset from, Offset to, const SightingSink& sink);

/// Where the ids of a partition that came before an offset are to be had: what was recorded, and the log.
struct EarlierIds {
    /// Hands on, in order, those below the offset from the first that came at or after the time on, and perhaps older
    /// ones. Empty: none were recorded.
    std::function<Status(Offset below, TimestampMs since, const SightingSink&)> recorded;
    Offset recorded_to; ///< From there on the log tells.
};

/// Hands on, in order, the records with ids below `below`, from the first in the window before `time` on and perhaps
/// from an older one, as far back as there is something to tell them.
Status visit_earlier_ids(log::PartitionReader& log, const EarlierIds& earlier, Offset below, TimestampMs time,
                         const event::RepeatWindow& window, const SightingSink& sink);

/// Hands on, in order, those that come before others, of which the least time is `time`: as visit_earlier_ids does.
using VisitEarlier = std::function<Status(TimestampMs time, const SightingSink&)>;

/// Which of `sightings`, a partition's in order of offsets, whatever their times, repeat one of them or an earlier one.
/// `earlier` is asked only if there are any. Memory: 64 bytes a sighting; of earlier ones, nothing.
Result<std::vector<OffsetSpan>> find_repeats(const std::vector<event::IdSighting>& sightings,
                                             const event::RepeatWindow& window, const VisitEarlier& earlier);

} // namespace questlog::scan
