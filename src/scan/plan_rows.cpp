#include "event/row_decoder.h"
#include "log/event_log.h"
#include "scan/plan_data.h"
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

enum FixedColumn : std::size_t { offset_column, partition_column, timestamp_column };
static_assert(timestamp_column + 1 == plan_rows_fixed_columns);

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

class PlanRowStream final : public duck::RowStream {
public:
    PlanRowStream(std::shared_ptr<const PlanData> data, std::span<const ReferenceList* const> lists,
                  const event::Schema& schema, std::span<const std::size_t> projected)
        : data_(std::move(data)), references_(lists), projected_(projected.begin(), projected.end()),
          decodes_(!cells_of(projected).empty()), cells_(schema.size()), decoder_(schema, cells_of(projected)),
          fetchers_(data_->range.size()) {
        const auto asked = [&](std::size_t column) {
            return std::find(projected.begin(), projected.end(), column) != projected.end();
        };
        reads_timestamp_ = asked(timestamp_column);
        reads_offset_ = asked(offset_column);
    }

    Result<std::size_t> fill(std::span<duck::ColumnWriter> writers, std::size_t capacity) override {
        std::size_t row = 0;
        for (Reference reference; row < capacity && references_.next(reference); ++row)
            CHECK_OK(write_row(reference, row, writers));
        return row;
    }

private:
    Status write_row(Reference reference, std::size_t row, std::span<duck::ColumnWriter> writers) {
        const PlannedBatch& batch = data_->batches[reference.batch()];
        if (!decodes_ && !reads_timestamp_ && (!reads_offset_ || batch.is_single_record != 0)) {
            write_values(batch, batch.base_offset, {}, row, writers);
            return {};
        }
        TRY(fetcher, fetcher_of(batch));
        const auto record = fetcher->fetch(batch.address(), reference.position());
        if (!record.ok()) return record.error();
        if (decodes_ && !decoder_.decode(record->value, cells_))
            return internal("the event at offset {} of partition {} is not the one that was planned", record->offset,
                            partition_of(batch));
        write_values(batch, record->offset, record->timestamp, row, writers);
        return {};
    }

    void write_values(const PlannedBatch& batch, Offset offset, TimestampMs timestamp, std::size_t row,
                      std::span<duck::ColumnWriter> writers) {
        for (std::size_t i = 0; i < projected_.size(); ++i) {
            switch (projected_[i]) {
            case offset_column: writers[i].set_bigint(row, offset.value); break;
            case partition_column: writers[i].set_bigint(row, partition_of(batch).value); break;
            case timestamp_column: writers[i].set_string(row, timestamps_.write(timestamp)); break;
            default: write_cell(cells_[projected_[i] - plan_rows_fixed_columns], row, writers[i]);
            }
        }
    }

    [[nodiscard]] Partition partition_of(const PlannedBatch& batch) const {
        return data_->range[batch.range].partition;
    }

    Result<log::RecordFetcher*> fetcher_of(const PlannedBatch& batch) {
        std::unique_ptr<log::RecordFetcher>& fetcher = fetchers_[batch.range];
        if (fetcher == nullptr) {
            TRY(made, data_->reader->partition(partition_of(batch)).fetcher());
            fetcher = std::move(made);
        }
        return fetcher.get();
    }

    std::shared_ptr<const PlanData> data_;
    MergedReferences references_;
    std::vector<std::size_t> projected_;
    bool decodes_;
    bool reads_timestamp_ = false;
    bool reads_offset_ = false;
    std::vector<event::Cell> cells_;
    event::RowDecoder decoder_;
    TimestampText timestamps_;
    std::vector<std::unique_ptr<log::RecordFetcher>> fetchers_; ///< By range; made when first needed.
};

class PlanRows final : public duck::RowSource {
public:
    PlanRows(std::shared_ptr<const PlanData> data, const std::vector<const PlannedType*>& chosen, event::Schema schema)
        : data_(std::move(data)), schema_(std::move(schema)), columns_{{"_offset", duck::ValueType::bigint},
                                                                       {"_partition", duck::ValueType::bigint},
                                                                       {"timestamp", duck::ValueType::varchar}} {
        for (const event::Column& column : schema_) columns_.push_back({column.key, value_type(column.type)});
        for (const PlannedType* type : chosen) {
            lists_.push_back(&type->references);
            events_ += type->events;
        }
    }

    [[nodiscard]] const std::vector<duck::SourceColumn>& columns() const override { return columns_; }
    [[nodiscard]] std::int64_t cardinality() const override { return events_; }
    [[nodiscard]] Result<std::unique_ptr<duck::RowStream>> open(std::span<const std::size_t> projected) const override {
        return std::unique_ptr<duck::RowStream>(std::make_unique<PlanRowStream>(data_, lists_, schema_, projected));
    }

private:
    std::shared_ptr<const PlanData> data_;
    event::Schema schema_;
    std::vector<duck::SourceColumn> columns_;
    std::vector<const ReferenceList*> lists_;
    std::int64_t events_ = 0;
};

} // namespace

std::shared_ptr<const duck::RowSource> make_plan_rows(std::shared_ptr<const PlanData> data,
                                                      const std::vector<const PlannedType*>& chosen,
                                                      const event::Schema& schema) {
    return std::make_shared<PlanRows>(std::move(data), chosen, schema);
}

} // namespace questlog::scan
