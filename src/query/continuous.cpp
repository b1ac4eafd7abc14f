#include "query/continuous.h"

#include "base/letter_case.h"
#include "lake/landed_logs.h"
#include "scan/continuous.h"
#include "scan/landed_log.h"
#include "scan/table_names.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace questlog::query {
namespace {

using duck::quote_identifier;
using lake::ContinuousTable;

std::vector<scan::LandedColumn> as_landed(const std::vector<lake::ContinuousColumn>& columns) {
    std::vector<scan::LandedColumn> landed;
    for (const auto& [name, key, type] : columns) landed.push_back({name, key, type, false});
    return landed;
}

/// Those in the table's books, from the offset on.
std::int64_t count_places(const scan::PlacesByType& aside, const std::string& table, Partition partition, Offset from) {
    std::int64_t count = 0;
    for (const auto& [type, places] : aside) {
        if (scan::books_of(type) != table) continue;
        for (const auto& [of, offset] : places)
            if (of == partition && offset >= from) ++count;
    }
    return count;
}

} // namespace

ContinuousTables::ContinuousTables(const World& world, log::LogReader& log) : world_(world), log_(log) {}

Status ContinuousTables::begin() {
    for (Partition partition{0}; partition.value < log_.topic().partitions; ++partition.value) {
        TRY(start, log_.partition(partition).start_offset());
        const lake::LandingRecords records(world_.env, world_.continuous.lake_root(), log_.topic().id, partition);
        TRY(books, records.books());
        books_.push_back(books.value_or(lake::Books{start, start, 0, 0, {}}));
        books_.back().landed_to = std::max(books_.back().landed_to, start); // else it has expired
    }
    TRY(names, world_.continuous.names());
    landed_names_ = std::move(names);
    names_ = landed_names_;
    return {};
}

Status ContinuousTables::open(duck::Connection& connection, const std::vector<std::string>& names) {
    std::set<std::string> asked;
    for (const std::string& name : names) asked.insert(lower_ascii(name));
    for (const std::string& name : landed_names_) {
        if (!asked.contains(lower_ascii(name)) || opened_.contains(name)) continue;
        auto table = world_.continuous.open(connection, name);
        if (!table.ok() && !lake::ContinuousStore::is_damage(table.error()))
            return table.error().within("table " + name);
        if (!table.ok())
            damaged_.emplace(name, table.error());
        else if (*table)
            opened_.emplace(name, std::move(**table));
    }
    return {};
}

Status ContinuousTables::read_log(const scan::LogRange& log) {
    scan::LogRange range = log;
    TRY(others, lake::other_landed_logs(world_.env, world_.continuous.lake_root(), log_.topic().id));
    for (scan::PartitionRange& part : range) {
        const lake::Books& books = books_[static_cast<std::size_t>(part.partition.value)];
        Offset from = books.landed_to;
        for (const auto& [name, table] : books.tables) {
            const bool is_asked = opened_.contains(name) || damaged_.contains(name);
            const bool has_files = std::binary_search(landed_names_.begin(), landed_names_.end(), name);
            if (table.stopped_at && (is_asked || !has_files)) from = std::min(from, *table.stopped_at);
        }
        part.from = std::min(std::max(from, part.from), part.to);
        Status same = scan::check_landed(log_.partition(part.partition), books.landed_to, books.last);
        if (same.ok() && !others.empty()) {
            TRY(origins, log_.partition(part.partition).origins(part.to));
            same = lake::check_landed_once(log_.topic().id, origins, others);
            if (!same.ok()) landed_twice_.insert(part.partition);
        }
        if (same.ok()) continue;
        if (same.error().kind != ErrorKind::corrupt) return same;
        other_logs_.emplace(part.partition,
                            same.error().within(fmt::format("topic {} [{}]", log_.topic().name, part.partition)));
        part.from = part.to;
    }
    scan::PlanOptions options;
    options.keep_dead_letters = true;
    options.find_repeats = [this](const scan::PartitionRange& part, const std::vector<event::IdSighting>& ids) {
        return find_repeats(part, ids);
    };
    options.rules = world_.rules;
    options.progress = world_.progress;
    TRY(planned, scan::Plan::make(log_, range, options));
    tail_ = std::move(planned);
    scan::TypesByTable types =
        scan::types_by_table(*tail_, std::set<std::string, std::less<>>(landed_names_.begin(), landed_names_.end()));
    for (auto& [name, type] : types.tables) types_.emplace(name, type);
    without_table_ = std::move(types.without_table);
    for (const auto& [name, type] : types_) names_.push_back(name);
    names_.emplace_back(scan::dead_letters_name);
    std::sort(names_.begin(), names_.end());
    names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
    return {};
}

