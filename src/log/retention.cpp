#include "log/retention.h"

#include "log/log_files.h"
#include "log/log_start.h"
#include "log/recovery.h"
#include "log/segment_walk.h"
#include "log/topic_lock.h"

#include <algorithm>

namespace questlog::log {

namespace {

/// Whether the limits let go of segment `number` once all before it are gone, of which `bytes_left` are the bytes of it
/// and of all after it.
bool is_over(const PartitionAge& age, const RetentionLimits& limits, const OldSegment& segment,
             std::int64_t bytes_left) {
    const bool too_much = limits.bytes && bytes_left - segment.bytes >= *limits.bytes;
    const bool too_old = limits.ms && segment.newest && age.now.minus(*segment.newest) > *limits.ms;
    return too_much || too_old;
}

/// The greatest timestamp in a segment, from its last batch, which must lead up to the next segment.
Result<TimestampMs> newest_of(io::Files& files, const std::string& path, const OldSegment& segment) {
    TRY(file, files.open(path, io::Open::read));
    TRY(last, find_last_batch(*file, segment.end));
    if (last && last->end_offset() == segment.end) return last->max_timestamp;
    return corrupt("{} does not lead up to offset {}, where the next segment begins, so nothing expires; {}", path,
                   segment.end, damage_advice);
}

/// The ages of segments from the front until one is to stay.
Status look_at_times(io::Files& files, const std::string& directory, const RetentionLimits& limits, PartitionAge& age) {
    std::int64_t bytes_left = bytes_of(age.segments) + age.last_bytes;
    for (OldSegment& segment : age.segments) {
        TRY(newest, newest_of(files, segment_file(directory, segment.base), segment));
        segment.newest = newest;
        if (!is_over(age, limits, segment, bytes_left)) return {};
        bytes_left -= segment.bytes;
    }
    return {};
}

} // namespace

std::int64_t bytes_of(std::span<const OldSegment> segments) {
    std::int64_t bytes = 0;
    for (const OldSegment& segment : segments) bytes += segment.bytes;
    return bytes;
}

std::int64_t events_of(std::span<const OldSegment> segments) {
    std::int64_t events = 0;
    for (const OldSegment& segment : segments) events += segment.end.minus(segment.base);
    return events;
}

TrimPlan plan_trim(const PartitionAge& age, const RetentionLimits& limits, Offset floor) {
    TrimPlan plan{age.partition, age.start, {}, {}};
    std::int64_t bytes_left = bytes_of(age.segments) + age.last_bytes;
    for (const OldSegment& segment : age.segments) {
        // Something certain stays: the log's end, and its last event's time, are then told by what is on disk.
        if (segment.end >= age.certain || !is_over(age, limits, segment, bytes_left)) break;
        const bool goes = plan.kept.empty() && (limits.force || segment.end <= floor);
        (goes ? plan.expire : plan.kept).push_back(segment);
        bytes_left -= segment.bytes;
    }
    return plan;
}

RetentionLimits limits_of(const Topic& topic, const RetentionLimits& server) {
    const auto or_server = [](const std::optional<std::int64_t>& own, const std::optional<std::int64_t>& other) {
        if (!own) return other;
        return *own < 0 ? std::nullopt : own; // -1: without a limit
    };
    return {or_server(topic.settings.retention_bytes, server.bytes), or_server(topic.settings.retention_ms, server.ms),
            topic.settings.retention_force.value_or(server.force)};
}

Result<PartitionAge> look_at_age(io::Env env, const Topics& topics, LogReader& log, Partition partition,
                                 const RetentionLimits& limits) {
    const auto directory = partition_directory(topics.directory(), log.topic().name, partition);
    PartitionReader& reader = log.partition(partition);
    PartitionAge age;
    age.partition = partition;
    age.now = env.clock.wall_ms();
    TRY(synced, reader.sync_state()); // before the end: each only grows
    TRY(end, reader.end_offset());
    age.certain = std::min(end, synced.synced_end.value_or(end));
    TRY(bytes, reader.bytes());
    TRY(segments, list_segments(env.files, directory));
    age.start = segments.start;
    std::erase_if(segments.bases, [end = end](Offset base) { return base >= end && base > Offset{}; });
    for (std::size_t i = 0; i + 1 < segments.bases.size(); ++i) {
        TRY(stat, env.files.stat(segment_file(directory, segments.bases[i])));
        age.segments.push_back({segments.bases[i], segments.bases[i + 1], stat.size, std::nullopt});
    }
    age.last_bytes = std::max<std::int64_t>(bytes - bytes_of(age.segments), 0);
    CHECK_OK(look_at_times(env.files, directory, limits, age));
    return age;
}

Status trim(io::Files& files, const Topics& topics, const Topic& topic, const TrimPlan& plan) {
    const auto directory = partition_directory(topics.directory(), topic.name, plan.partition);
    if (plan.expire.empty()) return {};
    CHECK_OK(begin_at(files, directory, plan.new_start()));
    return files.sync_directory(directory);
}

Result<std::unique_ptr<io::Lock>> lock_for_trimming(io::Env env, const Topics& topics, const Topic& topic) {
    TRY(lock, lock_for_writing(env.files, topics.directory(), topic));
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
        const auto directory = partition_directory(topics.directory(), topic.name, Partition{i});
        TRY(word, map_durable_end(env.files, directory, io::Open::write));
        CHECK_OK(recover_partition(env.files, directory, *word, {}));
    }
    return std::move(lock.writer); // readers go on: `lock.recovery` ends here
}

} // namespace questlog::log
