#include "log/damage_scan.h"

#include "base/big_endian.h"
#include "base/limits.h"
#include "log/batch_codec.h"
#include "log/hole.h"
#include "log/segment_walk.h"

#include <algorithm>

namespace questlog::log {

namespace {

constexpr std::int64_t progress_bytes = 16 * 1024 * 1024;

/// What is wrong with the records of a whole batch whose CRC is right; empty: nothing.
std::string fault_of_records(BatchDecompressor& decompressor, const Look& batch) {
    const auto records = decompressor.records(batch.header, batch.bytes);
    if (!records.ok()) return records.error().message;
    RecordCursor cursor(batch.header, *records);
    Record record;
    Offset least = batch.header.base_offset;
    while (true) {
        const auto more = cursor.next(record);
        if (!more.ok()) return more.error().message;
        if (!*more) return {};
        if (record.offset < least) return fmt::format("record {} follows on {}", record.offset, least.plus(-1));
        if (const auto headers = parse_headers(record); !headers.ok()) return headers.error().message;
        least = record.offset.plus(1);
    }
}

/// One segment, walked from its start.
class Scan {
public:
    Scan(io::Files& files, const ScanTask& task) : files_(files), task_(task) {
        scan_.path = segment_file(task.directory, task.base);
        scan_.base = scan_.end_offset = task.base;
        scan_.newest = task.newest;
        scan_.bound = task.bound.end;
        scan_.unsynced = !task.bound.commits_synced;
        scan_.index.base = scan_.index.end = task.base;
    }

    Result<SegmentScan> run() {
        auto opened = files_.open(scan_.path, io::Open::read);
        if (opened.ok()) {
            TRY(bytes, (*opened)->size());
            scan_.file_bytes = bytes;
            window_.attach(std::move(*opened));
            CHECK_OK(walk());
        } else if (opened.error().kind != ErrorKind::reject) {
            return opened.error();
        }
        if (!opened.ok()) // a power cut takes data; the name was synced before them
            add_missing(std::max(task_.bound.end, task_.bound.acknowledged), opened.error().message);
        add_missing(task_.bound.end, "the data ends here");
        if (!task_.bound.commits_synced)
            scan_.unsynced_events = std::max<std::int64_t>(task_.bound.acknowledged.minus(scan_.end_offset), 0);
        return std::move(scan_);
    }

private:
    /// Whether what lies ahead is none of the segment's business.
    [[nodiscard]] bool complete() const {
        const Offset end = task_.bound.end;
        return task_.last ? task_.writer_alive && scan_.end_offset >= end : scan_.end_offset == end;
    }

    Status walk() {
        while (!complete()) {
            TRY(look, look_at_whole(scan_.data_end, scan_.end_offset));
            if (look.what == Look::What::end_of_file) return {};
            if (look.what == Look::What::batch) {
                take(look.header);
                continue;
            }
            TRY(more, step_over(look.fault));
            if (!more) return {};
        }
        if (!task_.last && scan_.data_end < scan_.file_bytes)
            add(scan_.file_bytes, scan_.end_offset, "bytes follow on its last event");
        return {};
    }

    /// A batch that readers would take, up to its last record.
    Result<Look> look_at_whole(std::int64_t position, Offset expected) {
        TRY(look, look_at_batch(window_, position, expected));
        if (look.what != Look::What::batch) return look;
        if (!task_.last && look.header.end_offset() > task_.bound.end)
            look.fault = fmt::format("the batch reaches to offset {}, and the next segment begins at {}",
                                     look.header.end_offset(), task_.bound.end);
        else
            look.fault = fault_of_records(decompressor_, look);
        if (!look.fault.empty()) look.what = Look::What::fault;
        return look;
    }

    void take(const BatchHeader& header) {
        if (is_hole(header))
            scan_.holes.emplace_back(header.base_offset, header.end_offset());
        else if (header.base_timestamp < scan_.newest && !scan_.time_goes_back)
            scan_.time_goes_back = scan_.data_end;
        const Offset bound = task_.bound.end;
        if (header.base_offset < bound && bound < header.end_offset()) scan_.bound_inside_batch = true;
        ++scan_.batches;
        scan_.events += header.record_count;
        scan_.newest = std::max(scan_.newest, header.max_timestamp);
        scan_.index.see(header, scan_.data_end);
        scan_.end_offset = header.end_offset();
        scan_.data_end += header.bytes();
        if (task_.on_progress && scan_.data_end - told_ >= progress_bytes) {
            told_ = scan_.data_end;
            task_.on_progress(told_);
        }
    }