/// As a lander would tell it.
Result<std::vector<OffsetSpan>> ContinuousTables::find_repeats(const scan::PartitionRange& part,
                                                               const std::vector<event::IdSighting>& ids) {
    const lake::LandingRecords records(world_.env, world_.continuous.lake_root(), log_.topic().id, part.partition);
    scan::EarlierIds earlier;
    earlier.recorded = [&](Offset below, TimestampMs since, const scan::SightingSink& sink) {
        return records.visit_ids(below, since, sink);
    };
    earlier.recorded_to = books_[static_cast<std::size_t>(part.partition.value)].landed_to;
    return scan::find_repeats(ids, world_.repeats, [&](TimestampMs time, const scan::SightingSink& sink) {
        return scan::visit_earlier_ids(log_.partition(part.partition), earlier, part.from, time, world_.repeats, sink);
    });
}

bool ContinuousTables::has(std::string_view name) const {
    return std::binary_search(names_.begin(), names_.end(), name, std::less<>());
}

bool ContinuousTables::has_but_for_case(std::string_view name) const {
    return std::any_of(names_.begin(), names_.end(),
                       [&](const std::string& known) { return equal_but_for_case(known, name); });
}

Result<std::optional<std::string>> ContinuousTables::find(const std::string& name) const {
    if (has(name)) return std::optional(name);
    std::optional<std::string> found;
    for (const std::string& known : names_) {
        if (!equal_but_for_case(known, name)) continue;
        if (found) return reject("{} may be table {} or {}: write it as the table is called", name, *found, known);
        found = known;
    }
    return found;
}

std::vector<Offset> ContinuousTables::tail_from(const std::string& name) const {
    const auto table = opened_.find(name);
    std::vector<Offset> from;
    for (Partition partition{0}; partition.value < log_.topic().partitions; ++partition.value) {
        const lake::Books& books = books_[static_cast<std::size_t>(partition.value)];
        const auto of_table = books.tables.find(name);
        Offset at = books.landed_to;
        if (of_table != books.tables.end() && of_table->second.stopped_at) at = *of_table->second.stopped_at;
        if (table != opened_.end()) at = std::max(at, table->second.landed_to(log_.topic().id, partition));
        from.push_back(at);
    }
    return from;
}

/// A condition on the tail's rows where some of them are landed in the table already; else empty.
std::string ContinuousTables::since(const std::string& name) const {
    const std::vector<Offset> from = tail_from(name);
    std::string where;
    for (const scan::PartitionRange& part : tail_->range()) {
        const Offset at = from[static_cast<std::size_t>(part.partition.value)];
        if (at > part.from)
            where += fmt::format("{} (_partition <> {} OR _offset >= {})", where.empty() ? " WHERE" : " AND",
                                 part.partition, at);
    }
    return where;
}

std::vector<scan::LandedColumn> ContinuousTables::columns_of(const std::string& name) const {
    const auto table = opened_.find(name);
    const auto type = types_.find(name);
    std::vector<scan::LandedColumn> pinned;
    if (table != opened_.end()) pinned = as_landed(table->second.columns());
    return type == types_.end() ? pinned : scan::continuous_columns(*tail_, type->second, std::move(pinned));
}

Status ContinuousTables::check_log() const {
    if (other_logs_.empty()) return {};
    Error other_log = other_logs_.begin()->second;
    other_log.message += "; `--landed` reads the files alone";
    return other_log;
}

Result<std::string> ContinuousTables::select(duck::Connection& connection, const std::string& name) {
    CHECK_OK(check_log());
    if (const auto damaged = damaged_.find(name); damaged != damaged_.end()) return damaged->second;
    const std::vector<scan::LandedColumn> columns = columns_of(name);
    const auto table = opened_.find(name);
    std::string landed;
    if (table != opened_.end()) {
        TRY(select, select_landed(table->second, columns));
        landed = std::move(select);
    }
    TRY(tail, select_tail(connection, name, columns));
    if (landed.empty()) return tail;
    return tail.empty() ? landed : landed + " UNION ALL " + tail;
}

