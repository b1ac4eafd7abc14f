#include "scan/plan.h"

#include "base/limits.h"
#include "scan/plan_data.h"

#include <algorithm>
#include <set>

namespace questlog::scan {

std::vector<const PlannedType*> PlanData::chosen(const std::optional<std::vector<std::string>>& names) const {
    std::vector<const PlannedType*> found;
    if (!names) {
        for (const PlannedType& type : types) found.push_back(&type);
        return found;
    }
    for (const std::string& name : std::set<std::string>(names->begin(), names->end()))
        if (const auto known = type_by_name.find(name); known != type_by_name.end())
            found.push_back(&types[known->second]);
    return found;
}

namespace {

class PlanOfRange final : public Plan {
public:
    explicit PlanOfRange(std::shared_ptr<const PlanData> data) : data_(std::move(data)) {}

    [[nodiscard]] const LogRange& range() const override { return data_->range; }
    [[nodiscard]] const PlanTally& tally() const override { return data_->tally; }

    [[nodiscard]] event::Schema schema(const std::optional<std::vector<std::string>>& types) const override {
        std::map<std::string, event::ColumnType, std::less<>> merged;
        bool rescues = false;
        for (const PlannedType* type : data_->chosen(types)) {
            for (const event::Column& column : type->schema) {
                if (const auto known = merged.find(column.key); known != merged.end())
                    known->second = event::widen(known->second, column.type);
                else if (column.key == event::rescued_data_key || merged.size() >= limits::columns_max)
                    rescues = true;
                else
                    merged.emplace(column.key, column.type);
            }
        }
        if (rescues) merged.emplace(event::rescued_data_key, event::ColumnType::string);
        event::Schema schema;
        schema.reserve(merged.size());
        for (const auto& [key, type] : merged) schema.push_back({key, type});
        return schema;
    }

    [[nodiscard]] std::vector<std::string> keys(const std::optional<std::vector<std::string>>& types) const override {
        std::vector<std::pair<std::uint64_t, std::string>> all;
        for (const PlannedType* type : data_->chosen(types))
            all.insert(all.end(), type->keys.begin(), type->keys.end());
        std::sort(all.begin(), all.end());
        std::set<std::string_view> known;
        std::vector<std::string> keys;
        const event::Schema columns = schema(types);
        for (const auto& [appeared, key] : all)
            if (known.insert(key).second && event::find_column(columns, key) != nullptr) keys.push_back(key);
        if (event::find_column(columns, event::rescued_data_key) != nullptr) keys.emplace_back(event::rescued_data_key);
        return keys;
    }

    [[nodiscard]] std::int64_t events(const std::optional<std::vector<std::string>>& types) const override {
        std::int64_t sum = 0;
        for (const PlannedType* type : data_->chosen(types)) sum += type->events;
        return sum;
    }

    [[nodiscard]] std::vector<std::string> types() const override {
        std::vector<std::pair<std::size_t, std::string>> found;
        for (const auto& [name, index] : data_->type_by_name)
            if (data_->types[index].events > 0) found.emplace_back(index, name);
        std::sort(found.begin(), found.end());
        std::vector<std::string> names;
        for (auto& [index, name] : found) names.push_back(std::move(name));
        return names;
    }

    [[nodiscard]] const std::vector<SetAside>& set_aside() const override { return data_->set_aside; }
    [[nodiscard]] const std::vector<std::optional<Offset>>& last_offsets() const override {
        return data_->last_offsets;
    }
    [[nodiscard]] const PlacesByType& repeats() const override { return data_->repeats; }
    [[nodiscard]] const PlacesByType& invalid() const override { return data_->invalid; }
    [[nodiscard]] std::optional<event::ColumnType> declared_type(std::string_view event_type,
                                                                 std::string_view key) const override {
        return data_->rules ? data_->rules->type_of(event_type, key) : std::nullopt;
    }

    [[nodiscard]] std::shared_ptr<const duck::RowSource>
    dead_letters(const std::vector<std::string>& types_without_table) const override {
        return make_dead_letter_rows(data_, data_->chosen(types_without_table));
    }

    [[nodiscard]] std::shared_ptr<const TimedRows> rows(const std::optional<std::vector<std::string>>& types,
                                                        const event::Schema& schema) const override {
        return make_plan_rows(data_, data_->chosen(types), schema);
    }

private:
    std::shared_ptr<const PlanData> data_;
};

} // namespace

std::shared_ptr<const Plan> plan_over(std::shared_ptr<const PlanData> data) {
    return std::make_shared<PlanOfRange>(std::move(data));
}

Result<std::shared_ptr<const Plan>> Plan::make(log::LogReader& reader, const LogRange& range,
                                               const PlanOptions& options) {
    TRY(data, plan_range(reader, range, options));
    return plan_over(std::move(data));
}

} // namespace questlog::scan
