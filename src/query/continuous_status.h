#pragma once

#include "base/result.h"
#include "log/event_log.h"
#include "query/world.h"
#include "scan/table.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace questlog::query {

/// A column of integers for which events have fractions, and what makes it one of doubles.
struct IntegersWithFractions {
    enum class Cure : std::uint8_t {
        declare, ///< The key as a double, and then a rebuild.
        rebuild, ///< It is declared so by now.
        none,    ///< The key has a name that no declaration may have.
    };
    std::string column;
    std::string key; ///< The events'.
    Cure cure = Cure::declare;
};

/// A continuous table, and where every event of the topic is that is its: the sums of its rows in the ledger.
struct ContinuousStatus {
    std::string name;
    std::size_t files = 0;
    std::int64_t bytes = 0; ///< Of the files.
    std::int64_t accepted = 0;
    std::int64_t landed = 0;
    std::int64_t pending = 0;
    std::int64_t dead_lettered = 0;
    std::int64_t duplicates = 0;
    bool balanced = true;
    std::string event_type;
    std::vector<IntegersWithFractions> fractions;
    std::string problem; ///< Why nothing more is landed in it; empty: none.

    [[nodiscard]] bool sound() const { return balanced && problem.empty(); }
};

/// Those of World::topic, of which `log` is, with all that is in `range`. Reads the log after what is landed.
Result<std::vector<ContinuousStatus>> continuous_status(const World& world, log::LogReader& log,
                                                        const scan::LogRange& range);

/// The lines of `questlog status`; empty where there is none.
[[nodiscard]] std::string continuous_text(const std::vector<ContinuousStatus>& tables);
/// An array of objects.
[[nodiscard]] std::string continuous_json(const std::vector<ContinuousStatus>& tables);

} // namespace questlog::query
