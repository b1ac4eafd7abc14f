#include "log/repair.h"

#include "io/whole_file.h"
#include "log/log_start.h"
#include "log/partition_scan.h"
#include "log/recovery.h"
#include "log/segment_rewrite.h"
#include "log/synced_end.h"
#include "log/topic_lock.h"
#include "log/verify.h"

#include <algorithm>

namespace questlog::log {

namespace {

/// More than a segment can hold in place of its damage: then it is the durable end that must be wrong.
constexpr std::int64_t missing_events_max = std::int64_t{1} << 31;

/// One partition, under the writer's lock: first everything is decided, then it is done.
class PartitionRepair {
public:
    PartitionRepair(io::Env env, Partition partition, std::string directory, const RepairOptions& options,
                    RepairReport& report)
        : env_(env), files_(env.files), partition_(partition), directory_(std::move(directory)), options_(options),
          report_(report) {}

    Status run() {
        TRY(scan, scan_partition(files_, directory_, {}));
        scan_ = std::move(scan);
        CHECK_OK(decide());
        if (options_.dry_run) return {};
        CHECK_OK(apply());
        return recover();
    }

private:
    Status decide() {
        for (const SegmentScan& segment : scan_.segments)
            for (const Damage& damage : segment.damages) CHECK_OK(decide(segment, damage));
        if (!scan_.start_fault.empty())
            report_.other.push_back(fmt::format("{}: made anew, as {}, where the first segment begins ({})",
                                                log_start_file(directory_), scan_.start, scan_.start_fault));
        if (!scan_.durable_end_fault.empty())
            report_.other.push_back(fmt::format("{}: made anew from the log, as {} ({})", durable_end_file(directory_),
                                                scan_.end_offset(), scan_.durable_end_fault));
        if (!scan_.synced_end_fault.empty())
            report_.other.push_back(fmt::format("{}: set to where the last segment begins ({})",
                                                synced_end_file(directory_), scan_.synced_end_fault));
        for (const Offset base : scan_.wrong_indexes)
            report_.other.push_back(
                fmt::format("{}: removed; the next reader makes it anew", index_file(directory_, base)));
        if (!scan_.record_fault.empty())
            report_.other.push_back(
                fmt::format("{}: made anew from the log ({})", holes_file(directory_), scan_.record_fault));
        if (!scan_.lost_events_fault.empty())
            report_.other.push_back(fmt::format("{}: removed; what power cuts take is counted from zero again",
                                                lost_events_file(directory_)));
        return {};
    }

    Status decide(const SegmentScan& segment, const Damage& damage) {
        const bool at_end = &segment == &scan_.segments.back() && &damage == &segment.damages.back();
        if (at_end && damage.to.minus(damage.from) > missing_events_max)
            return corrupt("{}: the {} end is {} and the log ends at offset {}: the one or the other is wrong; if the "
                           "log is whole, remove {} and repair again, and it is made anew from the log",
                           directory_, segment.unsynced ? "synced" : "durable", damage.to, damage.from,
                           segment.unsynced ? synced_end_file(directory_) : durable_end_file(directory_));
        TRY(name, set_aside_name(files_, directory_, segment, damage));
        RepairedPlace place{partition_, segment.path, damage.begin, damage.what, {}};
        // Behind the last whole batch, above the durable end, no one can tell how many events there were.
        const bool uncounted = at_end && damage.from == damage.to && damage.end == segment.data_end;
        place.hole = Hole{damage.from, damage.to, !uncounted, env_.clock.wall_ms(), damage.end - damage.begin, name};
        report_.places.push_back(place);
        new_holes_.push_back(place.hole);
        if (options_.on_place) options_.on_place(place);
        return {};
    }

