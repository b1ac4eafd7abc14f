#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "lake/continuous_table.h"
#include "lake/landing_records.h"
#include "log/event_log.h"
#include "query/world.h"
#include "scan/plan.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// A topic's continuous tables, landed ∪ tail, as one statement sees them. docs/decisions/0006-query-consistency.md.
namespace questlog::query {

/// Where the events of one table, that came in one partition, are. `accepted` is what the planner counted, landed or
/// not; `landed` what the table's files say they have; `pending` what of the log after them is the table's.
struct LedgerRow {
    std::string topic;
    Partition partition;
    std::string table;
    std::int64_t accepted = 0;
    std::int64_t landed = 0;
    std::int64_t pending = 0;
    std::int64_t filtered = 0;
    std::int64_t dead_lettered = 0;
    std::int64_t duplicates = 0;
    std::string problem;  ///< Why nothing more is landed in it, or why it cannot be read; empty: none.
    bool is_known = true; ///< False: its files do not read, or the log is not the one that was landed.

    [[nodiscard]] bool balanced() const {
        return is_known && accepted == landed + pending + filtered + dead_lettered + duplicates;
    }
};

/// SELECT of the rows, as SQL has the ledger.
[[nodiscard]] std::string select_ledger(const std::vector<LedgerRow>& ledger);

/// Used in this order: begin(), open(), read_log(), and then the rest. So no file is ahead of the log, and what is
/// landed meanwhile is in files or in the log, and not in both. One thread.
class ContinuousTables {
public:
    ContinuousTables(const World& world, log::LogReader& log);

    /// Reads the books: what is landed in all tables.
    Status begin();
    /// Opens those that are in the lake and called as one of `names`, but for case. One that is damaged is so when it
    /// is read, and in the ledger.
    Status open(duck::Connection& connection, const std::vector<std::string>& names);
    /// Plans the log after what is landed, up to the ends in `log`. Without this, tables are their files alone. Nothing
    /// is read of a partition whose log is not the one that was landed: its tables cannot be selected from then.
    Status read_log(const scan::LogRange& log);
    [[nodiscard]] bool has_read_log() const { return tail_ != nullptr; }

    /// `corrupt` where the log that was read is not the one that was landed: then not all tables are known, either.
    [[nodiscard]] Status check_log() const;

    /// Every table, those among them that have nothing landed yet; sorted.
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
    /// As it is in the lake; nullptr: it is not there, or was not opened.
    [[nodiscard]] const lake::ContinuousTable* opened(const std::string& name) const {
        const auto found = opened_.find(name);
        return found == opened_.end() ? nullptr : &found->second;
    }
    [[nodiscard]] bool has(std::string_view name) const; ///< Exactly.
    [[nodiscard]] bool has_but_for_case(std::string_view name) const;
    /// The table that `name` means: in its own case, or in any where there is only one. nullopt: there is none.
    /// `reject` where it is not clear which.
    Result<std::optional<std::string>> find(const std::string& name) const;

    /// SELECT of a table of names(), over sources that it offers on `connection`. What it reads from, this object
    /// holds. An error as check_log()'s.
    Result<std::string> select(duck::Connection& connection, const std::string& name);
    /// Columns of integers of an opened table for which events, landed or not, have fractions: these are rescued.
    [[nodiscard]] std::set<std::string> fractions(const std::string& name) const;
    /// One row for each table and partition that it has events of, in order, and for each of a damaged one. All tables
    /// must have been open()ed.
    Result<std::vector<LedgerRow>> ledger(duck::Connection& connection);

private:
    /// What is to be read of the log for a table: all from there on, by partition.
    [[nodiscard]] std::vector<Offset> tail_from(const std::string& name) const;
    Result<std::string> select_landed(const lake::ContinuousTable& table,
                                      const std::vector<scan::LandedColumn>& columns);
    Result<std::string> select_tail(duck::Connection& connection, const std::string& name,
                                    const std::vector<scan::LandedColumn>& columns);
    [[nodiscard]] std::string since(const std::string& name) const;
    [[nodiscard]] std::vector<scan::LandedColumn> columns_of(const std::string& name) const;
    Result<std::string> offer_dead_letters(duck::Connection& connection);
    Result<std::vector<OffsetSpan>> find_repeats(const scan::PartitionRange& part,
                                                 const std::vector<event::IdSighting>& ids);
    Result<std::int64_t> count_tail(duck::Connection& connection, const std::string& name, Partition partition,
                                    Offset from);

    const World& world_;
    log::LogReader& log_;
    std::vector<lake::Books> books_;        ///< By partition.
    std::map<Partition, Error> other_logs_; ///< Partitions whose log is not the one that was landed, as an error says.
    std::set<Partition> landed_twice_;      ///< Those of them whose events may be in the tables from another log.
    std::vector<std::string> landed_names_;
    std::map<std::string, lake::ContinuousTable, std::less<>> opened_;
    std::map<std::string, Error, std::less<>> damaged_;     ///< Those that could not be opened.
    std::shared_ptr<const scan::Plan> tail_;                ///< Null: not read.
    std::map<std::string, std::string, std::less<>> types_; ///< Of the tail, by the name of their table.
    std::vector<std::string> without_table_;                ///< Types of the tail whose events are dead letters.
    std::vector<std::string> names_;
    std::vector<io::Files::LibraryPath> held_;
};

} // namespace questlog::query
