#include "kafka/partition_reader.h"

#include "base/limits.h"
#include "log/file_window.h"
#include "log/segment_fetcher.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::kafka {
namespace {

constexpr std::size_t window_bytes = 256 * 1024;
constexpr std::size_t readable_bytes_after = 64;
constexpr std::int32_t head_segment = INT32_MIN; // no file's

/// Segments of the local log have numbers below zero, files of the cache have the others.
std::int32_t local_segment(std::int32_t segment) {
    return -1 - segment;
}

/// Kafka's records, and the local ones after them.
class Cursor final : public log::BatchCursor {
public:
    Cursor(TopicPartition& topic, Offset from, Offset to)
        : topic_(topic), from_(from), at_(from), to_(to), window_(window_bytes) {}
    ~Cursor() override {
        if (stream_ != nullptr) topic_.give_back(std::move(stream_));
    }
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    /// `high`: where the local ones begin, as it is seen here.
    void go_on_with(std::unique_ptr<log::BatchCursor> local, LocalHead& head, Offset high, std::int64_t shift) {
        local_ = std::move(local);
        head_ = &head;
        high_ = high;
        shift_ = shift;
    }

    Result<bool> next(log::Batch& batch) override {
        while (at_ < to_) {
            // One that begins before is of another cursor's at the same time, but for the first: it would give some
            // twice.
            const auto cached = topic_.cache().find(at_);
            if (cached && (at_ == from_ || cached->header.base_offset == at_)) {
                TRY(is_there, load(*cached, batch));
                if (is_there) {
                    at_ = cached->header.end_offset();
                    return true;
                }
            }
            if (stream_ == nullptr || stream_->at() != at_) CHECK_OK(move_stream());
            TRY(read, topic_.read(*stream_, to_, builder_));
            at_ = stream_->at();
            if (!read) continue;
            batch = {read->cached.header, read->cached.file, read->cached.records_at, read->records};
            return true;
        }
        const bool has_read = stream_ != nullptr;
        if (has_read) topic_.give_back(std::move(stream_));
        CHECK_OK(topic_.confirm());
        if (has_read) CHECK_OK(topic_.save());
        if (local_ == nullptr) return false;
        TRY(more, local_->next(batch));
        if (!more) return false;
        batch.segment = local_segment(batch.segment);
        batch.header.base_offset = batch.header.base_offset.plus(shift_);
        if (batch.header.base_offset < high_) CHECK_OK(leave_out_forwarded(batch));
        return true;
    }

    /// How many records there are from where it stands on. Of batches in the cache their headers tell.
    Result<std::int64_t> count() {
        std::int64_t records = 0;
        while (at_ < to_) {
            const Offset from = at_;
            const auto cached = topic_.cache().find(from);
            if (cached && cached->header.base_offset == from && cached->header.end_offset() <= to_) {
                records += cached->header.record_count;
                at_ = cached->header.end_offset();
                continue;
            }
            log::Batch batch;
            TRY(more, next(batch));
            if (!more) break;
            log::RecordCursor all(batch.header, batch.records);
            log::Record record;
            while (true) {
                TRY(another, all.next(record));
                if (!another) break;
                if (record.offset >= from && record.offset < to_) ++records;
            }
        }
        return records;
    }

private:
    /// The first of a local batch are in Kafka already: the others become a batch of their own.
    Status leave_out_forwarded(log::Batch& batch) {
        builder_.begin(high_);
        log::RecordCursor records(batch.header, batch.records);
        log::Record record;
        while (true) {
            TRY(more, records.next(record));
            if (!more) break;
            if (record.offset < high_) continue;
            TRY(headers, log::parse_headers(record));
            builder_.skip_to(record.offset);
            builder_.add(record.timestamp, record.value, record.key, headers);
        }
        if (builder_.empty()) return internal("no record of a batch of the embedded log is left to be forwarded");
        head_->keep(builder_.records());
        batch = {builder_.header(), head_segment, 0, head_->records()};
        return {};
    }

    Status move_stream() {
        if (stream_ != nullptr) topic_.give_back(std::move(stream_));
        TRY(stream, topic_.stream_at(at_));
        stream_ = std::move(stream);
        return {};
    }

    /// False: it has gone from the cache.
    Result<bool> load(const CachedBatch& cached, log::Batch& batch) {
        if (cached.file != file_) {
            auto file = topic_.cache().file(cached.file);
            if (file == nullptr) return false;
            window_.attach(std::move(file));
            file_ = cached.file;
        }
        TRY(bytes, window_.at(cached.records_at, cached.bytes));
        if (bytes.size() < cached.bytes) return internal("a file of the cache ends early");
        batch = {cached.header, cached.file, cached.records_at, bytes.first(cached.bytes)};
        return true;
    }

