#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "event/census.h"
#include "event/field_rules.h"
#include "log/event_log.h"
#include "scan/column_names.h"
#include "scan/repeats.h"
#include "scan/table.h"
#include "scan/time_span.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A log range planned in one pass (CRC, full JSON validation, event type, schema, an 8-byte reference an event), then
/// read as typed rows. What the batch layer lands and what SQL reads of the tail both come out of here.
namespace questlog::scan {

/// Of one part of a range, what is not read as events of its type.
struct SetAside {
    std::vector<OffsetSpan> repeats; ///< Passed over.
    /// Dead letters for what they are, each reason once, by its first place.
    std::vector<std::pair<std::string, std::vector<OffsetSpan>>> invalid;
    auto operator<=>(const SetAside&) const = default;
};

struct PlanOptions {
    /// Only these types' events are kept for reading (all are counted). Empty: every type is kept.
    std::vector<std::string> keep_types;
    bool keep_all = true;
    /// Likewise what is no event, or of a type beyond limits::event_types_max.
    bool keep_dead_letters = false;
    /// Which of a partition's records with ids, all of them in order, repeat an earlier one: those are passed over.
    /// Asked where there are any. Empty: no record repeats another.
    std::function<Result<std::vector<OffsetSpan>>(const PartitionRange&, const std::vector<event::IdSighting>&)>
        find_repeats{};
    /// Events that are not as their type's fields are declared are dead letters. Null: all are as they should be.
    std::shared_ptr<const event::FieldRules> rules{};
    /// What these two would say, by the range's parts, where that is known; `rules` then tell types of columns alone.
    std::vector<SetAside> known{};
    /// Called now and then with events planned so far and in all (for progress). May be empty.
    std::function<void(std::int64_t done, std::int64_t total)> progress;
    static constexpr std::int64_t progress_events = 65'536; ///< How often: about 100 times a second.
};

/// How many events of the range met which fate in the plan.
struct PlanTally {
    std::int64_t events = 0; ///< All in the range.
    std::int64_t kept = 0;   ///< Of a kept type.
    std::int64_t other_types = 0;
    std::int64_t not_events = 0; ///< No JSON object or no string event_type: dead letters.
    /// Where dead letters are kept: events of a type beyond limits::event_types_max. Else these are kept or not as any.
    std::int64_t beyond_types = 0;
    std::int64_t repeats = 0; ///< Passed over, whatever their types.
    std::int64_t invalid = 0; ///< Not as declared: dead letters, whatever their types.
    auto operator<=>(const PlanTally&) const = default;
};

/// Records by their type (empty: they are no events), in the order of rows.
using PlacesByType = std::map<std::string, std::vector<std::pair<Partition, Offset>>, std::less<>>;

/// Immutable once made; any number of threads may read rows from it. Reads the log again for the rows themselves.
class Plan {
public:
    static Result<std::shared_ptr<const Plan>> make(log::LogReader& reader, const LogRange& range,
                                                    const PlanOptions& options);
    virtual ~Plan() = default;

    [[nodiscard]] virtual const LogRange& range() const = 0;
    [[nodiscard]] virtual const PlanTally& tally() const = 0;
    /// The merged schema of the events of `types` (nullopt: of all kept), without timestamp. Beyond
    /// limits::columns_max the columns of the types first seen are kept and the others' values are rescued.
    [[nodiscard]] virtual event::Schema schema(const std::optional<std::vector<std::string>>& types) const = 0;
    /// The keys of schema(types) in the order in which they first appear in the range.
    [[nodiscard]] virtual std::vector<std::string> keys(const std::optional<std::vector<std::string>>& types) const = 0;
    [[nodiscard]] virtual std::int64_t events(const std::optional<std::vector<std::string>>& types) const = 0;
    /// The names of the kept types that have events, in order of their first event; those asked for by name first.
    [[nodiscard]] virtual std::vector<std::string> types() const = 0;
    /// What was found, or known, by the range's parts.
    [[nodiscard]] virtual const std::vector<SetAside>& set_aside() const = 0;
    /// Of each of the range's parts the last record's, of whatever fate. nullopt: it has none.
    [[nodiscard]] virtual const std::vector<std::optional<Offset>>& last_offsets() const = 0;
    [[nodiscard]] virtual const PlacesByType& repeats() const = 0;
    [[nodiscard]] virtual const PlacesByType& invalid() const = 0;
    /// What PlanOptions::rules declare the key as.
    [[nodiscard]] virtual std::optional<event::ColumnType> declared_type(std::string_view event_type,
                                                                         std::string_view key) const = 0;

