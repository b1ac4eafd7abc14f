#include "base/limits.h"
#include "event/row_decoder.h"
#include "log/record_batch.h"
#include "scan/plan_data.h"
#include "scan/set_aside.h"

#include <algorithm>

namespace questlog::scan {
namespace {

/// One pass over a range, which knows what is set aside in it, or looks for that.
class Planner {
public:
    Planner(log::LogReader& reader, const LogRange& range, const PlanOptions& options,
            const std::vector<SetAside>& known)
        : options_(options), looks_(known.empty()), found_(range.size()), sightings_(range.size()) {
        data_->reader = &reader;
        data_->range = range;
        data_->rules = options.rules;
        data_->set_aside = known;
        data_->set_aside.resize(range.size());
        data_->last_offsets.resize(range.size());
        if (looks_ && options.rules != nullptr && !options.rules->empty()) checker_.emplace(options.rules);
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

    /// After run(): what is to be set aside and was not. Empty: nothing.
    Result<std::vector<SetAside>> found() {
        bool any = false;
        for (std::size_t i = 0; i < found_.size() && looks_; ++i) {
            if (!sightings_[i].empty()) {
                TRY(repeats, options_.find_repeats(data_->range[i], sightings_[i]));
                found_[i].repeats = std::move(repeats);
                take_out_repeats(found_[i]);
            }
            any = any || found_[i] != SetAside{};
        }
        return any ? std::move(found_) : std::vector<SetAside>{};
    }

private:
    Status plan_partition(std::size_t index) {
        const PartitionRange& part = data_->range[index];
        TRY(cursor, data_->reader->partition(part.partition).read(part.from, part.to));
        previous_time_ = earliest_time;
        aside_ = SetAsideCursor(data_->set_aside[index]);
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
            data_->last_offsets[range] = record.offset;
            if (++data_->tally.events % PlanOptions::progress_events == 0) report();
            const Reference reference = Reference::of(static_cast<std::uint32_t>(number), position);
            const bool kept = aside_.has(record.offset) ? set_aside(record, part.partition, reference)
                                                        : plan_event(record, range, reference);
            if (kept) keeps = true;
        }
        if (keeps)
            data_->batches.push_back({batch.header.base_offset, batch.header.base_timestamp, batch.records_at,
                                      batch.segment, range & 0x3fffffffU, batch.header.codec != log::Codec::none,
                                      single});
        return {};
    }

    /// True if it is kept, as a dead letter.
    bool set_aside(const log::Record& record, Partition partition, Reference reference) {
        if (!event::event_type_of(record.value, type_)) type_.clear();
        const bool is_repeat = aside_.reason() == nullptr;
        ++(is_repeat ? data_->tally.repeats : data_->tally.invalid);
        (is_repeat ? data_->repeats : data_->invalid)[type_].emplace_back(partition, record.offset);
        return !is_repeat && keep_dead_letter(reference);
    }

    /// True if it is kept.
    bool plan_event(const log::Record& record, std::uint32_t range, Reference reference) {
        PlanTally& tally = data_->tally;
        if (event::MessageHash id; looks_ && options_.find_repeats && has_message_id(record, id))
            sightings_[range].push_back({id, record.offset, record.timestamp});
        const event::Census::TypeId id = census_.observe(record.value);
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
        if (checker_ && is_checked(id)) check(record, id, found_[range]);
        ++tally.kept;
        references_[id].push_back(reference);
        return true;
    }

    bool is_checked(event::Census::TypeId id) {
        for (std::size_t next = checked_.size(); next <= id; ++next)
            checked_.push_back(next < census_.type_count() &&
                               options_.rules->check(census_.type_name(static_cast<event::Census::TypeId>(next))));
        return checked_[id];
    }

    void check(const log::Record& record, event::Census::TypeId id, SetAside& found) {
        const std::string_view reason = checker_->why_not(census_.type_name(id), record.value);
        if (!reason.empty()) add_invalid(found, reason, record.offset);
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
    const bool looks_;
    std::vector<SetAside> found_;                           ///< By part of the range.
    std::vector<std::vector<event::IdSighting>> sightings_; ///< Likewise.
    std::optional<event::FieldChecker> checker_;
    std::shared_ptr<PlanData> data_ = std::make_shared<PlanData>();
    event::Census census_;
    std::vector<bool> kept_;               ///< By type id.
    std::vector<bool> checked_;            ///< Likewise.
    std::deque<ReferenceList> references_; ///< Likewise.
    std::int64_t total_ = 0;
    TimestampMs previous_time_; ///< In the present partition.
    SetAsideCursor aside_;      ///< Likewise.
    std::string type_;
};

} // namespace

/// What is set aside must leave no trace in schemas either. It is seldom found, and worth a second pass then.
Result<std::shared_ptr<const PlanData>> plan_range(log::LogReader& reader, const LogRange& range,
                                                   const PlanOptions& options) {
    Planner planner(reader, range, options, options.known);
    TRY(data, planner.run());
    TRY(found, planner.found());
    if (found.empty()) return data;
    return Planner(reader, range, options, found).run();
}

} // namespace questlog::scan
