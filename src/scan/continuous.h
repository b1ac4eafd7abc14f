#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "scan/column_names.h"
#include "scan/plan.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// A continuous table over a plan: the events of one type as they are, each key in a column of its own. Landing and the
/// tail that SQL reads both come out of here. docs/formats/lake.md.
namespace questlog::scan {

/// Beside the events' own columns, after them, in this order.
inline constexpr std::string_view continuous_row_columns[] = {"_rescued_data", "_timestamp", "_partition", "_offset"};

/// `pinned`, as they are, then one for each further key of the type's events that has a value somewhere, in order of
/// first appearance, of its declared type or else of that of its values; at most limits::columns_max in all. A
/// column's name and type never change once it is pinned: what
/// does not fit is rescued.
[[nodiscard]] std::vector<LandedColumn> continuous_columns(const Plan& plan, const std::string& event_type,
                                                           std::vector<LandedColumn> pinned);

/// Which of the pinned columns are of integers, while the plan has fractions for them: those values are rescued. Names,
/// sorted.
[[nodiscard]] std::vector<std::string> integers_that_meet_fractions(const Plan& plan, const std::string& event_type,
                                                                    const std::vector<LandedColumn>& pinned);

/// Which table each of the plan's types has.
struct TypesByTable {
    std::vector<std::pair<std::string, std::string>> tables; ///< Name and type, in order of the types' first events.
    std::vector<std::string>
        without_table; ///< Types beyond limits::continuous_tables_max: their events are dead letters.
};
/// `known` are the tables there are; a type that has none among them gets one as long as there are not too many.
[[nodiscard]] TypesByTable types_by_table(const Plan& plan, const std::set<std::string, std::less<>>& known);

/// The table in whose books events of a type are that are landed nowhere: its own, whether it is there or not, and
/// dead_letters for what has none.
[[nodiscard]] std::string books_of(std::string_view event_type);

struct ContinuousRelation {
    std::string select;                    ///< SELECT of `columns`, then continuous_row_columns.
    std::string input;                     ///< Name of the offered source under it.
    std::shared_ptr<const TimedRows> rows; ///< That source.
};

/// Offers the rows of the plan's events of the type on `connection` under a fresh name and returns the table's SELECT
/// over them. Every event is a row, whatever it holds: `_rescued_data` has, as a JSON object, what fits no column.
Result<ContinuousRelation> relate_continuous(duck::Connection& connection, const Plan& plan,
                                             const std::string& event_type, const std::vector<LandedColumn>& columns);

} // namespace questlog::scan
