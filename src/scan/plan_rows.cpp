#include "event/row_decoder.h"
#include "log/event_log.h"
#include "scan/plan_data.h"
#include "scan/timestamp_cell.h"
#include "scan/timestamp_text.h"

#include <algorithm>

namespace questlog::scan {

duck::ValueType value_type(event::ColumnType type) {
    switch (type) {
    case event::ColumnType::boolean: return duck::ValueType::boolean;
    case event::ColumnType::bigint: return duck::ValueType::bigint;
    case event::ColumnType::double_: return duck::ValueType::double_;
    case event::ColumnType::null:
    case event::ColumnType::string: return duck::ValueType::varchar;
    }
    return duck::ValueType::varchar;
}

namespace {

struct FixedColumn {
    enum : std::size_t { offset, partition, text_timestamp, timestamp };
};
static_assert(FixedColumn::timestamp + 1 == plan_rows_fixed_columns);

void write_cell(const event::Cell& cell, std::size_t row, duck::ColumnWriter& writer) {
    switch (cell.type) {
    case event::ColumnType::null: return writer.set_null(row);
    case event::ColumnType::boolean: return writer.set_boolean(row, cell.boolean);
    case event::ColumnType::bigint: return writer.set_bigint(row, cell.bigint);
    case event::ColumnType::double_: return writer.set_double(row, cell.number);
    case event::ColumnType::string: return writer.set_string(row, cell.string);
    }
}

/// Which of the schema's columns are asked for.
[[nodiscard]] std::vector<std::size_t> cells_of(std::span<const std::size_t> projected) {
    std::vector<std::size_t> cells;
    for (const std::size_t column : projected)
        if (column >= plan_rows_fixed_columns) cells.push_back(column - plan_rows_fixed_columns);
    return cells;
}

/// The events whose batches are from `from` on and before `to`, and of these those of the time.
struct PlanPart {
    Reference from{0};
    Reference to{UINT64_MAX}; ///< No reference is as great: a batch is shorter.
    bool is_timed = false;
    TimestampMs time_from;
    TimestampMs time_to; ///< Not included.

    [[nodiscard]] bool has(TimestampMs time) const { return !is_timed || (time_from <= time && time < time_to); }
};

class PlanRowStream final : public duck::RowStream {
public:
    PlanRowStream(std::shared_ptr<const PlanData> data, std::span<const ReferenceList* const> lists,
                  const PlanPart& part, const event::Schema& schema, std::span<const std::size_t> projected)
        : data_(std::move(data)), part_(part), references_(lists, part.from, part.to),
          projected_(projected.begin(), projected.end()), decodes_(!cells_of(projected).empty()), cells_(schema.size()),
          decoder_(schema, cells_of(projected)), records_(*data_) {
        const auto asked = [&](std::size_t column) {
            return std::find(projected.begin(), projected.end(), column) != projected.end();
        };
        reads_timestamp_ = asked(FixedColumn::timestamp) || asked(FixedColumn::text_timestamp);
        reads_offset_ = asked(FixedColumn::offset);
    }

    Result<std::size_t> fill(std::span<duck::ColumnWriter> writers, std::size_t capacity) override {
        std::size_t row = 0;
        for (Reference reference; row < capacity && references_.next(reference);) {
            TRY(written, write_row(reference, row, writers));
            if (written) ++row;
        }
        return row;
    }

private:
    /// False: the event is not of the part.
    Result<bool> write_row(Reference reference, std::size_t row, std::span<duck::ColumnWriter> writers) {
        const PlannedBatch& batch = records_.batch_of(reference);
        const bool reads_record = decodes_ || reads_timestamp_ || part_.is_timed;
        if (!reads_record && (!reads_offset_ || batch.is_single_record != 0)) {
            write_values(batch, batch.base_offset, {}, row, writers);
            return true;
        }
        const auto record = records_.fetch(reference);
        if (!record.ok()) return record.error();
        if (!part_.has(record->timestamp)) return false;
        if (decodes_ && !decoder_.decode(record->value, cells_))
            return internal("the event at offset {} of partition {} is not the one that was planned", record->offset,
                            records_.partition_of(batch));
        write_values(batch, record->offset, record->timestamp, row, writers);
        return true;
    }

    void write_values(const PlannedBatch& batch, Offset offset, TimestampMs timestamp, std::size_t row,
                      std::span<duck::ColumnWriter> writers) {
        for (std::size_t i = 0; i < projected_.size(); ++i) {
            switch (projected_[i]) {
            case FixedColumn::offset: writers[i].set_bigint(row, offset.value); break;
            case FixedColumn::partition: writers[i].set_bigint(row, records_.partition_of(batch).value); break;
            case FixedColumn::text_timestamp: writers[i].set_string(row, timestamps_.write(timestamp)); break;
            case FixedColumn::timestamp: write_timestamp(timestamp, row, writers[i]); break;
            default: write_cell(cells_[projected_[i] - plan_rows_fixed_columns], row, writers[i]);
            }
        }
    }

