#include "event/census.h"
#include "scan/plan_data.h"
#include "scan/set_aside.h"
#include "scan/timestamp_cell.h"

namespace questlog::scan {
namespace {

struct DeadLetterColumn {
    enum : std::size_t { offset, partition, timestamp, reason, value };
};

constexpr std::string_view too_many_types = "too many event types";

class DeadLetterStream final : public duck::RowStream {
public:
    DeadLetterStream(std::shared_ptr<const PlanData> data, std::span<const ReferenceList* const> lists,
                     std::span<const std::size_t> projected)
        : data_(std::move(data)), aside_(data_->set_aside.begin(), data_->set_aside.end()),
          references_(lists, Reference{0}, Reference{UINT64_MAX}), projected_(projected.begin(), projected.end()),
          records_(*data_) {}

    Result<std::size_t> fill(std::span<duck::ColumnWriter> writers, std::size_t capacity) override {
        std::size_t row = 0;
        for (Reference reference; row < capacity && references_.next(reference); ++row) {
            const auto record = records_.fetch(reference);
            if (!record.ok()) return record.error();
            write(*record, records_.batch_of(reference), row, writers);
        }
        return row;
    }

private:
    void write(const log::Record& record, const PlannedBatch& batch, std::size_t row,
               std::span<duck::ColumnWriter> writers) {
        for (std::size_t i = 0; i < projected_.size(); ++i) {
            switch (projected_[i]) {
            case DeadLetterColumn::offset: writers[i].set_bigint(row, record.offset.value); break;
            case DeadLetterColumn::partition: writers[i].set_bigint(row, records_.partition_of(batch).value); break;
            case DeadLetterColumn::timestamp: write_timestamp(record.timestamp, row, writers[i]); break;
            case DeadLetterColumn::reason: writers[i].set_string(row, reason(record, batch.range)); break;
            case DeadLetterColumn::value: writers[i].set_string(row, record.value); break;
            default: break;
            }
        }
    }

    [[nodiscard]] std::string_view reason(const log::Record& record, std::size_t range) {
        if (aside_[range].has(record.offset)) return *aside_[range].reason();
        const std::string_view why = event::why_no_event(record.value);
        return why.empty() ? too_many_types : why;
    }

    std::shared_ptr<const PlanData> data_;
    std::vector<SetAsideCursor> aside_; ///< By part of the range.
    MergedReferences references_;
    std::vector<std::size_t> projected_;
    PlannedRecords records_;
};

class DeadLetterRows final : public duck::RowSource {
public:
    DeadLetterRows(std::shared_ptr<const PlanData> data, const std::vector<const PlannedType*>& chosen)
        : data_(std::move(data)), columns_{{"_offset", duck::ValueType::bigint},
                                           {"_partition", duck::ValueType::bigint},
                                           {"_timestamp", duck::ValueType::timestamp_tz},
                                           {"reason", duck::ValueType::varchar},
                                           {"value", duck::ValueType::blob}} {
        lists_.push_back(&data_->dead_letters);
        for (const PlannedType* type : chosen) lists_.push_back(&type->references);
        for (const ReferenceList* list : lists_) count_ += static_cast<std::int64_t>(list->size());
    }

    [[nodiscard]] const std::vector<duck::SourceColumn>& columns() const override { return columns_; }
    [[nodiscard]] std::int64_t cardinality() const override { return count_; }
    [[nodiscard]] Result<std::unique_ptr<duck::RowStream>> open(std::span<const std::size_t> projected) const override {
        return std::unique_ptr<duck::RowStream>(std::make_unique<DeadLetterStream>(data_, lists_, projected));
    }

private:
    std::shared_ptr<const PlanData> data_;
    std::vector<duck::SourceColumn> columns_;
    std::vector<const ReferenceList*> lists_;
    std::int64_t count_ = 0;
};

} // namespace

std::shared_ptr<const duck::RowSource> make_dead_letter_rows(std::shared_ptr<const PlanData> data,
                                                             const std::vector<const PlannedType*>& chosen) {
    return std::make_shared<DeadLetterRows>(std::move(data), chosen);
}

} // namespace questlog::scan
