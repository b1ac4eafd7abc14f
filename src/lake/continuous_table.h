#pragma once

#include "base/guarded.h"
#include "base/result.h"
#include "base/strong.h"
#include "duck/duck.h"
#include "event/schema.h"
#include "io/env.h"
#include "io/scratch_folder.h"
#include "lake/delta_log.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Continuous tables: Delta Lake tables that landing appends to. docs/formats/lake.md.
namespace questlog::lake {

/// Under the lake root: `events/NAME/date=YYYY-MM-DD/part-<log id>-<partition>-<from>-<to>.parquet`.
inline constexpr std::string_view continuous_folder = "events";

/// A column and the events' key that it was made from. Neither changes, and no column goes.
struct ContinuousColumn {
    std::string name;
    std::string key;
    event::ColumnType type = event::ColumnType::null;
    auto operator<=>(const ContinuousColumn&) const = default;
};

/// What a table is about.
struct ContinuousSubject {
    std::string topic;
    std::string event_type; ///< Empty: dead letters.
    bool is_dead_letters = false;
};

/// A stretch of one partition of a log, as the name of the file says that has its rows.
struct LogStretch {
    std::string log_id;
    Partition partition;
    Offset from;
    Offset to; ///< One past the last offset that was looked at.
    auto operator<=>(const LogStretch&) const = default;

    /// In a table of the generation: no rebuilt table has a file of the one before.
    [[nodiscard]] std::string file_name(std::int64_t generation) const;
    /// nullopt: it is no name of ours, as after another program has compacted the table.
    static std::optional<LogStretch> of_file(std::string_view name);
    [[nodiscard]] std::string transaction() const; ///< Delta's appId; its version is `to`.
};

/// What one log has landed in a table.
struct RowsOfLog {
    std::string log_id;
    std::optional<std::int64_t> rows; ///< nullopt: the table's files do not say.
};

/// A table as of one version. One thread. One that has been refreshed or appended to keeps of its files only the sums:
/// what a lander has of a table does not grow with it.
class ContinuousTable {
public:
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const std::string& folder() const { return folder_; }
    [[nodiscard]] const ContinuousSubject& subject() const { return subject_; }
    [[nodiscard]] std::int64_t generation() const { return generation_; } ///< How often it was made anew.
    [[nodiscard]] const std::vector<ContinuousColumn>& columns() const { return columns_; }
    /// Another program has changed the columns: there may be some that no file has yet.
    [[nodiscard]] bool has_foreign_columns() const { return !state_.metadata.schema.empty(); }
    [[nodiscard]] std::int64_t version() const { return state_.version; }
    /// All, as the table was opened; none once it was refreshed or appended to.
    [[nodiscard]] const std::vector<DeltaFile>& files() const { return state_.files; }
    /// Every cut of the partition up to there, that has events of the table, is in its files. 0: none is.
    [[nodiscard]] Offset landed_to(const std::string& log_id, Partition partition) const;
    /// Rows of the partition in the files. nullopt: files of another program's making do not say whose rows they hold.
    [[nodiscard]] std::optional<std::int64_t> rows_of(const std::string& log_id, Partition partition) const;
    [[nodiscard]] std::int64_t rows() const { return rows_; } ///< Of all files.
    /// The logs that have rows in it, or may have, without `log_id`; in order.
    [[nodiscard]] std::vector<RowsOfLog> rows_of_others(const std::string& log_id) const;

private:
    friend class ContinuousStore;
    ContinuousTable(std::string name, std::string folder) : name_(std::move(name)), folder_(std::move(folder)) {}
    Status adopt_state();
    void count_rows();
    void count(const DeltaFile& file);
    [[nodiscard]] std::map<std::string, std::string>
    configuration_with(const std::vector<ContinuousColumn>& columns) const;

    std::string name_;
    std::string folder_;
    ContinuousSubject subject_;
    std::int64_t generation_ = 0;
    std::vector<ContinuousColumn> columns_;
    DeltaState state_;
    std::map<std::string, std::int64_t, std::less<>> rows_of_; ///< By LogStretch::transaction().
    std::int64_t rows_ = 0;
    bool has_foreign_files_ = false;
};

/// What is to become one file of a table.
struct LandedPart {
    LogStretch stretch;
    std::string date;                      ///< UTC: "2026-11-25".
    std::vector<ContinuousColumn> columns; ///< The table's from then on: those it had, and new ones after them.
    std::string select;                    ///< Its rows on the connection: table_schema(), in that order.
    std::int64_t rows = 0;                 ///< How many these are, as someone else has counted them.
};

/// All columns of a table's files: of an event type `columns`, then `_rescued_data`, `_timestamp`, `_partition` and
/// `_offset`; of dead letters `topic`, `partition`, `offset`, `timestamp`, `reason` and `value`.
[[nodiscard]] std::vector<DeltaColumn> table_schema(const ContinuousSubject& subject,
                                                    const std::vector<ContinuousColumn>& columns);

/// All continuous tables of a lake. Any thread; a table object is one thread's.
class ContinuousStore {
public:
    ContinuousStore(io::Env env, std::string lake_root);

