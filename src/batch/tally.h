#pragma once

#include "base/result.h"
#include "scan/plan.h"

#include <array>
#include <cstdint>

/// The books of one output: every record of the range has exactly one fate. Pure.
namespace questlog::batch {

enum class Fate : std::uint8_t {
    landed,        ///< A row of the table.
    filtered,      ///< An event that is not of the table.
    dead_lettered, ///< No event: not a JSON object, or without a string `event_type`.
};

class Tally {
public:
    void add(Fate fate, std::int64_t records) { records_[static_cast<std::size_t>(fate)] += records; }
    [[nodiscard]] std::int64_t of(Fate fate) const { return records_[static_cast<std::size_t>(fate)]; }
    [[nodiscard]] std::int64_t total() const;

private:
    std::array<std::int64_t, 3> records_{};
};

/// What was counted of one output, each figure at another place.
struct Counts {
    std::int64_t in_range = 0;   ///< Events of the captured range, by the log.
    scan::PlanTally plan;        ///< What the plan saw there.
    std::int64_t candidates = 0; ///< Events of the output's types, by the plan.
    std::int64_t read = 0;       ///< Rows that the scan handed out while the table was written.
    std::int64_t landed = 0;     ///< Rows in the Parquet file, by its footer.
};

/// The fates of the range's records, or an `internal` error that names the two figures that contradict each other.
Result<Tally> balance(const Counts& counts);

} // namespace questlog::batch
