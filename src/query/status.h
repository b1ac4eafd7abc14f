#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "lake/snapshot.h"
#include "log/hole.h"
#include "query/continuous_status.h"
#include "query/world.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::query {

struct PartitionStatus {
    Partition partition;
    Offset start;
    Offset durable_end;                 ///< One past the last event that is durable, and so visible.
    std::optional<std::int64_t> bytes;  ///< Of batches; nullopt where damage keeps it from being told.
    std::vector<log::Hole> holes;       ///< What repairs of the log gave up.
    std::string problem;                ///< Damage that shows without reading the log, and what to do. Empty: none.
    std::optional<Offset> synced_end{}; ///< Under sync = "interval" or "never": what lies above may go in a power cut.
    std::int64_t lost_events = 0;       ///< Acknowledged, and gone in power cuts under these.
    std::int64_t unforwarded = 0;       ///< Of a topic in a cluster, the last ones, which only this node has yet.
};

enum class TableState : std::uint8_t {
    never_landed,
    landed,
    declaration_changed, ///< Landed under another declaration: SQL reads the whole log instead.
    other_log,           ///< Landed from a topic that was made anew since: SQL reads the whole log instead.
    ahead_of_log,        ///< Landed beyond the log's end: a part of the log is missing.
    damaged,             ///< The files cannot be read; `problem` says what to do.
    log_unreadable,      ///< Landed; and its topic's problem keeps it from being compared with the log.
};
[[nodiscard]] std::string_view name_of(TableState state); ///< "never landed", "landed", ...

/// Where every event is that a table's log ever had. Each number comes from a source of its own: accepted and pending
/// from the log's offsets, landed by counting the files' rows, filtered and dead_lettered from what the job wrote into
/// their footer.
struct Books {
    std::int64_t accepted = 0;
    std::int64_t landed = 0;
    std::int64_t pending = 0;
    std::int64_t filtered = 0;
    std::int64_t dead_lettered = 0;
    /// Events that a repair of the log gave up before they were landed: by the log's record of holes, and in the landed
    /// offsets no more than the footer says were not looked at.
    std::int64_t lost = 0;
    /// Events that retention removed from the log, and that the table's files do not cover: never landed, or landed by
    /// files that are not used any more.
    std::int64_t expired = 0;
    std::int64_t duplicates = 0; ///< Events skipped because they were landed before: the embedded log has none.
    [[nodiscard]] bool balanced() const {
        return accepted == landed + pending + filtered + dead_lettered + duplicates + lost + expired;
    }
};

struct TableStatus {
    std::string name;
    std::string path;
    TableState state = TableState::never_landed;
    std::vector<lake::LandedRange> landed; ///< As the files say, in use or not.
    std::int64_t rows = 0;                 ///< In the files, in use or not.
    std::int64_t bytes = 0;                ///< Of the files.
    std::vector<std::string> files;
    std::optional<Books> books; ///< As SQL reads the table: files that are not used have landed nothing. nullopt
                                ///< where the topic has a problem.
    std::string problem;        ///< Empty: none.
};

/// What one table keeps of a partition beyond the retention limits.
struct KeptStatus {
    Partition partition;
    Offset from;
    Offset to;
    std::int64_t bytes = 0;
    std::string table;  ///< That keeps the most.
    std::string state;  ///< "was never landed", as a clause.
    std::string advice; ///< What lands the rest, a clause with the command.
};

struct TopicStatus {
    std::string name;
    std::string log_id;
    std::string cluster{}; ///< World::cluster.
    std::vector<PartitionStatus> partitions;
    std::vector<TableStatus> tables;
    std::vector<ContinuousStatus> continuous{}; ///< Of World::topic.
    std::string continuous_problem{};           ///< Why they cannot be told of; empty: none.
    log::RetentionLimits retention{};
    /// What tables keep of the log beyond its limits: nothing is wrong, and the disk fills.
    std::vector<KeptStatus> kept{};
    std::string problem; ///< Why the log cannot be opened; then there are no partitions, and tables as their files are.
};

enum class ServerState : std::uint8_t {
    none,     ///< No process writes to the data folder.
    running,  ///< It told so, and the facts below.
    stopping, ///< Likewise; it answers what is in flight.
    silent,   ///< There is one, and it has not told of itself: `problem` says why.
};
[[nodiscard]] std::string_view name_of(ServerState state);

/// The server of the data folder, as whoever may talk to it found it.
struct ServerStatus {
    ServerState state = ServerState::none;
    std::int64_t pid = 0;
    std::string url;
    std::string topic;
    std::string version;
    TimestampMs since;
    std::string problem;
};

struct StatusReport {
    ServerStatus server; ///< Not of status()'s knowledge: its caller's to fill in.
    std::vector<TopicStatus> topics;
    /// Every table's books balance and nothing of the data has a problem. A server that is silent is none.
    [[nodiscard]] bool sound() const;
};

/// One moment: all landed files first, then the log's ends. Reads footers and row counts, no rows; of the log the
/// beginning and the end of each segment (log::check_segments) and the headers of the last one's batches. `reject`
/// where there is no topic at all, naming the command that makes one.
Result<StatusReport> status(const World& world);

[[nodiscard]] std::string status_text(const StatusReport& report); ///< For a terminal of 80 columns.
[[nodiscard]] std::string status_json(const StatusReport& report); ///< docs/formats/query.md; ends in a line break.

} // namespace questlog::query
