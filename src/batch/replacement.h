#pragma once

#include "base/result.h"
#include "lake/snapshot.h"

#include <optional>
#include <string>

/// Whether a job may replace a table's present generation: nothing that cannot be made again may get lost. Pure.
namespace questlog::batch {

/// The log as the job is about to land it.
struct LogSpan {
    std::string log_id;
    std::string topic;
    std::vector<lake::LandedRange> ranges;
    std::vector<lake::LandedRange> lost; ///< What repairs of the log gave up.

    /// How many events the log holds of `within`.
    [[nodiscard]] std::int64_t events_of(const std::vector<lake::LandedRange>& within) const;
};

/// What replacing a table's generation loses, as a clause; nullopt: nothing.
using Loss = std::optional<std::string>;

/// Something where `old` has rows and the log is another one, no longer begins where the old generation began, ends
/// before it ended, or was repaired since and has lost events that the old generation looked at.
[[nodiscard]] Loss loss_of(const lake::SnapshotFacts& old, const LogSpan& log);

/// The same for a generation too damaged to say what it held: only a log that still begins at its first event has it
/// all.
[[nodiscard]] Loss loss_of_damaged(const Error& damage, const LogSpan& log);

/// `reject`: the table is left as it is, because of the loss.
Status may_replace(const std::string& path, const Loss& loss);

} // namespace questlog::batch
