#include "batch/replacement.h"

#include <algorithm>

namespace questlog::batch {
std::int64_t LogSpan::events_of(const std::vector<lake::LandedRange>& within) const {
    std::int64_t events = 0;
    for (const lake::LandedRange& range : within) {
        events += range.to.minus(range.from);
        for (const lake::LandedRange& gone : lost)
            if (gone.partition == range.partition)
                events -= std::max<std::int64_t>(0, std::min(range.to, gone.to).minus(std::max(range.from, gone.from)));
    }
    return events;
}

Loss loss_of(const lake::SnapshotFacts& old, const LogSpan& log) {
    if (old.rows == 0) return {};
    if (old.log_id != log.log_id)
        return fmt::format("its {} rows came from another log (topic {}, id {}) than this one (topic {}, id {}), and "
                           "would be lost",
                           old.rows, old.topic, old.log_id, log.topic, log.log_id);
    for (const lake::LandedRange& had : old.ranges) {
        if (had.from == had.to) continue;
        const auto has = std::find_if(log.ranges.begin(), log.ranges.end(),
                                      [&](const auto& range) { return range.partition == had.partition; });
        if (has == log.ranges.end())
            return fmt::format("it holds events of partition {}, which the log no longer has", had.partition);
        if (has->from > had.from)
            return fmt::format("it holds events of partition {} from offset {} on, and the log now begins at {}: up to "
                               "{} events would be lost",
                               had.partition, had.from, has->from, std::min(has->from, had.to).minus(had.from));
        if (has->to < had.to)
            return fmt::format("it holds events of partition {} up to offset {}, and the log now ends at {}: up to {} "
                               "events would be lost",
                               had.partition, had.to, has->to, had.to.minus(std::max(has->to, had.from)));
    }
    if (const std::int64_t left = log.events_of(old.ranges); left < old.examined)
        return fmt::format("it was made from {} events, and a repair of the log has given up {} of them since, which "
                           "would be lost here too",
                           old.examined, old.examined - left);
    return {};
}

Loss loss_of_damaged(const Error& damage, const LogSpan& log) {
    const bool from_the_first =
        std::all_of(log.ranges.begin(), log.ranges.end(), [](const auto& range) { return range.from == Offset{0}; });
    if (from_the_first) return {};
    return fmt::format("{}, and the log no longer begins at its first event, so what the table held before may not be "
                       "made again",
                       lake::damage_of(damage));
}

Status may_replace(const std::string& path, const Loss& loss) {
    if (!loss) return {};
    return reject("table {} is left as it is: {}. To write it all the same, add --force; to keep both, move the "
                  "table's folder away or write to another path",
                  path, *loss);
}

} // namespace questlog::batch
