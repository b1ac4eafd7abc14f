#pragma once

#include "scan/plan.h"

#include <atomic>
#include <functional>
#include <memory>

namespace questlog::batch {

/// A plan that counts the rows it hands out, so that the books are kept by someone who was there. Each chunk's count is
/// added before the chunk is handed on. `on_rows` is called with the count now and then, on the reading thread.
class CountedPlan final : public scan::Plan {
public:
    CountedPlan(std::shared_ptr<const scan::Plan> plan, std::function<void(std::int64_t read)> on_rows);

    /// Rows handed out since the last restart().
    [[nodiscard]] std::int64_t read() const { return count_->load(); }
    void restart() { count_->store(0); }

    [[nodiscard]] const scan::LogRange& range() const override { return plan_->range(); }
    [[nodiscard]] const scan::PlanTally& tally() const override { return plan_->tally(); }
    [[nodiscard]] event::Schema schema(const std::optional<std::vector<std::string>>& types) const override;
    [[nodiscard]] std::vector<std::string> keys(const std::optional<std::vector<std::string>>& types) const override {
        return plan_->keys(types);
    }
    [[nodiscard]] std::int64_t events(const std::optional<std::vector<std::string>>& types) const override;
    [[nodiscard]] std::vector<std::string> types() const override { return plan_->types(); }
    [[nodiscard]] const std::vector<scan::SetAside>& set_aside() const override { return plan_->set_aside(); }
    [[nodiscard]] const std::vector<std::optional<Offset>>& last_offsets() const override {
        return plan_->last_offsets();
    }
    [[nodiscard]] const scan::PlacesByType& repeats() const override { return plan_->repeats(); }
    [[nodiscard]] const scan::PlacesByType& invalid() const override { return plan_->invalid(); }
    [[nodiscard]] std::optional<event::ColumnType> declared_type(std::string_view event_type,
                                                                 std::string_view key) const override {
        return plan_->declared_type(event_type, key);
    }
    std::shared_ptr<const scan::TimedRows> rows(const std::optional<std::vector<std::string>>& types,
                                                const event::Schema& schema) const override;
    /// Not counted.
    [[nodiscard]] std::shared_ptr<const duck::RowSource>
    dead_letters(const std::vector<std::string>& types_without_table) const override {
        return plan_->dead_letters(types_without_table);
    }

private:
    std::shared_ptr<const scan::Plan> plan_;
    std::shared_ptr<std::atomic<std::int64_t>> count_; ///< Shared with the sources, which connections may hold longer.
    std::function<void(std::int64_t read)> on_rows_;
};

} // namespace questlog::batch