    /// The names of all tables, sorted.
    Result<std::vector<std::string>> names() const;
    /// nullopt: no such table.
    Result<std::optional<ContinuousTable>> open(duck::Connection& connection, const std::string& name) const;
    /// The logs of which files lie in the table's folder, whether it reads or not, without `log_id`; in order.
    Result<std::vector<RowsOfLog>> others_lying_in(const std::string& name, const std::string& log_id) const;
    /// Whether open() failed by what this one table is, so that all others can be read; else it may be there at another
    /// time.
    [[nodiscard]] static bool is_damage(const Error& error);
    Status refresh(duck::Connection& connection, ContinuousTable& table) const;
    /// How the table's columns came to be. `reject`: no such table.
    Result<std::vector<DeltaSchemaChange>> history(const std::string& name) const;
    /// A table that is not there yet, as open() would give it after its first commit, with version -1.
    [[nodiscard]] ContinuousTable make(const std::string& name, const ContinuousSubject& subject,
                                       std::int64_t generation = 0) const;

    /// Puts the table of the same name in `made`, a store whose root is on the same file system, in the place of this
    /// one's, in one step and durably; the old one is removed after a grace. While readers of a Delta log or of the
    /// folder read on, a file that they had listed may be gone: never do they see rows of both. For the holder of all
    /// locks of the partitions. After an error either one is there, whole.
    Status replace(const std::string& name, const ContinuousStore& made);

    /// The lake root of a store whose tables are to replace() this one's: for who makes tables of the log anew.
    [[nodiscard]] std::string replacement_root(const std::string& log_id) const;
    /// Where replace() by the rebuilder of the log was cut off: puts back a table that is between two places, and makes
    /// durable which of the two is in its place. For the holder of a lock of the log's partitions, before
    /// replacement_root() is cleared.
    Status put_back(const std::string& log_id);

    /// Writes the part's rows as a Parquet file and commits it; durable and visible on success. False: someone has
    /// committed to the table meanwhile, and nothing was done but that the file may lie there, which no commit names:
    /// refresh, look whether it is still to be done, and call again. `connection` is of a database with threads = 1.
    /// `retry_later` on a full disk; `internal` where the rows are not as many as they should be: nothing is committed
    /// then. After any other error the commit may have been made.
    Result<bool> append(duck::Connection& connection, ContinuousTable& table, const LandedPart& part);

    /// Writes the part's rows as append() would, and hands the file over unnamed: to be compared, and then forgotten.
    struct Copy {
        DeltaFile file; ///< Without a path.
        io::Files::LibraryPath path;
        std::string location; ///< For io::Files.
    };
    Result<Copy> copy(duck::Connection& connection, const ContinuousTable& table, const LandedPart& part);
    Status forget(const Copy& copy);

    /// Removes what a crashed lander of the partition has left in the staging folder, and copies a day old. For the
    /// holder of its lock.
    Status sweep(const std::string& log_id, Partition partition);

    /// For DuckDB to read the file of the table.
    Result<io::Files::LibraryPath> readable_path(const ContinuousTable& table, const DeltaFile& file) const;

    [[nodiscard]] const std::string& lake_root() const { return lake_root_; }

private:
    Result<DeltaFile> write(duck::Connection& connection, const ContinuousTable& table, const LandedPart& part);
    Result<std::pair<DeltaFile, std::string>> stage(duck::Connection& connection, const ContinuousTable& table,
                                                    const LandedPart& part, const std::string& staging);
    Result<std::string> scratch_file(const std::string& name);
    Result<std::optional<ContinuousTable>> open_at(duck::Connection& connection, const std::string& name,
                                                   const std::string& folder) const;
    Result<std::vector<std::string>> replacement_roots() const;
    Status add_names(std::set<std::string>& names) const;
    Result<std::vector<std::pair<std::string, std::string>>> set_aside() const;
    Result<std::string> place_of(const std::string& name) const;
    template <class Found, class Look>
    Result<std::optional<Found>> look_in_place(const std::string& name, Look&& look) const;
    [[nodiscard]] DeltaLog log_of(const ContinuousTable& table, std::string staging = {}) const;

    io::Env env_;
    std::string lake_root_;
    std::string root_;
    io::ScratchFolder scratch_;
};

} // namespace questlog::lake
