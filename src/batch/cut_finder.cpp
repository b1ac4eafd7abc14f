#include "batch/cut_finder.h"

#include "scan/plan.h"

#include <algorithm>

namespace questlog::batch {
namespace {

constexpr std::int64_t day_ms = 24 * 60 * 60 * 1000;
constexpr std::size_t date_length = 10;

TimestampMs last_of_day(TimestampMs time) {
    const std::int64_t of_day = (time.value % day_ms + day_ms) % day_ms;
    return time.plus(day_ms - 1 - of_day);
}

/// The first record from `from` on that is not before `time`; nullopt: there is none.
Result<std::optional<log::Record>> first_record(const log::Batch& batch, Offset from, TimestampMs time) {
    log::RecordCursor records(batch.header, batch.records);
    log::Record record;
    while (true) {
        TRY(more, records.next(record));
        if (!more) return std::optional<log::Record>{};
        if (record.offset >= from && record.timestamp >= time) return std::optional(record);
    }
}

} // namespace

std::string utc_date(TimestampMs time) {
    return scan::spark_timestamp(std::clamp(time, scan::earliest_time, scan::latest_time)).substr(0, date_length);
}

void CutFinder::restart(Offset from) {
    from_ = from;
    seen_ = from;
    bytes_ = 0;
    first_.reset();
}

Result<std::optional<Offset>> CutFinder::find(log::PartitionReader& log, Offset end) {
    if (seen_ >= end) return std::optional<Offset>{};
    TRY(cursor, log.read(seen_, end));
    log::Batch batch;
    while (true) {
        TRY(more, cursor->next(batch));
        if (!more) break;
        TRY(cut, look_at(batch, end));
        if (cut) return cut;
    }
    seen_ = end; // a repair's hole may be the last there is
    return std::optional<Offset>{};
}

Result<std::optional<Offset>> CutFinder::look_at(const log::Batch& batch, Offset end) {
    if (!first_) {
        TRY(first, first_record(batch, seen_, TimestampMs{INT64_MIN}));
        if (first && first->offset < end) begin(first->timestamp);
    }
    if (first_ && batch.header.max_timestamp > last_) {
        TRY(beyond, first_record(batch, seen_, last_.plus(1)));
        if (beyond && beyond->offset < end) return std::optional(beyond->offset);
    }
    bytes_ += static_cast<std::int64_t>(log::batch_header_bytes + batch.records.size());
    seen_ = std::min(batch.header.end_offset(), end);
    if (bytes_ >= limits_.bytes && first_) return std::optional(seen_);
    return std::optional<Offset>{};
}

void CutFinder::begin(TimestampMs first) {
    first_ = first;
    last_ = std::min(last_of_day(first), first.plus(limits_.time.count() - 1));
}

} // namespace questlog::batch
