#pragma once

#include "io/env.h"
#include "log/event_log.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace questlog::log {

struct InspectOptions {
    bool json = false;                  ///< One JSON object a line, instead of text.
    bool records = false;               ///< Each record too, not only the batches.
    std::optional<Partition> partition; ///< Only this one.
    Offset from{};                      ///< Batches that hold an offset in [from, to).
    std::optional<Offset> to;           ///< Without it: to the end.
};

/// Takes one line, without its line break. False ends the inspection (success): no one listens any more.
using InspectSink = std::function<bool(std::string_view line)>;

/// Shows what lies in the topic's files: segments, batches and records, and whatever is damaged, with file and byte.
/// Reads the files as they are: changes nothing, recovers nothing, and takes no lock. While a writer lives it shows the
/// log up to the durable end; else also what lies above, which the next recovery keeps or cuts.
/// After everything was shown: `corrupt`, naming the first damage, if there is one.
Status inspect(io::Env env, const Topics& topics, const Topic& topic, const InspectOptions& options,
               const InspectSink& sink);

} // namespace questlog::log
