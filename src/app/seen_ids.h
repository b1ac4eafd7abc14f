#pragma once

#include "app/context.h"
#include "base/result.h"
#include "collect/seen_ids.h"
#include "log/event_log.h"

#include <vector>

namespace questlog::app {

/// The message ids that came to the log of the open writer within the window before its end, by partition: of landed
/// events from the landing's records, of the others from the log.
Result<std::vector<collect::SeenIds>> seen_ids(const Context& context, const log::Topics& topics, log::LogWriter& log);

} // namespace questlog::app
