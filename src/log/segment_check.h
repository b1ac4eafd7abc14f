#pragma once

#include "io/env.h"
#include "log/event_log.h"

#include <functional>

/// What can be told of a partition's segments without reading them: a few KiB of each, from its beginning and its end.
namespace questlog::log {

/// Whether every segment is there, begins with the offset of its name and ends where the next one begins, and the last
/// begins at or below the durable end. `corrupt` names the file, and says what to do. Damage between the first batch's
/// header and the last batch is not looked for: readers find it, and inspect(). Beside a live writer too, which may
/// begin a segment at any moment: so the durable end is asked for before the segments are listed, and after that.
Status check_segments(io::Env env, const Topics& topics, const Topic& topic, Partition partition,
                      const std::function<Result<Offset>()>& ask_durable_end);

/// Whether the last segment's last batch ends at `durable_end` and the file with it, as a clean stop leaves it. True of
/// an empty partition whose durable end is 0.
Result<bool> ends_at(io::Files& files, const std::string& directory, Offset durable_end);

} // namespace questlog::log
