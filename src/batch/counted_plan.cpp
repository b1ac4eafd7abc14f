#include "batch/counted_plan.h"

namespace questlog::batch {
namespace {

constexpr std::int64_t rows_between_reports = 64 * 1024;

using Count = std::shared_ptr<std::atomic<std::int64_t>>;
using OnRows = std::function<void(std::int64_t)>;

class CountedStream final : public duck::RowStream {
public:
    CountedStream(std::unique_ptr<duck::RowStream> rows, Count count, OnRows on_rows)
        : rows_(std::move(rows)), count_(std::move(count)), on_rows_(std::move(on_rows)) {}

    Result<std::size_t> fill(std::span<duck::ColumnWriter> writers, std::size_t capacity) override {
        TRY(filled, rows_->fill(writers, capacity));
        const auto before = count_->fetch_add(static_cast<std::int64_t>(filled));
        const auto now = before + static_cast<std::int64_t>(filled);
        if (on_rows_ && before / rows_between_reports != now / rows_between_reports) on_rows_(now);
        return filled;
    }

private:
    std::unique_ptr<duck::RowStream> rows_;
    Count count_;
    OnRows on_rows_;
};

class CountedSource final : public scan::TimedRows {
public:
    CountedSource(std::shared_ptr<const duck::RowSource> source, Count count, OnRows on_rows)
        : source_(std::move(source)), count_(std::move(count)), on_rows_(std::move(on_rows)) {}

    [[nodiscard]] const std::vector<duck::SourceColumn>& columns() const override { return source_->columns(); }
    [[nodiscard]] std::int64_t cardinality() const override { return source_->cardinality(); }
    Result<std::unique_ptr<duck::RowStream>> open(std::span<const std::size_t> projected) const override {
        TRY(rows, source_->open(projected));
        return std::unique_ptr<duck::RowStream>(std::make_unique<CountedStream>(std::move(rows), count_, on_rows_));
    }

private:
    std::shared_ptr<const duck::RowSource> source_;
    Count count_;
    OnRows on_rows_;
};

} // namespace

CountedPlan::CountedPlan(std::shared_ptr<const scan::Plan> plan, std::function<void(std::int64_t read)> on_rows)
    : plan_(std::move(plan)), count_(std::make_shared<std::atomic<std::int64_t>>(0)), on_rows_(std::move(on_rows)) {}

event::Schema CountedPlan::schema(const std::optional<std::vector<std::string>>& types) const {
    return plan_->schema(types);
}

std::int64_t CountedPlan::events(const std::optional<std::vector<std::string>>& types) const {
    return plan_->events(types);
}

std::shared_ptr<const scan::TimedRows> CountedPlan::rows(const std::optional<std::vector<std::string>>& types,
                                                         const event::Schema& schema) const {
    return std::make_shared<CountedSource>(plan_->rows(types, schema), count_, on_rows_);
}

} // namespace questlog::batch
