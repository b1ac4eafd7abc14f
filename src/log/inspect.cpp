#include "log/inspect.h"

#include "log/batch_codec.h"
#include "log/inspect_lines.h"
#include "log/log_files.h"
#include "log/log_start.h"
#include "log/recovery.h"
#include "log/segment_walk.h"

namespace questlog::log {

namespace {

/// Walks the files of a topic and words what it finds. `heard_` turns false when the sink has had enough.
class Inspection {
public:
    Inspection(io::Files& files, const InspectOptions& options, const InspectSink& sink)
        : files_(files), options_(options), sink_(sink), lines_(options.json ? make_json_lines() : make_text_lines()) {}

    Status run(const Topics& topics, const Topic& topic) {
        say(lines_->topic(topic));
        const auto lock_path = lock_file(topics.directory(), topic.name);
        for (std::int32_t i = 0; i < topic.partitions && heard_; ++i) {
            if (options_.partition && options_.partition->value != i) continue;
            InspectedPartition partition;
            partition.partition = Partition{i};
            partition.directory = partition_directory(topics.directory(), topic.name, Partition{i});
            TRY(alive, files_.locked(lock_path, writer_slot));
            partition.writer_alive = alive;
            CHECK_OK(inspect_partition(partition));
        }
        if (first_damage_) return *first_damage_;
        return {};
    }

private:
    void say(const std::string& line) { heard_ = heard_ && sink_(line); }

    void report_damage(const InspectedFault& fault) {
        if (!first_damage_)
            first_damage_ = corrupt("{} is damaged at byte {} (offset {}): {}", fault.path, fault.position,
                                    fault.offset, fault.what);
        say(lines_->fault(fault));
    }

    Status inspect_partition(InspectedPartition& partition) {
        const auto word = read_durable_end(partition);
        auto segments = find_segments(files_, partition.directory);
        if (!segments.ok() && segments.error().kind != ErrorKind::corrupt) return segments.error();
        const auto start = read_log_start(files_, partition.directory); // after the list: what went lies below it
        if (!start.ok() && start.error().kind != ErrorKind::corrupt) return start.error();
        if (start.ok()) partition.start = *start;
        if (segments.ok()) {
            std::erase_if(*segments, [&](Offset base) { return base < partition.start; });
            partition.segments = segments->size();
        }
        say(lines_->partition(partition));
        if (!start.ok()) report_damage({log_start_file(partition.directory), 0, {}, true, start.error().message, -1});
        if (!word.ok()) report_damage({durable_end_file(partition.directory), 0, {}, true, word.error().message, -1});
        if (!segments.ok()) {
            report_damage({partition.directory, 0, {}, true, segments.error().message, -1});
            return {};
        }
        Offset expected = partition.start;
        for (std::size_t i = 0; i < segments->size() && heard_; ++i) {
            const Offset base = (*segments)[i];
            const auto path = segment_file(partition.directory, base);
            if (base != expected)
                report_damage({path, 0, expected, true, fmt::format("the segment begins at offset {}", base), -1});
            // A segment that ends before what is wanted is only named: its end is the next one's base.
            const bool skipped = i + 1 < segments->size() && (*segments)[i + 1] <= options_.from;
            if (skipped) {
                expected = (*segments)[i + 1];
                continue;
            }
            const bool last = i + 1 == segments->size();
            const auto end = inspect_segment(partition, path, base, last);
            if (!end.ok()) { // it may have expired meanwhile
                TRY(now, read_log_start(files_, partition.directory));
                if (last || base >= now) return end.error();
            }
            expected = end.ok() ? *end : (*segments)[i + 1];
            if (options_.to && expected >= *options_.to) return {};
        }
        if (heard_ && word.ok() && expected < partition.bound.end)
            report_damage({partition.directory, 0, expected, true,
                           fmt::format("events up to offset {} were acknowledged", partition.bound.end), -1});
        return {};
    }

