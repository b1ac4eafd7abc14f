#include "scan/plan.h"

#include "base/limits.h"
#include "event/row_decoder.h"
#include "log/record_batch.h"
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

    [[nodiscard]] const RepeatsByType& repeats() const override { return data_->repeats; }

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

/// What a pass over a range passes over, by part.
using Repeats = std::vector<std::vector<OffsetSpan>>;

/// One pass over a range.
class Planner {
public:
    Planner(log::LogReader& reader, const LogRange& range, const PlanOptions& options, const Repeats& repeats)
        : options_(options), repeats_(repeats), sightings_(range.size()) {
        data_->reader = &reader;
        data_->range = range;
        for (const PartitionRange& part : range) total_ += part.to.minus(part.from);
        for (const std::string& type : options.keep_types) {
            census_.expect(type);
            kept_.resize(census_.type_count(), true);
        }
        references_.resize(kept_.size());
    }

    Result<std::shared_ptr<const PlanData>> run() {
        for (std::size_t i = 0; i < data_->range.size(); ++i)
            if (data_->range[i].from < data_->range[i].to) CHECK_OK(plan_partition(i));
        report();
        finish();
        return std::shared_ptr<const PlanData>(data_);
    }

    /// After run(): whether records with ids repeat earlier ones, which this pass did not know.
    Result<bool> find_repeats(Repeats& found) const {
        bool any = false;
        if (!options_.find_repeats) return any;
        found.resize(data_->range.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
            if (sightings_[i].empty()) continue;
            TRY(spans, options_.find_repeats(data_->range[i], sightings_[i]));
            any = any || !spans.empty();
            found[i] = std::move(spans);
        }
        return any;
    }

private:
    Status plan_partition(std::size_t index) {
        const PartitionRange& part = data_->range[index];
        TRY(cursor, data_->reader->partition(part.partition).read(part.from, part.to));
        previous_time_ = earliest_time;
        next_repeat_ = 0;
        log::Batch batch;
        for (;;) {
            TRY(more, cursor->next(batch));
            if (!more) return {};
            CHECK_OK(plan_batch(batch, part, static_cast<std::uint32_t>(index)));
        }
    }

    Status plan_batch(const log::Batch& batch, const PartitionRange& part, std::uint32_t range) {
        const std::size_t number = data_->batches.size();
        if (number > UINT32_MAX) return internal("the range has too many batches to plan at once");
        const bool single = batch.header.record_count == 1 && batch.header.last_offset_delta == 0;
        bool keeps = false;
        log::RecordCursor records(batch.header, batch.records);
        log::Record record;
        for (;;) {
            const std::uint32_t position = records.position();
            TRY(more, records.next(record));
            if (!more) break;
            if (record.offset < part.from || record.offset >= part.to) continue;
            if (record.timestamp < previous_time_ || record.timestamp > latest_time) data_->is_in_order = false;
            previous_time_ = record.timestamp;
            if (is_repeat(record, range)) {
                pass_over(record, part.partition);
                continue;
            }
            if (event::MessageHash id; options_.find_repeats && has_message_id(record, id))
                sightings_[range].push_back({id, record.offset, record.timestamp});
            if (plan_event(record.value, Reference::of(static_cast<std::uint32_t>(number), position))) keeps = true;
        }
        if (keeps)
            data_->batches.push_back({batch.header.base_offset, batch.header.base_timestamp, batch.records_at,
                                      batch.segment, range & 0x3fffffffU, batch.header.codec != log::Codec::none,
                                      single});
        return {};
    }

    bool is_repeat(const log::Record& record, std::size_t range) {
        if (range >= repeats_.size()) return false;
        const std::vector<OffsetSpan>& spans = repeats_[range];
        while (next_repeat_ < spans.size() && spans[next_repeat_].to <= record.offset) ++next_repeat_;
        return next_repeat_ < spans.size() && spans[next_repeat_].from <= record.offset;
    }

    void pass_over(const log::Record& record, Partition partition) {
        if (++data_->tally.events % PlanOptions::progress_events == 0) report();
        ++data_->tally.repeats;
        if (!event::event_type_of(record.value, type_)) type_.clear();
        data_->repeats[type_].emplace_back(partition, record.offset);
    }

    /// True if it is kept.
    bool plan_event(std::string_view value, Reference reference) {
        PlanTally& tally = data_->tally;
        if (++tally.events % PlanOptions::progress_events == 0) report();
        const event::Census::TypeId id = census_.observe(value);
        if (id == event::Census::not_an_event) {
            ++tally.not_events;
            return keep_dead_letter(reference);
        }
        if (id == event::Census::further_types && options_.keep_dead_letters) {
            ++tally.beyond_types;
            return keep_dead_letter(reference);
        }
        if (id >= kept_.size()) {
            kept_.resize(id + std::size_t{1}, options_.keep_all);
            references_.resize(kept_.size());
        }
        if (!kept_[id]) {
            ++tally.other_types;
            return false;
        }
        ++tally.kept;
        references_[id].push_back(reference);
        return true;
    }

    bool keep_dead_letter(Reference reference) {
        if (options_.keep_dead_letters) data_->dead_letters.push_back(reference);
        return options_.keep_dead_letters;
    }

    void report() const {
        if (options_.progress) options_.progress(data_->tally.events, total_);
    }

    /// The census ends with the pass; what the rows need of it is taken over.
    void finish() {
        for (std::size_t i = 0; i < kept_.size(); ++i) {
            if (!kept_[i]) continue;
            const auto id = static_cast<event::Census::TypeId>(i);
            if (id == event::Census::further_types && options_.keep_dead_letters) continue;
            if (id != event::Census::further_types)
                data_->type_by_name.emplace(census_.type_name(id), data_->types.size());
            PlannedType& type = data_->types.emplace_back();
            type.schema = census_.schema(id);
            type.keys = census_.keys(id);
            type.events = census_.events(id);
            type.references.swap(references_[i]);
        }
    }

    const PlanOptions& options_;
    const Repeats& repeats_;
    std::vector<std::vector<event::IdSighting>> sightings_; ///< By part of the range; where they are asked for.
    std::shared_ptr<PlanData> data_ = std::make_shared<PlanData>();
    event::Census census_;
    std::vector<bool> kept_;               ///< By type id.
    std::deque<ReferenceList> references_; ///< By type id.
    std::int64_t total_ = 0;
    TimestampMs previous_time_;   ///< In the present partition.
    std::size_t next_repeat_ = 0; ///< Likewise, of its spans.
    std::string type_;
};

} // namespace

Result<std::shared_ptr<const Plan>> Plan::make(log::LogReader& reader, const LogRange& range,
                                               const PlanOptions& options) {
    Repeats found;
    TRY(data, [&]() -> Result<std::shared_ptr<const PlanData>> {
        Planner planner(reader, range, options, options.known_repeats);
        TRY(planned, planner.run());
        TRY(repeats, planner.find_repeats(found));
        return repeats ? nullptr : std::move(planned);
    }());
    // What repeats must leave no trace in schemas either. That is seldom, and worth a second pass then.
    if (data == nullptr) {
        PlanOptions knowing = options;
        knowing.find_repeats = nullptr;
        TRY(planned, Planner(reader, range, knowing, found).run());
        data = std::move(planned);
    }
    return std::shared_ptr<const Plan>(std::make_shared<PlanOfRange>(std::move(data)));
}

} // namespace questlog::scan
