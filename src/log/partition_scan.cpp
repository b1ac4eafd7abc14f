#include "log/partition_scan.h"

#include "io/whole_file.h"
#include "log/log_start.h"
#include "log/synced_end.h"

#include <algorithm>

namespace questlog::log {

namespace {

Status read_durable_end(io::Files& files, PartitionScan& scan) {
    const auto word = map_durable_end(files, scan.directory, io::Open::read);
    if (word.ok()) {
        scan.durable_end = decode_durable_end((*word)->load());
        return {};
    }
    if (word.error().kind != ErrorKind::corrupt) return word.error(); // it could not be looked at: that says nothing
    scan.durable_end_fault = word.error().message;
    return {};
}

/// The base offsets of the segments that are there or should be; and where the partition begins.
Result<std::vector<Offset>> expected_segments(io::Files& files, PartitionScan& scan, bool writer_alive) {
    TRY(bases, find_segments(files, scan.directory));
    const auto start = read_log_start(files, scan.directory); // after the list: what went meanwhile lies below it
    if (start.ok()) {
        scan.start = *start;
    } else if (start.error().kind == ErrorKind::corrupt) {
        scan.start_fault = start.error().message;
        scan.start = bases.empty() ? Offset{} : bases.front();
    } else {
        return start.error();
    }
    std::erase_if(bases, [&](Offset base) { return base < scan.start; });
    const Offset end = scan.durable_end ? scan.durable_end->offset : Offset{};
    // A live writer may have begun one since the durable end was read.
    while (writer_alive && bases.size() > 1 && bases.back() >= end) bases.pop_back();
    const bool first_missing = bases.empty() ? end > scan.start || scan.start > Offset{} : bases.front() > scan.start;
    if (first_missing) bases.insert(bases.begin(), scan.start);
    return bases;
}

/// Of the recorded ranges and those in the data, both are the same or one of them is wrong.
std::string compare_record(const PartitionScan& scan) {
    std::vector<std::pair<Offset, Offset>> recorded;
    for (const Hole& hole : scan.recorded)
        if (hole.from < hole.to) recorded.emplace_back(hole.from, hole.to);
    std::ranges::sort(recorded);
    const auto covers = [](const auto& ranges, Offset from, Offset to) {
        for (const auto& [first, last] : ranges)
            if (first <= from && from < last) from = last;
        return from >= to;
    };
    const auto holes = scan.holes();
    for (const auto& [from, to] : holes)
        if (!covers(recorded, from, to))
            return fmt::format("offsets {}..{} are a hole in the log and are not in the record", from, to.plus(-1));
    for (const auto& [from, to] : recorded)
        if (to > scan.start && !covers(holes, std::max(from, scan.start), to)) // the others have expired
            return fmt::format("it names offsets {}..{}, and the log has no such hole", from, to.plus(-1));
    return {};
}

/// What the last segment must hold, `base` its first offset; told by the file of that name.
Result<RecoveryBound> bound_of_last(io::Files& files, const PartitionScan& scan, Offset base, bool writer_alive) {
    if (!scan.durable_end) {
        const Offset end = scan.synced_end.value_or(base);
        return RecoveryBound{end, !scan.synced_end, end};
    }
    // What a live writer acknowledged is there, on disk or not.
    if (writer_alive) return RecoveryBound{scan.durable_end->offset, true, scan.durable_end->offset};
    return recovery_bound(files, scan.directory, *scan.durable_end);
}

/// Keeps what is wrong with the bound of the last segment, in the words of the file that it comes from.
void check_bound(const RecoveryBound& bound, const SegmentScan& segment, PartitionScan& scan) {
    std::string& fault = bound.commits_synced ? scan.durable_end_fault : scan.synced_end_fault;
    if (bound.end < segment.base)
        fault = fmt::format("it is {}, and the last segment begins at {}", bound.end, segment.base);
    else if (segment.bound_inside_batch)
        fault = fmt::format("it is {}, and that lies inside a batch", bound.end);
}

Status check_index(io::Files& files, const SegmentScan& segment, PartitionScan& scan) {
    const auto path = index_file(scan.directory, segment.base);
    TRY(stat, files.stat(path));
    if (stat.kind == io::Kind::missing || !segment.damages.empty()) return {};
    TRY(bytes, io::read_text_file(files, path));
    if (bytes != encode_index(segment.index)) scan.wrong_indexes.push_back(segment.base);
    return {};
}

} // namespace

bool PartitionScan::damaged() const {
    return !start_fault.empty() || !durable_end_fault.empty() || !synced_end_fault.empty() || !record_fault.empty() ||
           !lost_events_fault.empty() || !wrong_indexes.empty() ||
           std::ranges::any_of(segments, [](const SegmentScan& segment) { return !segment.damages.empty(); });
}

std::vector<std::pair<Offset, Offset>> PartitionScan::holes() const {
    std::vector<std::pair<Offset, Offset>> all;
    for (const SegmentScan& segment : segments) {
        for (const auto& [from, to] : segment.holes) {
            if (!all.empty() && all.back().second == from)
                all.back().second = to;
            else
                all.emplace_back(from, to);
        }
    }
    return all;
}

Result<PartitionScan> scan_partition(io::Files& files, const std::string& directory,
                                     const PartitionScanOptions& options) {
    PartitionScan scan;
    scan.directory = directory;
    CHECK_OK(read_durable_end(files, scan));
    TRY(synced_end, read_synced_end(files, directory));
    scan.synced_end = synced_end;
    TRY(bases, expected_segments(files, scan, options.writer_alive));
    std::int64_t bytes_before = 0;
    for (std::size_t i = 0; i < bases.size(); ++i) {
        ScanTask task;
        task.directory = directory;
        task.base = bases[i];
        task.last = i + 1 == bases.size();
        if (task.last) {
            TRY(bound, bound_of_last(files, scan, task.base, options.writer_alive));
            task.bound = bound;
            task.bound_known = scan.durable_end || scan.synced_end;
        } else {
            task.bound.end = bases[i + 1];
        }
        task.writer_alive = options.writer_alive;
        if (!scan.segments.empty()) task.newest = scan.segments.back().newest;
        if (options.on_progress)
            task.on_progress = [&](std::int64_t bytes) { options.on_progress(bytes_before + bytes); };
        TRY(segment, scan_segment(files, task));
        bytes_before += segment.file_bytes;
        if (options.on_progress) options.on_progress(bytes_before);
        if (options.writer_alive && !segment.damages.empty()) { // or it has expired meanwhile
            TRY(now, read_log_start(files, directory));
            if (segment.base < now) continue;
        }
        if (task.last)
            check_bound(task.bound, segment, scan);
        else
            CHECK_OK(check_index(files, segment, scan));
        scan.segments.push_back(std::move(segment));
    }
    const auto lost = read_lost_events(files, directory);
    if (!lost.ok() && lost.error().kind != ErrorKind::corrupt) return lost.error();
    if (!lost.ok()) scan.lost_events_fault = lost.error().message;
    auto recorded = read_holes(files, directory);
    if (recorded.ok())
        scan.recorded = std::move(*recorded);
    else if (recorded.error().kind == ErrorKind::corrupt)
        scan.record_fault = recorded.error().message;
    else
        return recorded.error();
    if (scan.record_fault.empty()) scan.record_fault = compare_record(scan);
    return scan;
}

} // namespace questlog::log
