#pragma once

#include "app/context.h"
#include "base/result.h"
#include "duck/duck.h"
#include "lake/continuous_table.h"
#include "lake/snapshot.h"
#include "log/event_log.h"
#include "query/world.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace questlog::app {

/// What DuckDB may hold before it spills to the data folder.
enum class QueryMemory : std::uint8_t {
    bounded,     ///< A laptop has it, and a job over any log ends within it.
    the_machines ///< Most of it: a GROUP BY with many groups that spills takes 1.6 times as long.
};

/// DuckDB in memory, to read and write Parquet with, as every command uses it.
Result<std::shared_ptr<duck::Database>> open_database(const Context& context, QueryMemory memory);

/// How a cluster's topics are read. Without a cluster it says nothing.
struct ClusterReading {
    bool reads_unforwarded = false;                      ///< Also what is on its way to Kafka.
    bool as_they_lie = false;                            ///< Records once, as they are: kafka::ReaderOptions.
    bool with_headers = true;                            ///< Likewise.
    std::optional<std::chrono::milliseconds> patience{}; ///< For each answer, instead of the client's.
    std::function<bool()> stop{};                        ///< Ends what is being read: kafka::ReaderOptions.
};

/// The topics that commands read: the data folder's own, or the cluster's.
Result<std::unique_ptr<log::TopicSource>> open_topics(const Context& context, const ClusterReading& reading);

/// Waits until the topic in Kafka has what this node's collector took before, at most 10 s, and says what is missing
/// then. `reader` is of the topic; without a cluster nothing is waited for.
Status await_forwarding(const Context& context, log::LogReader& reader);

/// A data folder opened for SQL and jobs: its topics, its lake, and an in-memory DuckDB.
/// Opening it reads nothing yet and writes nothing. One command's.
class DataFolder {
public:
    /// `stop`: of commands that end when asked to, kafka::ReaderOptions::stop.
    static Result<std::unique_ptr<DataFolder>> open(const Context& context, std::function<bool()> stop = {},
                                                    QueryMemory memory = QueryMemory::bounded);

    [[nodiscard]] const query::World& world() const { return *world_; }
    /// As they last: what is on its way to Kafka has no offset there yet, and no table has it. SQL, whose world() has
    /// topics of its own, reads it.
    [[nodiscard]] log::TopicSource& topics() { return *topics_; }
    [[nodiscard]] lake::SnapshotStore& lake() { return *lake_; }
    [[nodiscard]] lake::ContinuousStore& continuous() { return *continuous_; }
    [[nodiscard]] duck::Database& database() { return *database_; }

private:
    DataFolder() = default;

    std::unique_ptr<log::TopicSource> topics_;
    std::unique_ptr<log::TopicSource> visible_topics_;
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<lake::SnapshotStore> lake_;
    std::unique_ptr<lake::ContinuousStore> continuous_;
    std::unique_ptr<query::World> world_;
};

/// Draws "label: 65,536 of 1,000,000 events (6 %)" over itself on a terminal, at most once per whole percent, and wipes
/// it at the end.
class ProgressLine {
public:
    explicit ProgressLine(const Context& context) : context_(context) {}
    ~ProgressLine() { wipe(); }
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void draw(std::string_view label, std::int64_t done, std::int64_t total, std::string_view unit = "events");
    void wipe(); ///< Before anything else is written to the terminal.

private:
    const Context& context_;
    std::string label_;
    std::int64_t percent_ = -1;
    bool drawn_ = false;
};

} // namespace questlog::app