    /// From a fault to the next batch; false where there is none.
    Result<bool> step_over(const std::string& fault) {
        std::int64_t end = scan_.file_bytes;
        if (task_.last) {
            TRY(nonzero_end, end_of_nonzero(window_, scan_.data_end));
            if (nonzero_end == scan_.data_end) return false; // zeros filled ahead, or data that is missing
            end = nonzero_end;
        }
        TRY(torn, torn_bytes(end));
        if (torn > 0) {
            scan_.torn_bytes = torn;
            return false;
        }
        TRY(next, find_next(end));
        if (next.position >= 0) {
            add(next.position, next.offset, fault);
            scan_.end_offset = next.offset;
            return true;
        }
        TRY(claimed, claimed_end());
        const Offset to = task_.last ? std::max(task_.bound.end, claimed) : task_.bound.end;
        add(end, to, fault);
        scan_.end_offset = to;
        return false;
    }

    /// How many bytes from the fault to `end` recovery cuts, since nothing that was certainly synced is among them; 0:
    /// it refuses them, or keeps them.
    Result<std::int64_t> torn_bytes(std::int64_t end) {
        const RecoveryBound& bound = task_.bound;
        if (!task_.last || !task_.bound_known || scan_.end_offset < bound.end) return 0;
        TRY(look, look_at_batch(window_, scan_.data_end, scan_.end_offset));
        if (look.what == Look::What::batch) return 0; // no write that was cut short leaves a right CRC
        if (!bound.commits_synced) return end - scan_.data_end;
        if (!scan_.damages.empty()) return 0;
        TRY(survey, survey_segment(files_, scan_.path, scan_.base, bound.end)); // recovery's own judgement
        const auto plan = plan_recovery(survey, bound);
        return plan.ok() ? plan->torn_bytes : 0;
    }

    /// Where the damaged batch says that it leads: its offsets may have been told to someone, and are not given again.
    Result<Offset> claimed_end() {
        TRY(bytes, window_.at(scan_.data_end, batch_header_bytes));
        const auto header = parse_batch_header(bytes);
        if (!header.ok() || header->base_offset != scan_.end_offset) return scan_.end_offset;
        constexpr auto records_max = static_cast<std::int64_t>(limits::decompressed_batch_bytes_max) / record_bytes_min;
        const bool credible =
            header->record_count == header->last_offset_delta + 1 && header->record_count <= records_max;
        return credible ? header->end_offset() : scan_.end_offset;
    }

    struct Next {
        std::int64_t position = -1;
        Offset offset;
    };

    /// The next whole batch after the fault. First where the damaged one says that it ends: what looks like a batch
    /// inside of it may be an event's value.
    Result<Next> find_next(std::int64_t end) {
        const std::int64_t fault_at = scan_.data_end;
        TRY(bytes, window_.at(fault_at, batch_header_bytes));
        if (const auto header = parse_batch_header(bytes); header.ok()) {
            const std::int64_t after = fault_at + header->bytes();
            if (after == end && !task_.last && header->end_offset() == task_.bound.end) return Next{};
            TRY(follows, batch_at(after, end));
            if (follows) return Next{after, *follows};
        }
        for (std::int64_t at = fault_at + 1; at + static_cast<std::int64_t>(batch_header_bytes) <= end; ++at) {
            TRY(there, window_.at(at, batch_header_bytes));
            if (there.size() < batch_header_bytes) break;
            if (there[magic_position] != std::byte{2}) continue;
            TRY(found, batch_at(at, end));
            if (found) return Next{at, *found};
        }
        return Next{};
    }

    /// The base offset of a whole batch at the position that could follow; nullopt where there is none.
    Result<std::optional<Offset>> batch_at(std::int64_t position, std::int64_t end) {
        if (position + static_cast<std::int64_t>(batch_header_bytes) > end) return std::optional<Offset>();
        TRY(bytes, window_.at(position, batch_header_bytes));
        if (bytes.size() < batch_header_bytes) return std::optional<Offset>();
        const auto base = Offset{load_big_endian<std::int64_t>(bytes.data())};
        // Of what was never acknowledged no offset is known but that so many bytes hold so many.
        const Offset least = scan_.end_offset;
        const Offset end_max = least.plus((position - scan_.data_end) * offsets_per_byte_max);
        const Offset most = task_.last ? std::max(task_.bound.end, end_max) : task_.bound.end;
        if (base < least || base > most) return std::optional<Offset>();
        TRY(look, look_at_whole(position, base));
        return look.what == Look::What::batch ? std::optional(base) : std::nullopt;
    }

    void add(std::int64_t end, Offset to, const std::string& what) {
        scan_.damages.push_back({scan_.data_end, end, scan_.end_offset, to, scan_.newest, what});
        scan_.data_end = end;
    }

    void add_missing(Offset to, const std::string& what) {
        if (scan_.end_offset >= to) return;
        add(scan_.data_end, to, what);
        scan_.end_offset = to;
    }

    io::Files& files_;
    const ScanTask& task_;
    FileWindow window_;
    BatchDecompressor decompressor_;
    SegmentScan scan_;
    std::int64_t told_ = 0;
};

} // namespace

Result<SegmentScan> scan_segment(io::Files& files, const ScanTask& task) {
    return Scan(files, task).run();
}

} // namespace questlog::log
