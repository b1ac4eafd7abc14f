#include "log/time_search.h"

namespace questlog::log {

Result<Offset> find_time_from(PartitionReader& partition, Offset from, TimestampMs time) {
    TRY(end, partition.end_offset());
    TRY(cursor, partition.read(from, end));
    Batch batch;
    while (true) {
        TRY(more, cursor->next(batch));
        if (!more) return end;
        if (batch.header.max_timestamp < time) continue;
        RecordCursor records(batch.header, batch.records);
        Record record;
        while (true) {
            TRY(another, records.next(record));
            if (!another) break;
            if (record.timestamp >= time && record.offset >= from) return std::min(record.offset, end);
        }
    }
}

Result<Offset> PartitionReader::find_time(TimestampMs time) {
    TRY(start, start_offset());
    return find_time_from(*this, start, time);
}

} // namespace questlog::log
