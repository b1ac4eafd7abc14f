#include "log/recovery.h"

#include "base/big_endian.h"
#include "base/limits.h"
#include "io/whole_file.h"
#include "log/hole.h"
#include "log/log_start.h"
#include "log/segment_walk.h"
#include "log/synced_end.h"

#include <algorithm>
#include <array>

namespace questlog::log {

namespace {

constexpr std::size_t sector_bytes = 512;
constexpr std::size_t offset_and_length_bytes = 12; // baseOffset and batchLength: the start of a batch
/// Fills in what the twelve bytes after the valid batches tell about the batch that was being written there.
Status survey_torn_start(FileWindow& window, SegmentSurvey& survey) {
    TRY(bytes, window.at(survey.data_bytes, offset_and_length_bytes));
    if (bytes.size() < offset_and_length_bytes) return {};
    const auto start = bytes.first(offset_and_length_bytes);
    const auto written = static_cast<std::size_t>(survey.nonzero_end - survey.data_bytes);
    if (written <= offset_and_length_bytes) { // a write that failed may have left any number of bytes
        std::array<std::byte, sizeof(std::int64_t)> base{};
        store_big_endian(base.data(), survey.end_offset.value);
        const std::size_t of_base = std::min(written, base.size());
        survey.foreign_start = !std::ranges::equal(start.first(of_base), std::span(base).first(of_base));
        survey.torn_batch_end = survey.nonzero_end;
        return {};
    }
    // A disk writes sectors whole: within one sector the twelve bytes are all there or all zero. Across a border, any
    // part.
    const auto in_sector = static_cast<std::size_t>(survey.data_bytes) % sector_bytes;
    if (in_sector + offset_and_length_bytes > sector_bytes) return {};
    if (std::ranges::all_of(start, [](std::byte byte) { return byte == std::byte{0}; })) return {};
    const auto base = load_big_endian<std::int64_t>(start.data());
    const auto batch_bytes = std::int64_t{load_big_endian<std::int32_t>(start.data() + sizeof base)} +
                             static_cast<std::int64_t>(offset_and_length_bytes);
    survey.foreign_start = base != survey.end_offset.value ||
                           batch_bytes < static_cast<std::int64_t>(batch_header_bytes) ||
                           batch_bytes > static_cast<std::int64_t>(limits::batch_bytes_max);
    survey.torn_batch_end = survey.data_bytes + batch_bytes;
    return {};
}

Status survey_tail(FileWindow& window, SegmentSurvey& survey, std::string fault) {
    TRY(nonzero_end, end_of_nonzero(window, survey.data_bytes));
    survey.nonzero_end = nonzero_end;
    if (nonzero_end == survey.data_bytes) return {};
    survey.fault = std::move(fault);
    CHECK_OK(survey_torn_start(window, survey));
    TRY(next, find_batch_after(window, survey.data_bytes, nonzero_end, survey.end_offset));
    survey.next_valid_batch = next;
    return {};
}

/// Writes the batches above the durable end once more where they stand. The bytes stay what they are, so a power cut
/// meanwhile harms nothing; and it takes no space, which a full disk would not have.
Status write_again(const std::shared_ptr<io::File>& file, const SegmentSurvey& survey) {
    FileWindow window;
    window.attach(file);
    std::int64_t position = survey.durable_bytes;
    while (position < survey.data_bytes) {
        TRY(bytes, window.at(position, 1));
        if (bytes.empty()) return internal("{} became shorter while it was recovered", survey.path);
        const auto left = static_cast<std::size_t>(survey.data_bytes - position);
        const auto part = bytes.first(std::min(bytes.size(), left));
        CHECK_OK(file->write_at(position, part));
        position += static_cast<std::int64_t>(part.size());
    }
    return {};
}

Status apply(io::Files& files, const SegmentSurvey& survey, const RecoveryPlan& plan) {
    if (plan.rewritten_events == 0 && !plan.truncate) return {};
    TRY(opened, files.open(survey.path, io::Open::write));
    const std::shared_ptr<io::File> file(std::move(opened));
    if (plan.rewritten_events > 0) CHECK_OK(write_again(file, survey));
    if (plan.truncate) CHECK_OK(file->truncate(survey.data_bytes));
    return file->sync_data();
}

void report(const std::function<void(const std::string&)>& on_recovery, const SegmentSurvey& survey,
            const RecoveryPlan& plan, const RecoveryBound& bound) {
    if (!on_recovery) return;
    if (!bound.commits_synced) {
        on_recovery(fmt::format("{}: the log was not synced at each commit, and not closed: kept up to offset {}, of "
                                "which up to {} was synced; cut {} bytes at byte {}; {} acknowledged event{} lost{}",
                                survey.path, survey.end_offset, bound.end, plan.torn_bytes, survey.data_bytes,
                                plan.lost_events, plan.lost_events == 1 ? " is" : "s are",
                                plan.lost_events == 0 ? ", as far as can be told" : ""));
        return;
    }
    if (plan.torn_bytes > 0)
        on_recovery(fmt::format("{}: cut a torn batch of {} bytes at byte {} (offset {}, never acknowledged: {})",
                                survey.path, plan.torn_bytes, survey.data_bytes, survey.end_offset, survey.fault));
    if (plan.rewritten_events > 0)
        on_recovery(fmt::format("{}: kept {} events above the durable end, written again and synced, up to offset {}",
                                survey.path, plan.rewritten_events, survey.end_offset));
}

Status remove_temporaries(io::Files& files, const std::string& directory) {
    TRY(entries, files.list(directory));
    for (const auto& entry : entries)
        if (entry.kind == io::Kind::file && entry.name.ends_with(io::temporary_suffix))
            CHECK_OK(files.remove_file(directory + "/" + entry.name));
    return {};
}

/// The greatest timestamp of the segment before an empty last one, whose batches must lead up to it.
Result<TimestampMs> max_timestamp_of(io::Files& files, const std::string& path, Offset base, Offset next_base) {
    TRY(survey, survey_segment(files, path, base, next_base));
    if (survey.end_offset != next_base)
        return corrupt("{}: after byte {} offset {} follows, and the next segment begins at {}; {}", path,
                       survey.data_bytes, survey.end_offset, next_base, damage_advice);
    return survey.max_timestamp;
}

} // namespace

Result<RecoveryBound> recovery_bound(io::Files& files, const std::string& directory, DurableEnd durable_end) {
    const RecoveryBound bound{durable_end.offset, true, durable_end.offset};
    if (durable_end.closed) return bound; // which is said once all is synced
    TRY(synced, read_synced_end(files, directory));
    return synced ? RecoveryBound{*synced, false, durable_end.offset} : bound;
}

Result<RecoveryPlan> plan_recovery(const SegmentSurvey& survey, const RecoveryBound& bound) {
    const Offset durable_end = bound.end;
    const auto damaged = [&](const std::string& what) {
        return corrupt("{} is damaged at byte {} (offset {}): {}; {}", survey.path, survey.data_bytes,
                       survey.end_offset, what, damage_advice);
    };
    if (durable_end < survey.base)
        return corrupt("{} begins at offset {} and the durable end is {}: they are not of the same moment; {}",
                       survey.path, survey.base, durable_end, damage_advice);
    if (survey.end_offset < durable_end)
        return damaged(fmt::format("{}, and events up to offset {} were acknowledged",
                                   survey.fault.empty() ? "the data ends here" : survey.fault, durable_end));
    if (survey.durable_bytes < 0)
        return corrupt("{}: the durable end {} lies inside a batch; {}", survey.path, durable_end, damage_advice);
    RecoveryPlan plan;
    plan.torn_bytes = survey.nonzero_end - survey.data_bytes;
    plan.rewritten_events = survey.end_offset.minus(durable_end);
    plan.truncate = survey.file_bytes > survey.data_bytes;
    if (!bound.commits_synced) {
        plan.lost_events = std::max<std::int64_t>(bound.acknowledged.minus(survey.end_offset), 0);
        return plan;
    }
    if (survey.next_valid_batch >= 0)
        return damaged(fmt::format("{}, and a valid batch follows at byte {}", survey.fault, survey.next_valid_batch));
    const std::int64_t torn_end_max = survey.torn_batch_end > 0
                                          ? survey.torn_batch_end
                                          : survey.data_bytes + static_cast<std::int64_t>(limits::batch_bytes_max);
    if (survey.foreign_start || survey.nonzero_end > torn_end_max)
        return damaged(fmt::format("{}, and what stands there is no batch that was being written", survey.fault));
    return plan;
}

Result<SegmentSurvey> survey_segment(io::Files& files, const std::string& path, Offset base, Offset durable_end) {
    SegmentSurvey survey;
    survey.path = path;
    survey.base = survey.end_offset = base;
    TRY(file, files.open(path, io::Open::read));
    TRY(file_bytes, file->size());
    survey.file_bytes = file_bytes;
    FileWindow window;
    window.attach(std::move(file));
    while (true) {
        if (survey.end_offset == durable_end) survey.durable_bytes = survey.data_bytes;
        TRY(look, look_at_batch(window, survey.data_bytes, survey.end_offset));
        if (look.what != Look::What::batch) {
            survey.nonzero_end = survey.data_bytes;
            if (look.what == Look::What::fault) CHECK_OK(survey_tail(window, survey, std::move(look.fault)));
            return survey;
        }
        if (!survey.first_timestamp && !is_hole(look.header)) survey.first_timestamp = look.header.base_timestamp;
        survey.data_bytes += look.header.bytes();
        survey.end_offset = look.header.end_offset();
        survey.max_timestamp = std::max(survey.max_timestamp, look.header.max_timestamp);
    }
}

namespace {

/// Recovers the last segment; whatever is damaged is found before anything is changed.
Status recover_last_segment(io::Files& files, const std::string& directory, const RecoveryBound& bound,
                            const std::function<void(const std::string&)>& on_recovery, RecoveredPartition& partition) {
    const Offset base = partition.segments.back();
    TRY(survey, survey_segment(files, segment_file(directory, base), base, bound.end));
    TRY(plan, plan_recovery(survey, bound));
    partition.end_offset = survey.end_offset;
    partition.last_segment_bytes = survey.data_bytes;
    partition.max_timestamp = survey.max_timestamp;
    partition.last_segment_first_timestamp = survey.first_timestamp;
    if (survey.data_bytes == 0 && partition.segments.size() > 1) {
        const Offset previous = partition.segments[partition.segments.size() - 2];
        TRY(max_timestamp, max_timestamp_of(files, segment_file(directory, previous), previous, base));
        partition.max_timestamp = max_timestamp;
    }
    CHECK_OK(remove_temporaries(files, directory));
    CHECK_OK(apply(files, survey, plan));
    if (plan.lost_events > 0) CHECK_OK(add_lost_events(files, directory, plan.lost_events));
    report(on_recovery, survey, plan, bound);
    return {};
}

} // namespace

Result<RecoveredPartition> recover_partition(io::Files& files, const std::string& directory,
                                             io::SharedWord& durable_end,
                                             const std::function<void(const std::string&)>& on_recovery) {
    const DurableEnd before = decode_durable_end(durable_end.load());
    RecoveredPartition partition;
    TRY(found, list_segments(files, directory));
    partition.segments = std::move(found.bases);
    if (!partition.segments.empty()) {
        TRY(bound, recovery_bound(files, directory, before));
        CHECK_OK(recover_last_segment(files, directory, bound, on_recovery, partition));
    } else if (before.offset.value != 0) {
        return corrupt("{} has no segment, and events up to offset {} were acknowledged; {}", directory, before.offset,
                       damage_advice);
    } else {
        CHECK_OK(remove_temporaries(files, directory));
    }
    if (found.start > Offset{}) CHECK_OK(begin_at(files, directory, found.start));
    if (!before.closed || before.offset != partition.end_offset) {
        // The one before may have died between giving a segment its name and syncing it.
        CHECK_OK(files.sync_directory(directory));
        durable_end.store(encode(DurableEnd{partition.end_offset, true}));
        CHECK_OK(durable_end.sync());
    }
    return partition;
}

} // namespace questlog::log
