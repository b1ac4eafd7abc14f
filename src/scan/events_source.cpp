#include "event/row_decoder.h"
#include "log/event_log.h"
#include "log/time_search.h"
#include "scan/plan.h"
#include "scan/timestamp_cell.h"
#include "scan/utf8_text.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace questlog::scan {

namespace {

struct EventsColumn {
    enum : std::size_t { topic, partition, offset, timestamp, type, value };
};

/// One partition's part of the source.
struct Part {
    log::LogReader* reader = nullptr;
    std::string topic;
    PartitionRange range;
    /// What its events' times must be: the part may be left out or have a condition for it.
    TimestampMs time_min{INT64_MIN};
    TimestampMs time_max{INT64_MAX};
};

class EventsStream final : public duck::RowStream {
public:
    EventsStream(const std::vector<Part>& parts, std::span<const std::size_t> projected)
        : parts_(parts), projected_(projected.begin(), projected.end()),
          reads_records_(std::any_of(projected.begin(), projected.end(),
                                     [](std::size_t c) { return c > EventsColumn::offset; })) {}

    Result<std::size_t> fill(std::span<duck::ColumnWriter> writers, std::size_t capacity) override {
        std::size_t row = 0;
        log::Record record;
        while (row < capacity) {
            TRY(more, next(record));
            if (!more) break;
            write_row(record, row++, writers);
        }
        return row;
    }

private:
    [[nodiscard]] const Part& part() const { return parts_[part_]; }

    /// The next record of the range. Where only offsets are read, its offset alone.
    Result<bool> next(log::Record& record) {
        for (;;) {
            if (dense_ < dense_end_) {
                record.offset = dense_;
                dense_ = dense_.plus(1);
                return true;
            }
            if (records_) {
                TRY(more, records_->next(record));
                if (more && (record.offset < part().range.from || record.offset >= part().range.to)) continue;
                if (more && (record.timestamp < part().time_min || record.timestamp > part().time_max))
                    return out_of_order(record.offset);
                if (more) return true;
                records_.reset();
            }
            TRY(more, next_batch());
            if (!more) return false;
        }
    }

    [[nodiscard]] Error out_of_order(Offset offset) const {
        return corrupt(
            "time goes back at offset {} of partition {} of {}, or leaves the years 1 to 9999, so a time cannot "
            "be looked for there (`questlog log verify` tells where it does); a statement that compares "
            "timestamp with no constant reads the whole log",
            offset, part().range.partition, part().topic);
    }

    Result<bool> next_batch() {
        while (part_ < parts_.size()) {
            if (cursor_ == nullptr) {
                TRY(opened, part().reader->partition(part().range.partition).read(part().range.from, part().range.to));
                cursor_ = std::move(opened);
            }
            TRY(more, cursor_->next(batch_));
            if (more) {
                enter_batch();
                return true;
            }
            cursor_.reset();
            ++part_;
        }
        return false;
    }

    /// A batch without gaps need not be walked where only offsets are asked for: count(*) reads no record.
    void enter_batch() {
        const log::BatchHeader& header = batch_.header;
        if (!reads_records_ && header.record_count == header.last_offset_delta + 1) {
            dense_ = std::max(header.base_offset, part().range.from);
            dense_end_ = std::min(header.end_offset(), part().range.to);
        } else {
            records_.emplace(header, batch_.records);
        }
    }

    void write_row(const log::Record& record, std::size_t row, std::span<duck::ColumnWriter> writers) {
        for (std::size_t i = 0; i < projected_.size(); ++i) {
            duck::ColumnWriter& writer = writers[i];
            switch (projected_[i]) {
            case EventsColumn::topic: writer.set_string(row, part().topic); break;
            case EventsColumn::partition: writer.set_bigint(row, part().range.partition.value); break;
            case EventsColumn::offset: writer.set_bigint(row, record.offset.value); break;
            case EventsColumn::timestamp: write_timestamp(record.timestamp, row, writer); break;
            case EventsColumn::type:
                if (event::event_type_of(record.value, text_))
                    writer.set_string(row, text_);
                else
                    writer.set_null(row);
                break;
            case EventsColumn::value: writer.set_string(row, shown_as_utf8(record.value, text_)); break;
            default: break;
            }
        }
    }

    const std::vector<Part>& parts_;
    std::vector<std::size_t> projected_;
    bool reads_records_;
    std::size_t part_ = 0;
    std::unique_ptr<log::BatchCursor> cursor_;
    log::Batch batch_;
    std::optional<log::RecordCursor> records_;
    Offset dense_;
    Offset dense_end_; ///< Offsets from dense_ to here are given without their records.
    std::string text_;
};

class EventsSource final : public TimedRows {
public:
    explicit EventsSource(std::vector<Part> parts) : parts_(std::move(parts)) {
        for (const Part& part : parts_) events_ += part.range.to.minus(part.range.from);
    }

    [[nodiscard]] const std::vector<duck::SourceColumn>& columns() const override { return columns_; }
    [[nodiscard]] std::int64_t cardinality() const override { return events_; }
    [[nodiscard]] Result<std::unique_ptr<duck::RowStream>> open(std::span<const std::size_t> projected) const override {
        return std::unique_ptr<duck::RowStream>(std::make_unique<EventsStream>(parts_, projected));
    }

    [[nodiscard]] Result<std::vector<duck::SourcePart>> cut(const std::vector<TimeSpan>& spans) const override {
        std::vector<duck::SourcePart> cuts;
        for (const Part& part : parts_)
            if (!part.reader->ascends_in_time()) return cuts;
        for (const Part& part : parts_) {
            Offset from = part.range.from;
            for (const TimeSpan& span : spans) {
                TRY(to, &span == &spans.back() ? Result<Offset>(part.range.to) : end_of(part, from, span));
                Part piece = part;
                piece.range.from = std::exchange(from, to);
                piece.range.to = to;
                piece.time_min = span.from;
                piece.time_max = span.to.plus(-1);
                if (piece.range.from < to)
                    cuts.push_back({std::make_shared<EventsSource>(std::vector{std::move(piece)}), span.condition});
            }
        }
        return cuts;
    }

private:
    /// Where the span's events end, which begin at `from`.
    [[nodiscard]] static Result<Offset> end_of(const Part& part, Offset from, const TimeSpan& span) {
        if (from == part.range.to) return from;
        log::PartitionReader& log = part.reader->partition(part.range.partition);
        const bool ends_soon = span.to.minus(span.from) == 1;
        TRY(end, ends_soon ? log::find_time_from(log, from, span.to) : log.find_time(span.to));
        return std::clamp(end, from, part.range.to);
    }

    std::vector<Part> parts_;
    std::int64_t events_ = 0;
    std::vector<duck::SourceColumn> columns_{
        {"topic", duck::ValueType::varchar},      {"partition", duck::ValueType::bigint},
        {"offset", duck::ValueType::bigint},      {"timestamp", duck::ValueType::timestamp_tz},
        {"event_type", duck::ValueType::varchar}, {"value", duck::ValueType::varchar}};
};

} // namespace

std::shared_ptr<const TimedRows> events_source(const std::vector<TopicRange>& topics) {
    std::vector<Part> parts;
    for (const TopicRange& topic : topics)
        for (const PartitionRange& range : topic.range)
            if (range.from < range.to) parts.push_back({topic.reader, topic.reader->topic().name, range});
    return std::make_shared<EventsSource>(std::move(parts));
}

} // namespace questlog::scan
