#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "query/continuous.h"
#include "query/landing.h"
#include "query/world.h"
#include "scan/plan.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace questlog::query {

/// The views that one statement reads: `events` and tables over landed files and the log. Holds what they read from.
class Views {
public:
    Views(const World& world, bool landed_only, std::unique_ptr<duck::Connection> connection)
        : world_(world), landed_only_(landed_only), connection_(std::move(connection)) {}

    /// Makes those of `names` (as SQL has them, in any case) that are tables, `events` or `ledger`; other names are
    /// DuckDB's matter. A declared table has its name before a continuous one, unless that one is named exactly. First
    /// is read where the log begins, then all landed files are opened, then the log's ends are read: so no file is
    /// ahead of the log, and what expires in between is missed by whoever reads it, who says so.
    Status create(const std::vector<std::string>& names);
    /// Where the statement does not bind after create(): makes those of the names left that are tables of which nothing
    /// is landed yet. It takes reading the log to know them, and most such names are those of a CTE.
    Status create_unlanded();
    /// After create(): has `events` and the tables read only the times that `select` asks for, which is a statement
    /// that only reads. Its answer stays the same. docs/decisions/0012-time-ranges.md.
    Status narrow(const std::string& select);
    /// The names of all tables that a statement may read, sorted: `events`, `ledger`, declared and continuous ones.
    Result<std::vector<std::string>> all_names();
    [[nodiscard]] duck::Connection& connection() { return *connection_; }
    /// Names of the tables whose landed files the statement reads.
    [[nodiscard]] std::vector<std::string> landed_tables() const {
        std::vector<std::string> names;
        for (const Table& table : tables_)
            if (table.snapshot) names.push_back(table.declaration->name);
        return names;
    }

private:
    /// A topic's log as this statement sees it.
    struct TopicLog {
        std::unique_ptr<log::LogReader> reader;
        scan::LogRange range;
        bool has_ends = false; ///< Else `range` says only where the log begins.
    };
    struct Table {
        const scan::TableDeclaration* declaration = nullptr;
        std::optional<lake::Snapshot> snapshot;
    };

    /// Rows of the log that were offered, and how their `timestamp` compares.
    struct Offered {
        std::string name;
        std::shared_ptr<const scan::TimedRows> rows;
        bool compares_text = false;
    };

    [[nodiscard]] std::vector<std::string> not_declared(const std::vector<std::string>& names) const;
    [[nodiscard]] bool is_meant(const std::string& declared, const std::vector<std::string>& names) const;
    Status begin_continuous(const std::vector<std::string>& names);
    Status read_log_for_exact_names();
    Result<bool> claim(const std::string& table);
    Status create_continuous(bool unlanded);
    Status read_log();
    Status create_ledger();
    Result<TopicLog*> begin(const std::string& name);
    Result<const TopicLog*> topic(const std::string& name);
    Status create_events();
    Status create_table(Table& table);
    Status create_landed(const Table& table);
    Result<std::string> select_table(Table& table, const TopicLog& log);
    Result<std::string> select_union(const Table& table, const TopicLog& log, const scan::LogRange& tail);
    Result<std::string> select_whole(const scan::TableDeclaration& table, const TopicLog& log);
    Result<std::string> select_instead(const Table& table, const TopicLog& log, const std::string& obstacle);
    Result<std::shared_ptr<const scan::Plan>> plan(const scan::TableDeclaration& table, const TopicLog& log,
                                                   const scan::LogRange& range);
    void tell_expired(const scan::TableDeclaration& table, const TopicLog& log,
                      const std::vector<lake::LandedRange>& landed) const;
    void tell_renamed(const scan::TableDeclaration& table, const scan::Relation& relation) const;
    Status make_view(const std::string& name, const std::string& select);

    const World& world_;
    bool landed_only_;
    std::map<std::string, TopicLog> topics_;
    std::vector<Table> tables_;
    std::unique_ptr<ContinuousTables> continuous_; ///< Null: no name can mean one.
    std::vector<std::string> others_;              ///< Names that are not known yet.
    std::map<std::string, std::string> claimed_;   ///< The tables that are read, by their names in lower case.
    std::vector<std::shared_ptr<const scan::Plan>> plans_;
    std::vector<Offered> offered_;
    std::unique_ptr<duck::Connection> connection_; ///< Last: it goes before what its sources read from.
};

} // namespace questlog::query
