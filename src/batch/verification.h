#pragma once

#include "base/result.h"
#include "batch/job.h"
#include "batch/lander.h"
#include "lake/snapshot.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace questlog::batch {

/// One file of a table, made again beside it.
struct VerifiedFile {
    enum class State : std::uint8_t {
        same,         ///< Byte for byte, where the same versions wrote both; else row for row.
        different,    ///< `what` says where first.
        missing,      ///< The log has events of the table, and the table has no file of them.
        unverifiable, ///< `what` says why: the log no longer has the events, say.
    };
    State state = State::same;
    std::string table;
    std::string file;                      ///< In the table's folder; empty: missing, or the table cannot be opened.
    std::vector<lake::LandedRange> ranges; ///< Of the log, that it was made of.
    std::int64_t rows = 0;
    std::string what;
};

struct VerifyOptions {
    std::optional<std::string> table;                                    ///< nullopt: all.
    std::string writer;                                                  ///< PlannedCut::writer of this program.
    std::function<Status(const VerifiedFile&)> on_file;                  ///< An error ends the run.
    std::function<void(std::int64_t done, std::int64_t total)> progress; ///< Events. May be empty.
};

struct VerifyReport {
    std::int64_t same = 0;
    std::int64_t different = 0; ///< The missing among them.
    std::int64_t unverifiable = 0;
    std::int64_t rows = 0; ///< Of the files that are the same.

    /// Counts the file, and hands it on.
    Status tell(const VerifiedFile& file, const VerifyOptions& options);
};

/// Lands every recorded cut of the topic again, into a scratch folder, and compares with what the tables have. Takes no
/// lock and changes nothing; what is landed meanwhile is left out. `reject` for a table that is not there; `corrupt`
/// where the log is not the one that was landed.
Result<VerifyReport> verify(const LandingWorld& world, const VerifyOptions& options);

/// What declared tables are verified with. All of it outlives the call.
struct DeclaredWorld {
    io::Env env;
    log::LogReader& log; ///< Of the jobs' topic.
    lake::SnapshotStore& lake;
    duck::Database& database; ///< As BatchWorld's.
};

/// Runs the outputs' jobs again over the ranges that their present generations were made of, into a scratch folder, and
/// compares: bytes, where DuckDB of the same version wrote both, else rows. Adds to `report`. Takes no lock and changes
/// nothing. A table that no job has written yet is passed over.
Status verify_declared(const DeclaredWorld& world, const std::vector<JobOutput>& outputs, const VerifyOptions& options,
                       VerifyReport& report);

} // namespace questlog::batch