Result<std::string> ContinuousTables::select_landed(const ContinuousTable& table,
                                                    const std::vector<scan::LandedColumn>& columns) {
    std::vector<std::string> files;
    for (const lake::DeltaFile& file : table.files()) {
        TRY(path, world_.continuous.readable_path(table, file));
        files.push_back(path.path);
        held_.push_back(std::move(path));
    }
    std::string list;
    std::string of_no_file; // a row of none, with every column
    if (table.subject().is_dead_letters) {
        list = R"(topic, "partition", "offset", CAST("timestamp" AS TIMESTAMPTZ) AS "timestamp", reason, value)";
    } else {
        const std::size_t pinned = table.columns().size(); // in front
        for (std::size_t i = 0; i < columns.size(); ++i)
            list += fmt::format("{} AS {}, ",
                                i < pinned ? quote_identifier(columns[i].name)
                                           : fmt::format("CAST(NULL AS {})", scan::sql_type(columns[i].type)),
                                quote_identifier(columns[i].name));
        // Spark writes times as INT96, which says nothing of time zones.
        list += "_rescued_data, CAST(_timestamp AS TIMESTAMPTZ) AS _timestamp, _partition, _offset";
        if (table.has_foreign_columns())
            for (std::size_t i = 0; i < pinned; ++i)
                of_no_file += fmt::format("{}CAST(NULL AS {}) AS {}", i == 0 ? "" : ", ",
                                          scan::sql_type(columns[i].type), quote_identifier(columns[i].name));
    }
    if (files.empty()) return std::string(); // the tail alone; without one, see select_tail()
    std::string rows = duck::read_parquet(files, duck::ParquetColumns::of_all);
    if (!of_no_file.empty())
        rows = fmt::format("(SELECT * FROM {} UNION ALL BY NAME SELECT {} WHERE false)", rows, of_no_file);
    return fmt::format("SELECT {} FROM {}", list, rows);
}

Result<std::string> ContinuousTables::select_tail(duck::Connection& connection, const std::string& name,
                                                  const std::vector<scan::LandedColumn>& columns) {
    if (tail_ == nullptr) return std::string();
    if (name == scan::dead_letters_name) {
        TRY(source, offer_dead_letters(connection));
        return fmt::format(R"(SELECT {} AS topic, _partition AS "partition", _offset AS "offset", )"
                           R"(_timestamp AS "timestamp", reason, value FROM {}{})",
                           duck::quote_literal(log_.topic().name), source, since(name));
    }
    const auto type = types_.find(name);
    const auto table = opened_.find(name);
    const bool has_landed = table != opened_.end() && !table->second.files().empty();
    if (type == types_.end() && has_landed) return std::string();
    const std::string event_type = type != types_.end() ? type->second : table->second.subject().event_type;
    TRY(relation, scan::relate_continuous(connection, *tail_, event_type, columns));
    return relation.select + since(name);
}

Result<std::string> ContinuousTables::offer_dead_letters(duck::Connection& connection) {
    std::string source = connection.fresh_name("questlog_dead_letters");
    CHECK_OK(connection.offer(source, tail_->dead_letters(without_table_)));
    return source;
}

std::set<std::string> ContinuousTables::fractions(const std::string& name) const {
    std::set<std::string> columns;
    for (const lake::Books& books : books_)
        if (const auto table = books.tables.find(name); table != books.tables.end())
            columns.insert(table->second.fractions.begin(), table->second.fractions.end());
    const auto table = opened_.find(name);
    const auto type = types_.find(name);
    if (tail_ == nullptr || table == opened_.end() || type == types_.end()) return columns;
    for (std::string& column :
         scan::integers_that_meet_fractions(*tail_, type->second, as_landed(table->second.columns())))
        columns.insert(std::move(column));
    return columns;
}

/// How many events of the tail, from the offset on, are the table's.
Result<std::int64_t> ContinuousTables::count_tail(duck::Connection& connection, const std::string& name,
                                                  Partition partition, Offset from) {
    std::string source;
    if (name == scan::dead_letters_name) {
        TRY(offered, offer_dead_letters(connection));
        source = std::move(offered);
    } else {
        const auto type = types_.find(name);
        if (type == types_.end()) return 0;
        TRY(relation, scan::relate_continuous(connection, *tail_, type->second, {}));
        source = std::move(relation.input);
    }
    TRY(rows, connection.query(fmt::format("SELECT count(*) FROM {} WHERE _partition = {} AND _offset >= {}", source,
                                           partition, from)));
    TRY(count, rows->next());
    return count == 1 ? rows->bigint(0, 0) : 0;
}