    /// Rows of the kept events of `types`, in offset order within each partition, partitions one after the other.
    /// Columns: `_offset` bigint, `_partition` bigint, `timestamp` (the log's; as Spark's cast to string writes it, in
    /// UTC), `_timestamp` (the same as timestamptz), then one per column of `schema`, by key. `schema` is no narrower
    /// than schema(types), unless it has event::rescued_data_key, which then has what does not fit. The log reader must
    /// outlive the source, which keeps the plan.
    virtual std::shared_ptr<const TimedRows> rows(const std::optional<std::vector<std::string>>& types,
                                                  const event::Schema& schema) const = 0;
    /// The kept dead letters, and the events of kept types that have no table, in the same order: `_offset` bigint,
    /// `_partition` bigint, `_timestamp` timestamptz, `reason` varchar, `value` blob: the bytes as they lie in the log.
    [[nodiscard]] virtual std::shared_ptr<const duck::RowSource>
    dead_letters(const std::vector<std::string>& types_without_table) const = 0;
};

/// A declared table over a plan, as SQL.
struct Relation {
    std::string select; ///< SELECT with the table's columns, in their order; may stand as a subquery.
    std::vector<std::pair<std::string, duck::ValueType>> columns; ///< Bytewise by name; `timestamp` among them.
    std::string input; ///< Name of the offered source under it: count(*) of it is what `where` looked at.
    std::shared_ptr<const TimedRows> rows; ///< That source.
    std::vector<NamedKey> renamed;         ///< Keys that could not name their column as they are (column_names.h).
    std::vector<NamedKey> replaced;        ///< Keys whose column `set` replaced.
    std::vector<std::string> nulls; ///< Columns in which no event has a value, sorted: they have no type of their own.
    std::vector<std::string> read_as; ///< "column as a number" where `set` or `where` may find values that are none.
    /// Why the whole log would name columns otherwise than the landed files do, as a clause; empty: it would not.
    std::string obstacle;
    event::Schema input_columns; ///< Of the source, by key and type: c0, c1 ... in `select`, after its fixed columns.
};

/// Offers the plan's rows on `connection` under a fresh name and returns the table's SELECT over them: `set`, `where`,
/// columns in bytewise order with `timestamp` as a string; every column is a boolean, bigint, double or varchar.
/// `landed`: the columns of landed files: each that came from events is there, at a type no narrower, and its key has
/// no other name, so that both sides of a union agree; what `set` makes has its expression's type. `set` and `where`
/// read a column by its name in any case, or by its key where that could not name it; what no event has is NULL to
/// them.
Result<Relation> relate(duck::Connection& connection, const Plan& plan, const TableDeclaration& table,
                        const std::vector<LandedColumn>& landed = {});

/// The same table for Spark 3.5: `select` is in its SQL, for ANSI mode, over a view of that name with `timestamp` and
/// the columns c0, c1 ... as input_columns has them. No rows are offered anywhere.
[[nodiscard]] Relation relate_for_spark(const Plan& plan, const TableDeclaration& table, const std::string& view);

/// The whole log as it is: topic varchar, partition bigint, offset bigint, timestamp timestamptz, event_type varchar,
/// value varchar. Needs no plan. Each partition in order, one after the other. event_type is NULL where the value tells
/// none; bytes of the value that are not UTF-8 show as U+FFFD. The readers must outlive the source.
struct TopicRange {
    log::LogReader* reader = nullptr;
    LogRange range;
};
std::shared_ptr<const TimedRows> events_source(const std::vector<TopicRange>& topics);

/// Milliseconds as Spark's cast(timestamp as string) writes them in UTC: "2026-11-22 21:58:53.873", trailing zeros of
/// the fraction and the point with them left out.
[[nodiscard]] std::string spark_timestamp(TimestampMs timestamp);

} // namespace questlog::scan
