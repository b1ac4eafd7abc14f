#pragma once

#include "base/result.h"
#include "scan/plan.h"
#include "scan/range_census.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace questlog::batch {

/// Another engine than this process, for one job: it reads the log's range and writes tables' files, and commits
/// nothing. One thread. What it has begun ends with this object at the latest.
class Engine {
public:
    /// Told now and then of the tasks of the present step.
    using OnTasks = std::function<void(std::int64_t done, std::int64_t total)>;
    /// Event types; nullopt: any.
    using Types = std::optional<std::vector<std::string>>;

    virtual ~Engine() = default;

    /// First: the range is the job's from here on. `retry_later` where the engine was stopped on the user's request.
    struct Order {
        std::string job;
        std::string topic;
        scan::LogRange range;
        Types types; ///< Of which some output may have events.
    };
    virtual Result<scan::RangeCensus> look(const Order& order, const OnTasks& on_tasks) = 0;

    /// A table over the range's events of `types`; `relation` is scan::relate_for_spark's, over engine_view.
    struct Table {
        Types types;
        const scan::Relation& relation;
    };
    struct Written {
        std::int64_t read = 0; ///< Events of the types, by those who read them.
        /// The numbers of the tasks, in the order of their events in the log. A task's file is part-<number>-…
        std::vector<std::int32_t> tasks;
    };
    /// Into `folder`, which is not there yet. An error is that table's alone, unless is_over().
    virtual Result<Written> write(const Table& table, const std::string& folder, const OnTasks& on_tasks) = 0;
    /// The table's first rows as a SELECT for DuckDB, with the table's columns.
    virtual Result<std::string> first_rows(const Table& table, std::int64_t rows, const OnTasks& on_tasks) = 0;
    /// The engine has ended, or was stopped: nothing more can be asked of it.
    [[nodiscard]] virtual bool is_over() const = 0;
    virtual Status end() = 0; ///< Nothing more will be asked.
};

/// The view over which relations for an engine are written.
inline constexpr const char* engine_view = "questlog_events";

} // namespace questlog::batch