    Status apply() {
        const bool rewrites = !new_holes_.empty();
        for (const SegmentScan& segment : scan_.segments)
            for (const Damage& damage : segment.damages) CHECK_OK(set_aside(files_, directory_, segment, damage));
        if (!scan_.start_fault.empty()) CHECK_OK(write_log_start(files_, directory_, scan_.start));
        // Before the damage is gone, so that nothing is ever lost without being in the record.
        if (rewrites || !scan_.record_fault.empty()) CHECK_OK(write_holes(files_, directory_, record()));
        for (const SegmentScan& segment : scan_.segments)
            if (!segment.damages.empty()) CHECK_OK(rewrite_segment(files_, directory_, segment));
        for (const Offset base : scan_.wrong_indexes) CHECK_OK(files_.remove_file(index_file(directory_, base)));
        if (!scan_.lost_events_fault.empty()) CHECK_OK(files_.remove_file(lost_events_file(directory_)));
        const bool ends_wrong = !scan_.durable_end_fault.empty() || !scan_.synced_end_fault.empty();
        // The least that is certain, whatever either says: recovery writes all above it again.
        if (ends_wrong && scan_.synced_end) {
            const Offset certain = scan_.segments.empty() ? Offset{} : scan_.segments.back().base;
            TRY(word, mark_synced_end(files_, directory_, certain));
        }
        if (!scan_.durable_end_fault.empty()) CHECK_OK(make_durable_end());
        return {};
    }

    /// What the record says, no hole of it on both sides of the log's start.
    [[nodiscard]] std::vector<Hole> recorded() const {
        std::vector<Hole> holes;
        for (const Hole& hole : scan_.recorded) {
            const bool parted = hole.from < scan_.start && scan_.start < hole.to;
            Hole& before = holes.emplace_back(hole);
            if (!parted) continue;
            before.to = scan_.start;
            Hole& after = holes.emplace_back(hole);
            after.from = scan_.start;
        }
        return holes;
    }

    /// What is and will be a hole, in the words of the record that was there where it knew of it.
    [[nodiscard]] std::vector<Hole> record() const {
        std::vector<Hole> holes;
        const auto in_data = scan_.holes();
        for (const Hole& hole : recorded()) {
            if (hole.from < scan_.start) { // its segment has expired; what was lost of it stays so
                holes.push_back(hole);
                continue;
            }
            const auto inside = [&](const auto& range) { return range.first <= hole.from && hole.to <= range.second; };
            // An interrupted repair may have recorded what this one does.
            const auto again = [&](const Hole& planned) {
                return planned.from == hole.from && planned.to == hole.to && planned.set_aside == hole.set_aside;
            };
            if (hole.from < hole.to ? std::ranges::any_of(in_data, inside) : std::ranges::none_of(new_holes_, again))
                holes.push_back(hole);
        }
        for (const auto& [from, to] : in_data) {
            const auto inside = [from = from, to = to](const Hole& hole) {
                return hole.from < hole.to && from <= hole.from && hole.to <= to;
            };
            std::int64_t known = 0;
            for (const Hole& hole : holes)
                if (inside(hole)) known += hole.events();
            if (known == to.minus(from)) continue;
            std::erase_if(holes, inside);
            holes.push_back(Hole{from, to, true, env_.clock.wall_ms(), 0, {}});
        }
        holes.insert(holes.end(), new_holes_.begin(), new_holes_.end());
        std::ranges::stable_sort(holes, {}, &Hole::from);
        return holes;
    }

    Status make_durable_end() {
        const auto path = durable_end_file(directory_);
        const auto temporary = path + std::string(io::temporary_suffix);
        CHECK_OK(files_.remove_file(temporary));
        {
            TRY(word, files_.map_word(temporary, io::Open::create_new));
            word->store(encode(DurableEnd{scan_.end_offset(), false}));
            CHECK_OK(word->sync());
        }
        CHECK_OK(files_.rename(temporary, path));
        return files_.sync_directory(directory_);
    }

    Status recover() {
        TRY(word, map_durable_end(files_, directory_, io::Open::write));
        CHECK_OK(recover_partition(files_, directory_, *word,
                                   [this](const std::string& what) { report_.other.push_back(what); }));
        return {};
    }

    io::Env env_;
    io::Files& files_;
    Partition partition_;
    std::string directory_;
    const RepairOptions& options_;
    RepairReport& report_;
    PartitionScan scan_;
    std::vector<Hole> new_holes_;
};

} // namespace

Result<RepairReport> repair(io::Env env, const Topics& topics, const Topic& topic, const RepairOptions& options) {
    CHECK_OK(check_partition(topic, options.partition));
    TRY(lock, lock_for_writing(env.files, topics.directory(), topic));
    RepairReport report;
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
        if (options.partition && options.partition->value != i) continue;
        const auto directory = partition_directory(topics.directory(), topic.name, Partition{i});
        CHECK_OK(PartitionRepair(env, Partition{i}, directory, options, report).run());
    }
    return report;
}

} // namespace questlog::log
