#pragma once

#include "base/result.h"
#include "batch/engine.h"
#include "batch/job.h"
#include "batch/tally.h"
#include "duck/duck.h"
#include "lake/snapshot.h"
#include "log/event_log.h"
#include "scan/plan.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The batch layer: the whole log, from its first event to its last, into snapshot tables.
namespace questlog::batch {

/// What a job runs on. All of it outlives the run.
struct BatchWorld {
    log::LogReader& log; ///< Of the job's topic.
    lake::SnapshotStore& lake;
    duck::Database& database; ///< Opened with threads = 1: with more, a run's bytes are not those of the next.
    Engine* engine = nullptr; ///< Who reads the log and writes the files; null: this process.
};

struct RunOptions {
    /// True: tables are replaced although the log no longer has all that they hold, or questlog did not write them.
    bool force = false;
    std::int64_t preview_rows =
        20; ///< on_preview gets one more where there is one, so that "only showing" can be told.
};

struct Progress {
    enum class Step : std::uint8_t { planning, writing };
    Step step = Step::planning;
    std::string table;     ///< While writing.
    std::int64_t done = 0; ///< Of `unit`.
    std::int64_t total = 0;
    const char* unit = "events"; ///< Or "tasks", of an engine.
};

/// What the run tells while it goes on, in the order of the job's outputs, on the caller's thread (on_progress also on
/// the one that reads). Any may be empty. An error that one returns ends the run.
struct JobEvents {
    std::function<Status(const JobOutput&, const scan::Relation&)> on_schema;
    std::function<Status(const JobOutput&, duck::Rows&)> on_preview; ///< The table's columns as they are landed.
    std::function<void(const Progress&)> on_progress;
};

struct OutputReport {
    std::string table;
    std::string path;       ///< Empty: nothing is written, and there is no tally.
    std::string file;       ///< In the table's folder; the first one where there are several.
    std::int64_t bytes = 0; ///< Of all its files.
    std::optional<Tally> tally;
    std::vector<scan::NamedKey> renamed; ///< scan::Relation's.
    std::vector<std::string> read_as;    ///< scan::Relation's.
    std::string mended;                  ///< What was damaged of the table that this one replaced; empty: nothing.
    std::string given_up;                ///< What was lost with that one, by RunOptions::force; empty: nothing.
    std::optional<Error> failure;        ///< Why the output was not made; the table is as it was.
};

struct JobReport {
    std::string job;
    scan::LogRange range;
    scan::PlanTally events;
    std::vector<OutputReport> outputs; ///< The job's, in order, those that failed among them.

    /// An error if an output failed: of a job that made none, of the kind of the first failure; else `internal`, naming
    /// each table that was not written.
    [[nodiscard]] Status outcome() const;
};

/// Captures the log's range once, plans it once, then per output in order: on_schema, on_preview, and the table,
/// swapped in durably. On another engine the table comes before its preview. The tables' locks are taken first, so that
/// a second run is refused before it has read anything. What keeps one output from being made (its folder, its data) is
/// that output's failure, and the others are made all the same; an error means that the run as a whole was refused or
/// ended. Same range, same job: same bytes, but for another engine's, and the same rows.
Result<JobReport> run_job(const BatchWorld& world, const Job& job, const RunOptions& options, const JobEvents& events);

} // namespace questlog::batch
