#pragma once

#include "base/strong.h"
#include "log/event_log.h"
#include "scan/plan.h"
#include "scan/reference_list.h"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What a plan remembers of its range. Not for other folders.
namespace questlog::scan {

/// A batch that holds kept events: all that fetching a record of it needs.
struct PlannedBatch {
    Offset base_offset;
    TimestampMs base_timestamp;
    std::int64_t records_at = 0;
    std::int32_t segment = 0;
    std::uint32_t range : 30 = 0;           ///< Index into the plan's ranges: which partition.
    std::uint32_t is_compressed : 1 = 0;    ///< Then references hold positions among its decompressed records.
    std::uint32_t is_single_record : 1 = 0; ///< Then its event's offset is base_offset.

    [[nodiscard]] log::BatchAddress address() const {
        return {segment, is_compressed != 0, records_at, base_offset, base_timestamp};
    }
};
static_assert(sizeof(PlannedBatch) == 32);

struct PlannedType {
    event::Schema schema;
    std::vector<std::pair<std::uint64_t, std::string>> keys; ///< event::Census::keys()
    std::int64_t events = 0;
    ReferenceList references;
};

struct PlanData {
    log::LogReader* reader = nullptr;
    LogRange range;
    PlanTally tally;
    bool is_in_order =
        true; ///< In each partition time never goes back, and it keeps between earliest_time and latest_time.
    std::deque<PlannedBatch> batches;
    /// The kept ones, in order of their first event; those asked for by name stand first.
    std::deque<PlannedType> types;
    std::map<std::string, std::size_t, std::less<>> type_by_name;
    ReferenceList dead_letters;
    std::vector<SetAside> set_aside;                 ///< By part of the range.
    std::vector<std::optional<Offset>> last_offsets; ///< Likewise.
    PlacesByType repeats;
    PlacesByType invalid;
    std::shared_ptr<const event::FieldRules> rules;

    /// The kept types among `types`, each once, in order of `types`; nullopt: all.
    [[nodiscard]] std::vector<const PlannedType*> chosen(const std::optional<std::vector<std::string>>& names) const;
};

[[nodiscard]] std::shared_ptr<const Plan> plan_over(std::shared_ptr<const PlanData> data);

/// Reads the range: see Plan::make.
Result<std::shared_ptr<const PlanData>> plan_range(log::LogReader& reader, const LogRange& range,
                                                   const PlanOptions& options);

/// Rows of the events of `chosen` types: see Plan::rows. `data` is kept.
std::shared_ptr<const TimedRows> make_plan_rows(std::shared_ptr<const PlanData> data,
                                                const std::vector<const PlannedType*>& chosen,
                                                const event::Schema& schema);

/// Where the columns of `schema` begin among those of make_plan_rows().
inline constexpr std::size_t plan_rows_fixed_columns = 4;

/// Rows of the dead letters and of the events of `chosen` types: see Plan::dead_letters. `data` is kept.
std::shared_ptr<const duck::RowSource> make_dead_letter_rows(std::shared_ptr<const PlanData> data,
                                                             const std::vector<const PlannedType*>& chosen);

/// The records of a plan, fetched again by their references. One thread; memory as RecordFetcher's, a partition.
class PlannedRecords {
public:
    explicit PlannedRecords(const PlanData& data) : data_(data), fetchers_(data.range.size()) {}

    [[nodiscard]] const PlannedBatch& batch_of(Reference reference) const { return data_.batches[reference.batch()]; }
    [[nodiscard]] Partition partition_of(const PlannedBatch& batch) const { return data_.range[batch.range].partition; }
    /// Valid until the next call.
    Result<log::Record> fetch(Reference reference);

private:
    const PlanData& data_;
    std::vector<std::unique_ptr<log::RecordFetcher>> fetchers_; ///< By range; made when first needed.
};

[[nodiscard]] duck::ValueType value_type(event::ColumnType type);

} // namespace questlog::scan