    TopicPartition& topic_;
    Offset from_;
    Offset at_;
    Offset to_;
    std::unique_ptr<RecordStream> stream_;
    log::BatchBuilder builder_;
    log::FileWindow window_;
    std::int32_t file_ = -1;
    std::unique_ptr<log::BatchCursor> local_;
    LocalHead* head_ = nullptr; ///< Where local_ is.
    Offset high_;
    std::int64_t shift_ = 0;
};

/// Fetches records from the cache; what has gone from it is read from the topic again, a batch at a time.
class Fetcher final : public log::RecordFetcher {
public:
    Fetcher(TopicPartition& topic, const LocalHead& head, std::unique_ptr<log::RecordFetcher> local, std::int64_t shift)
        : topic_(topic), head_(head), local_(std::move(local)), shift_(shift), window_(window_bytes) {}
    ~Fetcher() override {
        if (stream_ != nullptr) topic_.give_back(std::move(stream_));
    }
    Fetcher(const Fetcher&) = delete;
    Fetcher& operator=(const Fetcher&) = delete;

    Result<log::Record> fetch(const log::BatchAddress& batch, std::uint32_t position) override {
        if (batch.segment == head_segment) return record_of(head_.records(), batch, position);
        if (batch.segment < 0) return fetch_local(batch, position);
        if (batch.segment != file_) {
            auto file = topic_.cache().file(batch.segment);
            if (file == nullptr) return fetch_again(batch, position);
            window_.attach(std::move(file));
            file_ = batch.segment;
        }
        const std::int64_t at = batch.records_at + std::int64_t{position};
        TRY(bytes, log::record_at(window_, at));
        if (!bytes) return internal("no record begins at byte {} of the cache", at);
        std::size_t used = 0;
        return log::parse_record(batch.base_offset, batch.base_timestamp, *bytes, used);
    }

private:
    Result<log::Record> fetch_local(log::BatchAddress batch, std::uint32_t position) {
        if (local_ == nullptr) return internal("a record of the embedded log was asked for, and there is none");
        batch.segment = local_segment(batch.segment);
        batch.base_offset = batch.base_offset.plus(-shift_);
        TRY(record, local_->fetch(batch, position));
        record.offset = record.offset.plus(shift_);
        return record;
    }

    Result<log::Record> fetch_again(const log::BatchAddress& batch, std::uint32_t position) {
        if (again_.empty() || again_base_ != batch.base_offset) CHECK_OK(read_again(batch.base_offset));
        return record_of(again_, batch, position);
    }

    static Result<log::Record> record_of(std::span<const std::byte> records, const log::BatchAddress& batch,
                                         std::uint32_t position) {
        if (position >= records.size())
            return internal("the batch at offset {} is not the one that was read", batch.base_offset);
        std::size_t used = 0;
        return log::parse_record(batch.base_offset, batch.base_timestamp, records.subspan(position), used);
    }

    /// From there on as many as a batch takes: these are at least those that it had.
    Status read_again(Offset base) {
        again_ = {};
        if (stream_ == nullptr || stream_->at() != base) {
            if (stream_ != nullptr) topic_.give_back(std::move(stream_));
            TRY(stream, topic_.stream_at(base));
            stream_ = std::move(stream);
        }
        TRY(ends, topic_.ends());
        builder_.begin(base);
        CHECK_OK(stream_->read(ends.high, builder_));
        if (builder_.empty()) return reject("the records from offset {} on are not in the topic any more", base);
        const auto records = builder_.records();
        if (!topic_.cache().had(base, records))
            return reject("the records from offset {} on are not those that were read before: compaction has removed "
                          "some, or the topic was made anew, since this command began; repeat it",
                          base);
        again_ = records;
        again_base_ = base;
        return {};
    }

    TopicPartition& topic_;
    const LocalHead& head_;
    std::unique_ptr<log::RecordFetcher> local_;
    std::int64_t shift_;
    log::FileWindow window_;
    std::int32_t file_ = -1;
    std::unique_ptr<RecordStream> stream_;
    log::BatchBuilder builder_;
    std::span<const std::byte> again_; ///< Records, in the builder.
    Offset again_base_;
};

} // namespace

void LocalHead::keep(std::span<const std::byte> records) {
    kept_.with([&](Kept& kept) {
        if (!kept.bytes.empty()) return; // another cursor's is the same
        kept.bytes.assign(records.begin(), records.end());
        kept.bytes.resize(records.size() + readable_bytes_after);
        kept.size = records.size();
    });
}