Result<std::vector<LedgerRow>> ContinuousTables::ledger(duck::Connection& connection) {
    std::set<std::string> names(names_.begin(), names_.end());
    for (const lake::Books& books : books_)
        for (const auto& [name, table] : books.tables) names.insert(name); // also one that has nothing but repeats
    for (const scan::PlacesByType* aside : {&tail_->repeats(), &tail_->invalid()})
        for (const auto& [type, places] : *aside) names.insert(scan::books_of(type));
    std::vector<LedgerRow> ledger;
    for (const std::string& name : names) {
        const std::vector<Offset> landed_to = tail_from(name);
        const auto table = opened_.find(name);
        const auto damaged = damaged_.find(name);
        for (Partition partition{0}; partition.value < log_.topic().partitions; ++partition.value) {
            LedgerRow row{log_.topic().name, partition, name, 0, 0, 0, 0, 0, 0, {}};
            const lake::Books& books = books_[static_cast<std::size_t>(partition.value)];
            Offset booked_to = books.landed_to; // by the books; a cut that is being landed lies after it
            if (const auto of_table = books.tables.find(name); of_table != books.tables.end()) {
                const lake::TableBooks& landed = of_table->second;
                row.accepted = landed.events + landed.repeats + landed.invalid;
                row.duplicates = landed.repeats;
                row.dead_lettered = landed.invalid;
                row.problem = of_table->second.reason;
                booked_to = of_table->second.stopped_at.value_or(booked_to);
            }
            if (table != opened_.end())
                row.landed = table->second.rows_of(log_.topic().id, partition)
                                 .value_or(row.accepted - row.duplicates - row.dead_lettered);
            TRY(since_books, count_tail(connection, name, partition, booked_to));
            TRY(pending, count_tail(connection, name, partition, landed_to[static_cast<std::size_t>(partition.value)]));
            const std::int64_t repeats = count_places(tail_->repeats(), name, partition, booked_to);
            const std::int64_t invalid = count_places(tail_->invalid(), name, partition, booked_to);
            row.accepted += since_books + repeats + invalid;
            row.duplicates += repeats;
            row.dead_lettered += invalid;
            row.pending = pending;
            if (const auto other_log = other_logs_.find(partition); other_log != other_logs_.end()) {
                row.is_known = false;
                row.problem = other_log->second.message;
            }
            if (damaged != damaged_.end()) {
                row.is_known = false;
                row.problem = damaged->second.message;
            }
            const bool is_twice = landed_twice_.contains(partition) && table != opened_.end();
            if (row.accepted + row.landed > 0 || damaged != damaged_.end() || is_twice)
                ledger.push_back(std::move(row));
        }
    }
    return ledger;
}

std::string select_ledger(const std::vector<LedgerRow>& ledger) {
    std::string values;
    for (const LedgerRow& row : ledger)
        values += fmt::format("{}({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})", values.empty() ? "" : ", ",
                              duck::quote_literal(row.topic), row.partition, duck::quote_literal(row.table),
                              row.accepted, row.landed, row.pending, row.filtered, row.dead_lettered, row.duplicates,
                              row.balanced(), row.problem.empty() ? "NULL" : duck::quote_literal(row.problem));
    constexpr std::string_view nothing = "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)";
    return fmt::format("SELECT topic::VARCHAR AS topic, \"partition\"::BIGINT AS \"partition\", \"table\"::VARCHAR AS "
                       "\"table\", accepted::BIGINT AS accepted, landed::BIGINT AS landed, pending::BIGINT AS pending, "
                       "filtered::BIGINT AS filtered, dead_lettered::BIGINT AS dead_lettered, duplicates::BIGINT AS "
                       "duplicates, balanced::BOOLEAN AS balanced, problem::VARCHAR AS problem FROM (VALUES {}) AS "
                       "books(topic, \"partition\", \"table\", accepted, landed, pending, filtered, dead_lettered, "
                       "duplicates, balanced, problem) WHERE topic IS NOT NULL",
                       values.empty() ? nothing : values);
}

} // namespace questlog::query