    std::shared_ptr<const PlanData> data_;
    PlanPart part_;
    MergedReferences references_;
    std::vector<std::size_t> projected_;
    bool decodes_;
    bool reads_timestamp_ = false;
    bool reads_offset_ = false;
    std::vector<event::Cell> cells_;
    event::RowDecoder decoder_;
    TimestampText timestamps_;
    PlannedRecords records_;
};

class PlanRows final : public TimedRows {
public:
    PlanRows(std::shared_ptr<const PlanData> data, const std::vector<const PlannedType*>& chosen, event::Schema schema)
        : data_(std::move(data)), schema_(std::move(schema)), columns_{{"_offset", duck::ValueType::bigint},
                                                                       {"_partition", duck::ValueType::bigint},
                                                                       {"timestamp", duck::ValueType::varchar},
                                                                       {"_timestamp", duck::ValueType::timestamp_tz}} {
        for (const event::Column& column : schema_) columns_.push_back({column.key, value_type(column.type)});
        for (const PlannedType* type : chosen) {
            lists_.push_back(&type->references);
            events_ += type->events;
        }
    }
    PlanRows(const PlanRows& whole, const PlanPart& part) : PlanRows(whole) {
        part_ = part;
        events_ = 0;
        for (const ReferenceList* list : lists_)
            events_ += std::lower_bound(list->begin(), list->end(), part.to) -
                       std::lower_bound(list->begin(), list->end(), part.from);
    }

    [[nodiscard]] const std::vector<duck::SourceColumn>& columns() const override { return columns_; }
    [[nodiscard]] std::int64_t cardinality() const override { return events_; }
    [[nodiscard]] Result<std::unique_ptr<duck::RowStream>> open(std::span<const std::size_t> projected) const override {
        return std::unique_ptr<duck::RowStream>(
            std::make_unique<PlanRowStream>(data_, lists_, part_, schema_, projected));
    }

    [[nodiscard]] Result<std::vector<duck::SourcePart>> cut(const std::vector<TimeSpan>& spans) const override {
        std::vector<duck::SourcePart> parts;
        if (!data_->is_in_order) return parts;
        for (std::size_t range = 0; range < data_->range.size(); ++range)
            for (const TimeSpan& span : spans) {
                const auto part = std::make_shared<PlanRows>(*this, batches_of(range, span));
                if (part->events_ != 0) parts.push_back({part, span.condition});
            }
        return parts;
    }

private:
    /// All batches that can hold such events: also the one before the first that begins at or after the time.
    [[nodiscard]] PlanPart batches_of(std::size_t range, const TimeSpan& span) const {
        const auto first_from = [&](std::size_t partition, TimestampMs time) {
            const auto found =
                std::partition_point(data_->batches.begin(), data_->batches.end(), [&](const PlannedBatch& batch) {
                    return batch.range < partition || (batch.range == partition && batch.base_timestamp < time);
                });
            return static_cast<std::uint32_t>(found - data_->batches.begin());
        };
        const std::uint32_t begin = first_from(range, TimestampMs{INT64_MIN});
        const std::uint32_t from = first_from(range, span.from);
        const std::uint32_t to = first_from(range, span.to);
        return {Reference::of(from > begin ? from - 1 : from, 0), Reference::of(to, 0), true, span.from, span.to};
    }

    std::shared_ptr<const PlanData> data_;
    event::Schema schema_;
    std::vector<duck::SourceColumn> columns_;
    std::vector<const ReferenceList*> lists_;
    PlanPart part_;
    std::int64_t events_ = 0; ///< At most.
};

} // namespace

Result<log::Record> PlannedRecords::fetch(Reference reference) {
    const PlannedBatch& batch = batch_of(reference);
    std::unique_ptr<log::RecordFetcher>& fetcher = fetchers_[batch.range];
    if (fetcher == nullptr) {
        TRY(made, data_.reader->partition(partition_of(batch)).fetcher());
        fetcher = std::move(made);
    }
    return fetcher->fetch(batch.address(), reference.position());
}

std::shared_ptr<const TimedRows> make_plan_rows(std::shared_ptr<const PlanData> data,
                                                const std::vector<const PlannedType*>& chosen,
                                                const event::Schema& schema) {
    return std::make_shared<PlanRows>(std::move(data), chosen, schema);
}

} // namespace questlog::scan