    Status read_durable_end(InspectedPartition& partition) {
        TRY(word, map_durable_end(files_, partition.directory, io::Open::read));
        const auto end = decode_durable_end(word->load());
        partition.durable_end = end.offset;
        partition.closed = end.closed;
        TRY(bound, recovery_bound(files_, partition.directory, end));
        partition.bound = bound;
        return {};
    }

    /// One past the last offset that was found in it.
    Result<Offset> inspect_segment(const InspectedPartition& partition, const std::string& path, Offset base,
                                   bool last) {
        TRY(opened, files_.open(path, io::Open::read));
        const std::shared_ptr<io::File> file(std::move(opened));
        TRY(bytes, file->size());
        say(lines_->segment({path, base, bytes}));
        FileWindow window;
        window.attach(file);
        Offset expected = base;
        std::int64_t position = 0;
        while (heard_) {
            if (options_.to && expected >= *options_.to) return expected;
            // What a live writer has not synced yet may be half written: it is neither there nor damaged.
            if (partition.writer_alive && expected >= partition.durable_end) return expected;
            TRY(look, look_at_batch(window, position, expected));
            if (look.what == Look::What::end_of_file) return expected;
            if (look.what == Look::What::fault) {
                TRY(next, inspect_fault(partition, window, path, base, last, position, expected, look.fault));
                if (next < 0) return expected;
                position = next;
                TRY(bytes_there, window.at(position, batch_header_bytes));
                TRY(header, parse_batch_header(bytes_there));
                expected = header.base_offset;
                continue;
            }
            if (look.header.end_offset() > options_.from) say_batch(partition, look, path, position);
            position += look.header.bytes();
            expected = look.header.end_offset();
        }
        return expected;
    }

    void say_batch(const InspectedPartition& partition, const Look& look, const std::string& path,
                   std::int64_t position) {
        say(lines_->batch({look.header, position, look.header.base_offset < partition.durable_end}));
        if (!options_.records) return;
        const auto records = decompressor_.records(look.header, look.bytes);
        if (!records.ok())
            return report_damage({path, position, look.header.base_offset, true, records.error().message, -1});
        RecordCursor cursor(look.header, *records);
        Record record;
        while (heard_) {
            const auto more = cursor.next(record);
            if (!more.ok()) {
                report_damage({path, position, look.header.base_offset, true, more.error().message, -1});
                return;
            }
            if (!*more) return;
            if (record.offset >= options_.from && (!options_.to || record.offset < *options_.to))
                say(lines_->record(record));
        }
    }

    /// Says what stands at `position`, which is no batch; where to go on, or -1.
    Result<std::int64_t> inspect_fault(const InspectedPartition& partition, FileWindow& window, const std::string& path,
                                       Offset base, bool last, std::int64_t position, Offset expected,
                                       const std::string& fault) {
        TRY(nonzero_end, end_of_nonzero(window, position));
        if (nonzero_end == position) return -1; // zeros filled ahead
        TRY(next, find_batch_after(window, position, nonzero_end, expected));
        InspectedFault found{path, position, expected, true, fault, next};
        if (last && next < 0) { // recovery's own judgement
            TRY(survey, survey_segment(files_, path, base, partition.bound.end));
            found.damage = !plan_recovery(survey, partition.bound).ok();
        }
        if (found.damage)
            report_damage(found);
        else
            say(lines_->fault(found));
        return next;
    }

    io::Files& files_;
    const InspectOptions& options_;
    const InspectSink& sink_;
    std::unique_ptr<InspectLines> lines_;
    BatchDecompressor decompressor_;
    bool heard_ = true;
    std::optional<Error> first_damage_;
};

} // namespace

Status inspect(io::Env env, const Topics& topics, const Topic& topic, const InspectOptions& options,
               const InspectSink& sink) {
    if (options.partition && (options.partition->value < 0 || options.partition->value >= topic.partitions))
        return reject("topic '{}' has partitions 0 to {}, not {}", topic.name, topic.partitions - 1,
                      *options.partition);
    return Inspection(env.files, options, sink).run(topics, topic);
}

} // namespace questlog::log
