#pragma once

#include "base/result.h"
#include "batch/lander.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace questlog::batch {

struct RebuildOptions {
    bool force = false;                               ///< Also where the log does not have all that the table has.
    std::shared_ptr<const event::FieldRules> rules{}; ///< What its columns are to be. Null: as the events are.
    std::chrono::milliseconds lock_wait{10'000};      ///< For a cut that another process is landing.
    std::function<void(std::int64_t done, std::int64_t total)> progress; ///< Events of the log. May be empty.
    /// The topic whose log it is, for messages; empty: there is none here. May be empty itself.
    std::function<std::string(const std::string& log_id)> topic_of{};
};

struct RebuildReport {
    std::int64_t cuts = 0;
    std::int64_t rows = 0;
    std::int64_t expired = 0;                 ///< Events of the topic that were landed and that the log no longer has.
    std::vector<lake::RowsOfLog> of_others{}; ///< What the old table had of other logs, and the new one has not.
};

/// Makes a continuous table anew from the log: every cut that is landed is landed again, in its order, in a table
/// beside it, which then takes the place of the old one in one step, while queries run. Its columns are those that the
/// cuts give it, in files of their own names. What was stopped goes on from there. Nothing is landed in the topic
/// meanwhile. `reject` where the log does not have all that the table has, without RebuildOptions::force, and for a
/// table that no event of the log belongs to; `corrupt` where the log is not the one that was landed; `retry_later`
/// when another process lands. After an error the table is as it was, but for one in the last step, which says so.
Result<RebuildReport> rebuild(const LandingWorld& world, const std::string& table, const RebuildOptions& options);

/// "2 rows of log X (topic raids) and rows of log Y"; `topic_of` is RebuildOptions::topic_of.
[[nodiscard]] std::string other_logs_text(const std::vector<lake::RowsOfLog>& others,
                                          const std::function<std::string(const std::string& log_id)>& topic_of);

} // namespace questlog::batch
