#include "kafka/log_feed.h"

#include <algorithm>

namespace questlog::kafka {

Result<const log::Record*> LogFeed::peek() {
    while (!record_) {
        if (!batches_) {
            TRY(opened, open());
            if (!opened) return nullptr;
        }
        const Result<bool> found = next_record();
        if (found.ok() && *found) break;
        batches_.reset();
        records_.reset();
        if (found.ok()) {
            next_ = std::max(next_, end_); // to the end of what was there when it was opened
            continue;
        }
        TRY(start, reader_.start_offset());
        if (start <= next_) return found.error(); // else what was being read has expired
    }
    return &*record_;
}

/// False: there is nothing beyond next_.
Result<bool> LogFeed::open() {
    TRY(end, reader_.end_offset());
    if (end <= next_) return false;
    TRY(start, reader_.start_offset());
    if (start > next_) {
        expired_ = OffsetSpan{expired_ ? expired_->from : next_, start};
        next_ = start;
        if (end <= next_) return false;
    }
    // Kafka must not hold what the log may lose: other events would get the same offsets.
    CHECK_OK(reader_.make_durable(end));
    TRY(cursor, reader_.read(next_, end));
    batches_ = std::move(cursor);
    end_ = end;
    return true;
}

Result<bool> LogFeed::next_record() {
    while (true) {
        if (!records_) {
            TRY(more, batches_->next(batch_));
            if (!more) return false;
            records_.emplace(batch_.header, batch_.records);
        }
        log::Record record;
        TRY(found, records_->next(record));
        if (!found) {
            records_.reset();
        } else if (record.offset >= next_) {
            record_ = record;
            return true;
        }
    }
}

} // namespace questlog::kafka
