#pragma once

#include "scan/plan.h"
#include "scan/plan_data.h"

#include <fmt/format.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace questlog::scan {

/// The plan's rows under names that cannot collide: the fixed columns under their own, then c0, c1 ...
class NumberedRows final : public TimedRows {
public:
    explicit NumberedRows(std::shared_ptr<const TimedRows> rows) : NumberedRows(rows, rows) {}
    /// `uncut` is null for what was cut before.
    NumberedRows(std::shared_ptr<const duck::RowSource> rows, std::shared_ptr<const TimedRows> uncut)
        : rows_(std::move(rows)), uncut_(std::move(uncut)), columns_(rows_->columns()) {
        for (std::size_t i = plan_rows_fixed_columns; i < columns_.size(); ++i)
            columns_[i].name = name_of(i - plan_rows_fixed_columns);
    }
    [[nodiscard]] static std::string name_of(std::size_t column) { return fmt::format("c{}", column); }

    [[nodiscard]] const std::vector<duck::SourceColumn>& columns() const override { return columns_; }
    [[nodiscard]] std::int64_t cardinality() const override { return rows_->cardinality(); }
    [[nodiscard]] Result<std::unique_ptr<duck::RowStream>> open(std::span<const std::size_t> projected) const override {
        return rows_->open(projected);
    }
    [[nodiscard]] Result<std::vector<duck::SourcePart>> cut(const std::vector<TimeSpan>& spans) const override {
        if (uncut_ == nullptr) return std::vector<duck::SourcePart>{};
        TRY(parts, uncut_->cut(spans));
        for (duck::SourcePart& part : parts) part.source = std::make_shared<NumberedRows>(part.source, nullptr);
        return parts;
    }

private:
    std::shared_ptr<const duck::RowSource> rows_;
    std::shared_ptr<const TimedRows> uncut_;
    std::vector<duck::SourceColumn> columns_;
};

} // namespace questlog::scan
