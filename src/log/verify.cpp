#include "log/verify.h"

#include "log/log_start.h"
#include "log/partition_scan.h"
#include "log/synced_end.h"

namespace questlog::log {

namespace {

class Verification {
public:
    Verification(io::Files& files, const Topics& topics, const Topic& topic, const VerifyOptions& options)
        : files_(files), options_(options), topic_(topic), log_directory_(topics.directory()) {}

    Result<VerifyReport> run() {
        CHECK_OK(measure());
        for (std::int32_t i = 0; i < topic_.partitions; ++i) {
            if (options_.partition && options_.partition->value != i) continue;
            CHECK_OK(verify_partition(Partition{i}));
        }
        return report_;
    }

private:
    Status measure() {
        for (std::int32_t i = 0; i < topic_.partitions; ++i) {
            if (options_.partition && options_.partition->value != i) continue;
            const auto directory = partition_directory(log_directory_, topic_.name, Partition{i});
            const auto bases = find_segments(files_, directory);
            if (!bases.ok() && bases.error().kind != ErrorKind::corrupt) return bases.error();
            if (!bases.ok()) continue; // told when it is its turn
            for (const Offset base : *bases) {
                TRY(stat, files_.stat(segment_file(directory, base))); // of one that has expired, 0 bytes
                total_bytes_ += stat.size;
            }
        }
        return {};
    }

    Status verify_partition(Partition partition) {
        ++report_.partitions;
        const auto directory = partition_directory(log_directory_, topic_.name, partition);
        TRY(stat, files_.stat(directory));
        if (stat.kind != io::Kind::directory) {
            fault({partition, directory, std::nullopt, 0, {}, {}, "the partition's directory is missing"});
            return {};
        }
        const auto lock_path = lock_file(log_directory_, topic_.name);
        TRY(alive, files_.locked(lock_path, writer_slot));
        auto scanned = scan(directory, alive);
        if (!alive && scanned.ok() && (scanned->damaged() || scanned->torn())) {
            // A server that began meanwhile writes where no one was writing: then that is not looked at.
            TRY(alive_now, files_.locked(lock_path, writer_slot));
            if (alive_now) scanned = scan(directory, true);
        }
        if (!scanned.ok()) return scanned.error();
        tell(partition, *scanned);
        done_bytes_ += scanned_bytes_;
        return {};
    }

    Result<PartitionScan> scan(const std::string& directory, bool writer_alive) {
        PartitionScanOptions options;
        options.writer_alive = writer_alive;
        options.on_progress = [this](std::int64_t bytes) {
            scanned_bytes_ = bytes;
            if (options_.on_progress) options_.on_progress(done_bytes_ + bytes, std::max(total_bytes_, bytes));
        };
        scanned_bytes_ = 0;
        return scan_partition(files_, directory, options);
    }

    void tell(Partition partition, const PartitionScan& scan) {
        if (!scan.start_fault.empty())
            fault({partition, log_start_file(scan.directory), 0, 0, {}, {}, scan.start_fault});
        if (!scan.durable_end_fault.empty())
            fault({partition, durable_end_file(scan.directory), 0, 0, {}, {}, scan.durable_end_fault});
        if (!scan.synced_end_fault.empty())
            fault({partition, synced_end_file(scan.directory), 0, 0, {}, {}, scan.synced_end_fault});
        for (const SegmentScan& segment : scan.segments) {
            ++report_.segments;
            report_.batches += segment.batches;
            report_.events += segment.events;
            report_.bytes += segment.data_end;
            for (const Damage& damage : segment.damages)
                fault({partition, segment.path, damage.begin, damage.end - damage.begin, damage.from, damage.to,
                       damage.what});
            tell_end(segment);
            if (segment.time_goes_back)
                note(fmt::format("{}: at byte {} time goes back: a start at a time may come too late there",
                                 segment.path, *segment.time_goes_back));
        }
        for (const Offset base : scan.wrong_indexes)
            fault({partition,
                   index_file(scan.directory, base),
                   std::nullopt,
                   0,
                   {},
                   {},
                   "the index is not what its segment says; readers do without it"});
        if (!scan.record_fault.empty())
            fault({partition, holes_file(scan.directory), std::nullopt, 0, {}, {}, scan.record_fault});
        if (!scan.lost_events_fault.empty())
            fault({partition, lost_events_file(scan.directory), 0, 0, {}, {}, scan.lost_events_fault});
        for (const auto& [from, to] : scan.holes()) report_.given_up += to.minus(from);
        report_.expired += scan.start.value;
    }

    void tell_end(const SegmentScan& segment) {
        if (segment.unsynced) {
            if (segment.torn_bytes > 0 || segment.unsynced_events > 0)
                note(fmt::format("{}: the log was not synced at each commit, and not closed: the next start keeps it "
                                 "up to offset {} and cuts {} bytes at byte {}; acknowledged events that are gone: {}",
                                 segment.path, segment.end_offset, segment.torn_bytes, segment.data_end,
                                 segment.unsynced_events));
        } else if (segment.torn_bytes > 0) {
            note(fmt::format("{}: a torn batch of {} bytes at byte {} was never acknowledged; the next start cuts it",
                             segment.path, segment.torn_bytes, segment.data_end));
        }
    }

    void fault(const LogFault& fault) {
        ++report_.faults;
        report_.lost += fault.to.minus(fault.from);
        if (options_.on_fault) options_.on_fault(fault);
    }

    void note(const std::string& text) {
        if (options_.on_note) options_.on_note(text);
    }

    io::Files& files_;
    const VerifyOptions& options_;
    const Topic& topic_;
    std::string log_directory_;
    VerifyReport report_;
    std::int64_t total_bytes_ = 0;
    std::int64_t done_bytes_ = 0;
    std::int64_t scanned_bytes_ = 0;
};

} // namespace

Status check_partition(const Topic& topic, std::optional<Partition> partition) {
    if (!partition || (partition->value >= 0 && partition->value < topic.partitions)) return {};
    return reject("topic '{}' has partitions 0 to {}, not {}", topic.name, topic.partitions - 1, *partition);
}

Result<VerifyReport> verify(io::Env env, const Topics& topics, const Topic& topic, const VerifyOptions& options) {
    CHECK_OK(check_partition(topic, options.partition));
    return Verification(env.files, topics, topic, options).run();
}

} // namespace questlog::log
