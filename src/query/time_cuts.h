#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "scan/time_span.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Where to cut the log's time for one statement. Only a proposal: which parts are read, DuckDB's optimizer decides, so
/// a cut too many or too few costs time and never a row. docs/decisions/0012-time-ranges.md.
namespace questlog::query {

namespace limits {
inline constexpr std::size_t time_cuts_max = 16; ///< Of one statement; the others cut nothing.
/// Of a view. One with more stays whole: the optimizer looks at each, at every mention.
inline constexpr std::size_t time_parts_max = 512;
} // namespace limits

struct TimeCuts {
    std::vector<scan::TimeCut> timestamps; ///< Constants of TIMESTAMP WITH TIME ZONE.
    std::vector<scan::TimeCut> texts;      ///< Texts that begin as a time does.
};

/// Of the constants in the plan that DuckDB makes for `select`, a statement that only reads and whose tables are there.
/// None where it makes no plan (DESCRIBE, SHOW).
Result<TimeCuts> find_time_cuts(duck::Connection& connection, const std::string& select);

/// A quoted constant of a plan's text: 'moe', '2026-11-25 10:00:00+00'::TIMESTAMP WITH TIME ZONE.
struct PlanConstant {
    std::string text;
    std::string type; ///< Empty: a text.
    auto operator<=>(const PlanConstant&) const = default;
};
[[nodiscard]] std::vector<PlanConstant> constants_in(std::string_view plan);

} // namespace questlog::query