std::span<const std::byte> LocalHead::records() const {
    return kept_.with([](const Kept& kept) { return std::span(kept.bytes).first(kept.size); });
}

Result<Offset> PartitionReader::start_offset() {
    TRY(ends, topic_->ends());
    return ends.low;
}

Result<Offset> PartitionReader::end_offset() {
    if (local_) {
        TRY(local, local_tail());
        return local.end();
    }
    TRY(ends, topic_->ends());
    return ends.high;
}

/// The local end is read first: what is forwarded meanwhile is then in Kafka, and none of it in both.
Result<PartitionReader::Unforwarded> PartitionReader::local_tail() {
    const std::lock_guard lock(unforwarded_mutex_);
    if (unforwarded_) return *unforwarded_;
    TRY(start, local_->log->start_offset());
    TRY(end, local_->log->end_offset());
    TRY(ends, topic_->ends());
    TRY(last, topic_->last_of(local_->topic, local_->partition, ends.high));
    const Offset from = std::min(end, std::max(start, last ? last->plus(1) : start));
    unforwarded_ = Unforwarded{ends.high, from, end};
    return *unforwarded_;
}

Result<std::int64_t> PartitionReader::bytes() {
    return reject("a cluster does not tell how many bytes a partition has");
}

Result<std::int64_t> PartitionReader::bytes_below(Offset /*end*/) {
    return bytes();
}

Result<std::set<std::string>> PartitionReader::origins(Offset before) {
    if (!local_) return topic_->origins(before);
    TRY(local, local_tail());
    TRY(logs, topic_->origins(std::min(before, local.high)));
    if (before > local.high) logs.insert(local_->topic.id);
    return logs;
}

Result<std::int64_t> PartitionReader::unforwarded() {
    if (!local_) return std::int64_t{0};
    TRY(local, local_tail());
    return local.to.minus(local.from);
}

Result<std::int64_t> PartitionReader::events_between(Offset from, Offset to) {
    if (!local_) return Cursor(*topic_, from, to).count();
    TRY(local, local_tail());
    std::int64_t events = 0;
    if (from < local.high) {
        TRY(there, Cursor(*topic_, from, std::min(to, local.high)).count());
        events += there;
    }
    if (to > local.high) {
        TRY(here,
            local_->log->events_between(std::max(from, local.high).plus(-local.shift()), to.plus(-local.shift())));
        events += here;
    }
    return events;
}

Result<std::unique_ptr<log::BatchCursor>> PartitionReader::read(Offset from, Offset to) {
    TRY(ends, topic_->ends());
    if (from < ends.low)
        return reject("offset {} is not in the log any more: it has expired, and the log begins at offset {}", from,
                      ends.low);
    if (!local_) {
        if (to > ends.high) return internal("a read up to offset {} was asked for beyond the end {}", to, ends.high);
        return std::unique_ptr<log::BatchCursor>(std::make_unique<Cursor>(*topic_, from, to));
    }
    TRY(local, local_tail());
    if (to > local.end()) return internal("a read up to offset {} was asked for beyond the end {}", to, local.end());
    auto cursor = std::make_unique<Cursor>(*topic_, from, std::min(to, local.high));
    if (to > local.high) {
        TRY(rest, local_->log->read(std::max(from, local.high).plus(-local.shift()), to.plus(-local.shift())));
        cursor->go_on_with(std::move(rest), head_, local.high, local.shift());
    }
    return std::unique_ptr<log::BatchCursor>(std::move(cursor));
}

Result<std::unique_ptr<log::RecordFetcher>> PartitionReader::fetcher() {
    std::unique_ptr<log::RecordFetcher> fetcher;
    std::int64_t shift = 0;
    if (local_) {
        TRY(local, local_tail());
        TRY(made, local_->log->fetcher());
        fetcher = std::move(made);
        shift = local.shift();
    }
    return std::unique_ptr<log::RecordFetcher>(std::make_unique<Fetcher>(*topic_, head_, std::move(fetcher), shift));
}

Result<Offset> PartitionReader::find_time(TimestampMs time) {
    if (!local_) {
        TRY(ends, topic_->ends());
        return topic_->find_time(time, ends.high);
    }
    TRY(local, local_tail());
    TRY(found, topic_->find_time(time, local.high));
    if (found < local.high) return found;
    TRY(here, local_->log->find_time(time));
    return std::min(local.end(), std::max(here, local.from).plus(local.shift()));
}

} // namespace questlog::kafka
