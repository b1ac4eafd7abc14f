#pragma once

#include "log/event_log.h"
#include "log/hole.h"

#include <functional>
#include <optional>
#include <string>

namespace questlog::log {

/// One place that a repair gives up.
struct RepairedPlace {
    Partition partition;
    std::string path;      ///< The segment.
    std::int64_t byte = 0; ///< Where the damage began in it.
    std::string what;
    Hole hole;
};

struct RepairReport {
    std::vector<RepairedPlace> places;
    std::vector<std::string> other; ///< What else was put right, in sentences.
    [[nodiscard]] bool empty() const { return places.empty() && other.empty(); }
};

struct RepairOptions {
    std::optional<Partition> partition;                       ///< Only this one.
    bool dry_run = false;                                     ///< Tell what would be done, and do nothing.
    std::function<void(const RepairedPlace& place)> on_place; ///< Before the place is touched.
};

/// Gives up what is damaged in the topic's log, and nothing else: damaged bytes are kept in files beside the segment,
/// the offsets of what is whole stay, offsets that are gone become a hole that readers step over, and the record of
/// holes says what was lost. Then the log is recovered and closed.
///
/// `retry_later`, naming the holder, while a writer lives. It may be stopped at any moment, by a power cut too: each
/// segment is as it was or repaired, and the next repair goes on. `corrupt` where it cannot decide; the message says
/// what a person must do first. Readers that were open meanwhile must be opened anew.
Result<RepairReport> repair(io::Env env, const Topics& topics, const Topic& topic, const RepairOptions& options);

} // namespace questlog::log
