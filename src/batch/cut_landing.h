#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "lake/continuous_table.h"
#include "lake/landing_records.h"
#include "log/event_log.h"
#include "scan/plan.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// One cut, planned in one pass over its stretch of the log and landed table by table. For lander.cpp.
namespace questlog::batch {

/// The tables that a lander knows.
struct KnownTables {
    std::set<std::string, std::less<>> names;                         ///< All that there are.
    std::map<std::string, lake::ContinuousTable, std::less<>> opened; ///< As it saw them last.
    std::shared_ptr<const event::FieldRules> rules; ///< What the events of cuts to come are to be; null: anything.
};

/// What of a cut goes to one table.
struct TablePart {
    std::string name;
    lake::ContinuousSubject subject;
    std::int64_t events = 0;  ///< 0: nothing is landed.
    std::int64_t repeats = 0; ///< Of its type: they are passed over.
    std::int64_t invalid = 0; ///< Likewise: they are dead letters.
};

using FindRepeats =
    std::function<Result<std::vector<OffsetSpan>>(const std::vector<event::IdSighting>& ids_of_the_cut)>;

class CutLanding {
public:
    /// Plans the cut. `cut.from` and on may have expired: it is as if these events had never been. Types that have no
    /// table among known.names get one, in order of their first events, as long as there are fewer than
    /// limits::continuous_tables_max; the others' events are dead letters. `corrupt` where the log is not the one that
    /// the cut was recorded of.
    /// `find_repeats`: of a cut that was not recorded yet, whose repeats and invalid events are found. Else those are
    /// what the cut says.
    static Result<CutLanding> plan(log::LogReader& log, Partition partition, const lake::PlannedCut& cut,
                                   const KnownTables& known, const FindRepeats& find_repeats = {});

    [[nodiscard]] const lake::PlannedCut& cut() const { return cut_; }
    [[nodiscard]] const scan::PlanTally& tally() const { return plan_->tally(); }
    /// What was found of the cut, or recorded.
    [[nodiscard]] const scan::SetAside& set_aside() const { return plan_->set_aside().front(); }
    /// The cut's last record. nullopt: it has none that the log still has.
    [[nodiscard]] std::optional<Offset> last_offset() const { return plan_->last_offsets().front(); }
    /// Those with events, in order of their first; dead letters; those without. Their events and repeats are
    /// tally().events, together.
    [[nodiscard]] const std::vector<TablePart>& parts() const { return parts_; }

    /// Lands the part in its table, once: where that has the cut already, nothing is done. True: this call did it.
    /// Durable on success. Errors as ContinuousStore::append's.
    Result<bool> land(const TablePart& part, lake::ContinuousStore& store, duck::Database& database,
                      KnownTables& known) const;

    /// Columns of the part's table that are of integers, while its events have fractions for them.
    [[nodiscard]] std::vector<std::string> fractions(const TablePart& part, const lake::ContinuousTable& table) const;

    /// What the part was landed as, in a file that has these of the table's columns.
    Result<lake::LandedPart> landed_as(duck::Connection& connection, const TablePart& part,
                                       const std::vector<lake::ContinuousColumn>& columns) const;

private:
    CutLanding() = default;
    void add_parts(const KnownTables& known);
    TablePart& part_of(const std::string& type);
    Result<lake::LandedPart> part_for(duck::Connection& connection, const TablePart& part,
                                      const lake::ContinuousTable& table) const;

    lake::PlannedCut cut_;
    lake::LogStretch stretch_;
    std::string topic_;
    std::shared_ptr<const scan::Plan> plan_;
    std::vector<TablePart> parts_;
    std::vector<std::string> without_table_; ///< Types.
};

} // namespace questlog::batch
