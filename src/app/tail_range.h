#pragma once

#include "base/result.h"
#include "base/strong.h"

#include <optional>
#include <string>
#include <vector>

namespace questlog::app {

/// What the -o options of `tail` say together, as kcat's do.
struct TailRange {
    std::string place = "beginning";  ///< "beginning", "end", an offset, or "-N"; not looked at where `since` is set.
    std::optional<TimestampMs> since; ///< The first event at or after it.
    std::optional<TimestampMs> until; ///< Ends a partition at the first event at or after it, which is not shown.

    /// `reject` names the option that is wrong; the last of a kind counts.
    static Result<TailRange> parse(const std::vector<std::string>& options);
    /// Where `place` is, in a partition that holds [start, end).
    [[nodiscard]] Offset first_offset(Offset start, Offset end) const;
};

} // namespace questlog::app
