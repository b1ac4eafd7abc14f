#pragma once

#include "log/event_log.h"

namespace questlog::log {

/// The offset of the first event at or after `time` among those from `from` on; the durable end where there is none.
Result<Offset> find_time_from(PartitionReader& partition, Offset from, TimestampMs time);

} // namespace questlog::log
