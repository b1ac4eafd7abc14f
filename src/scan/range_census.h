#pragma once

#include "scan/plan.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// What another engine saw of a log range, for tables whose rows that engine makes.
namespace questlog::scan {

/// The keys of one event type, over all its events of the range.
struct TypeCensus {
    struct Key {
        std::string key;
        event::ColumnType type = event::ColumnType::null;
        std::uint64_t appeared = 0; ///< Orders the keys of all types by first appearance; all different.
    };
    std::string name;
    std::int64_t events = 0;
    std::vector<Key> keys; ///< All of them, by first appearance.
};

struct RangeCensus {
    std::int64_t events = 0; ///< All in the range.
    std::int64_t not_events = 0;
    std::int64_t other_types = 0;  ///< Events of types that were not asked for.
    std::vector<TypeCensus> types; ///< Those asked for, or all, by their first event.
};

/// A plan that knows columns and counts as Plan::make would for the same events, and has no rows to hand out.
/// `asked_for`: PlanOptions::keep_types; empty: all were.
[[nodiscard]] std::shared_ptr<const Plan> plan_of_census(const LogRange& range, RangeCensus census,
                                                         const std::vector<std::string>& asked_for);

} // namespace questlog::scan
