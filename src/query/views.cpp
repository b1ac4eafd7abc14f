#include "query/views.h"

#include "base/letter_case.h"
#include "query/time_cuts.h"
#include "scan/column_names.h"
#include "scan/table_names.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::query {
namespace {

constexpr std::string_view events_name = "events";
constexpr std::string_view ledger_name = "ledger";

/// The table in a name that may be qualified, "main.events".
std::string_view table_part(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? name : name.substr(dot + 1);
}

bool is_named(const std::vector<std::string>& names, std::string_view table) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        return equal_but_for_case(name, table) || equal_but_for_case(table_part(name), table);
    });
}

bool is_empty(const scan::LogRange& range) {
    return std::all_of(range.begin(), range.end(), [](const auto& one) { return one.from >= one.to; });
}

std::string rows_of(const lake::Snapshot& snapshot) {
    return duck::read_parquet(snapshot.files, duck::ParquetColumns::of_all);
}

event::ColumnType column_type(duck::ValueType type) {
    switch (type) {
    case duck::ValueType::boolean: return event::ColumnType::boolean;
    case duck::ValueType::bigint: return event::ColumnType::bigint;
    case duck::ValueType::double_: return event::ColumnType::double_;
    case duck::ValueType::varchar:
    case duck::ValueType::blob:
    case duck::ValueType::timestamp_tz:
    case duck::ValueType::other: return event::ColumnType::string;
    }
    return event::ColumnType::string;
}

/// The relation's columns by name; null where no event has a value.
event::Schema schema_of(const scan::Relation& relation) {
    event::Schema schema;
    for (const auto& [name, type] : relation.columns) {
        const bool is_null = std::binary_search(relation.nulls.begin(), relation.nulls.end(), name);
        schema.push_back({name, is_null ? event::ColumnType::null : column_type(type)});
    }
    return schema;
}

/// "a", CAST("b" AS DOUBLE) AS "b", CAST(NULL AS BIGINT) AS "c"
std::string select_list(const std::vector<UnionColumn>& columns, bool UnionColumn::*side) {
    std::string list;
    for (const UnionColumn& column : columns) {
        const std::string name = duck::quote_identifier(column.name);
        list += fmt::format("{}CAST({} AS {}) AS {}", list.empty() ? "" : ", ", column.*side ? name : "NULL",
                            scan::sql_type(column.type), name);
    }
    return list;
}

} // namespace

Status Views::create(const std::vector<std::string>& names) {
    others_ = not_declared(names);
    CHECK_OK(begin_continuous(others_));
    if (continuous_ == nullptr && (is_named(others_, ledger_name) || is_named(others_, scan::dead_letters_name)))
        if (const auto begun = begin(world_.topic); !begun.ok()) return begun.error(); // it says how a topic is made
    for (const scan::TableDeclaration& declaration : world_.tables) {
        if (!is_meant(declaration.name, names)) continue;
        Table table{&declaration, std::nullopt};
        if (!landed_only_)
            if (const auto begun = begin(declaration.topic); !begun.ok())
                return begun.error().within("table " + declaration.name);
        if (!declaration.path.empty()) {
            auto snapshot = world_.store.open(declaration.path);
            if (!snapshot.ok()) return snapshot.error().within("table " + declaration.name);
            table.snapshot = std::move(snapshot).value();
        }
        tables_.push_back(std::move(table));
    }
    CHECK_OK(read_log_for_exact_names());
    std::erase_if(tables_, [&](const Table& table) { return !is_meant(table.declaration->name, names); });
    if (is_named(names, events_name)) CHECK_OK(create_events());
    for (Table& table : tables_) {
        CHECK_OK(claim(table.declaration->name));
        const Status made = landed_only_ ? create_landed(table) : create_table(table);
        if (!made.ok()) return made.error().within("table " + table.declaration->name);
    }
    return create_continuous(false);
}

Status Views::create_unlanded() {
    return landed_only_ ? Status() : create_continuous(true);
}

/// Names that neither a declared table nor `events` has as they are written, without what qualifies them.
std::vector<std::string> Views::not_declared(const std::vector<std::string>& names) const {
    std::vector<std::string> others;
    for (const std::string& name : names) {
        const std::string_view table = table_part(name);
        const bool is_declared = std::any_of(world_.tables.begin(), world_.tables.end(), [&](const auto& declaration) {
            return declaration.name == table || declaration.name == name;
        });
        if (!is_declared && !equal_but_for_case(table, events_name)) others.emplace_back(table);
    }
    return others;
}

/// Whether one of the names means the declared table: it is called so, or but for case, and no other table is exactly.
bool Views::is_meant(const std::string& declared, const std::vector<std::string>& names) const {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
        if (!is_named({name}, declared)) return false;
        const std::string_view table = table_part(name);
        return name == declared || table == declared || continuous_ == nullptr || !continuous_->has(table);
    });
}

/// Of what a name means that no landed table has exactly, the log has a say: the table of that very name may be in it
/// alone. Without it a name of DuckDB's own would be read as that.
Status Views::read_log_for_exact_names() {
    if (landed_only_ || continuous_ == nullptr) return {};
    for (const std::string& name : others_) {
        const bool is_declared = std::any_of(tables_.begin(), tables_.end(), [&](const Table& table) {
            return equal_but_for_case(table.declaration->name, name);
        });
        if (is_declared || duck::is_own_view(name) || continuous_->has_but_for_case(name)) return read_log();
    }
    return {};
}

/// That the statement reads the table: SQL knows no case, so there is one view for all names that differ in it.
Result<bool> Views::claim(const std::string& table) {
    const auto [seen, is_first] = claimed_.emplace(lower_ascii(table), table);
    if (seen->second != table)
        return reject("tables {} and {}, which are called alike but for case, cannot be read in one statement",
                      seen->second, table);
    return is_first;
}

Status Views::begin_continuous(const std::vector<std::string>& names) {
    if (names.empty()) return {};
    TRY(exists, world_.topics.exists(world_.topic));
    if (!exists) return {};
    TRY(log, begin(world_.topic));
    continuous_ = std::make_unique<ContinuousTables>(world_, *log->reader);
    CHECK_OK(continuous_->begin());
    return continuous_->open(*connection_, is_named(names, ledger_name) ? continuous_->names() : names);
}

/// Those of the other names that are tables; `unlanded`: of which the log alone can tell.
Status Views::create_continuous(bool unlanded) {
    if (continuous_ == nullptr) return {};
    std::vector<std::string> left;
    for (const std::string& name : others_) {
        const bool is_ledger = equal_but_for_case(name, ledger_name);
        if (is_ledger || unlanded) CHECK_OK(read_log());
        if (is_ledger) {
            CHECK_OK(create_ledger());
            continue;
        }
        const auto declared = claimed_.find(lower_ascii(name));
        if (declared != claimed_.end() && !continuous_->has(name)) continue; // it has its view
        TRY(found, continuous_->find(name));
        if (!found) {
            if (unlanded) CHECK_OK(continuous_->check_log());
            left.push_back(name);
            continue;
        }
        TRY(is_first, claim(*found));
        if (!is_first) continue; // spelt in two ways
        auto select = continuous_->select(*connection_, *found);
        if (!select.ok()) return select.error().within("table " + *found);
        if (select->empty()) return reject("table {} has no files", *found);
        CHECK_OK(make_view(name, *select));
    }
    others_ = std::move(left);
    return {};
}

Status Views::read_log() {
    if (continuous_->has_read_log()) return {};
    TRY(log, topic(world_.topic));
    return continuous_->read_log(log->range);
}

Status Views::create_ledger() {
    TRY(ledger, continuous_->ledger(*connection_));
    return make_view(std::string(ledger_name), select_ledger(ledger));
}

Result<std::vector<std::string>> Views::all_names() {
    std::vector<std::string> names{std::string(events_name), std::string(ledger_name)};
    for (const scan::TableDeclaration& table : world_.tables)
        if (!table.path.empty()) names.push_back(table.name);
    CHECK_OK(begin_continuous({std::string(ledger_name)}));
    if (continuous_ != nullptr) {
        CHECK_OK(read_log());
        names.insert(names.end(), continuous_->names().begin(), continuous_->names().end());
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return names;
}

Status Views::narrow(const std::string& select) {
    if (offered_.empty()) return {};
    CHECK_OK(connection_->execute("BEGIN TRANSACTION")); // Its now() is that of the answer, too.
    TRY(cuts, find_time_cuts(*connection_, select));
    for (const Offered& offered : offered_) {
        const std::vector<scan::TimeCut>& of_column = offered.compares_text ? cuts.texts : cuts.timestamps;
        if (of_column.empty()) continue;
        const auto parts = offered.rows->cut(scan::spans_between(of_column));
        if (!parts.ok()) continue; // The statement meets the damage if that is where it reads.
        if (!parts->empty() && parts->size() <= limits::time_parts_max)
            CHECK_OK(connection_->offer(offered.name, *parts));
    }
    return {};
}

Result<Views::TopicLog*> Views::begin(const std::string& name) {
    if (const auto known = topics_.find(name); known != topics_.end()) return &known->second;
    TRY(found, world_.topics.find(name));
    TopicLog log;
    TRY(reader, world_.topics.open(found, [&](const std::string& what) { world_.tell("recovery: " + what); }));
    log.reader = std::move(reader);
    for (std::int32_t i = 0; i < found.partitions; ++i) {
        TRY(from, log.reader->partition(Partition{i}).start_offset());
        log.range.push_back({Partition{i}, from, from});
    }
    return &topics_.emplace(name, std::move(log)).first->second;
}

/// The ends are read when a topic is first asked for: a statement asks once for each, and the tables of one topic
/// agree.
Result<const Views::TopicLog*> Views::topic(const std::string& name) {
    TRY(log, begin(name));
    if (log->has_ends) return log;
    for (scan::PartitionRange& part : log->range) {
        TRY(to, log->reader->partition(part.partition).end_offset());
        part.to = to;
    }
    log->has_ends = true;
    return log;
}

Status Views::create_events() {
    TRY(all, world_.topics.list());
    if (all.empty()) CHECK_OK(topic(world_.topic)); // Its error says how a topic is made.
    std::vector<scan::TopicRange> ranges;
    for (const log::Topic& one : all) {
        TRY(log, topic(one.name));
        ranges.push_back({log->reader.get(), log->range});
    }
    offered_.push_back({std::string(events_name), scan::events_source(ranges)});
    return connection_->offer(offered_.back().name, offered_.back().rows);
}

Status Views::create_landed(const Table& table) {
    const std::string& name = table.declaration->name;
    if (!table.snapshot)
        return reject("it was never landed: run {}, or leave --landed out", world_.batch_command(name));
    if (table.snapshot->facts.declaration != table.declaration->digest()) {
        world_.tell(fmt::format("table {} was landed under another declaration than the present one: run {} to land it "
                                "anew",
                                name, world_.batch_command(name)));
    }
    return make_view(name, "SELECT * FROM " + rows_of(*table.snapshot));
}

Status Views::create_table(Table& table) {
    TRY(log, topic(table.declaration->topic));
    TRY(select, select_table(table, *log));
    return make_view(table.declaration->name, select);
}

Result<std::string> Views::select_table(Table& table, const TopicLog& log) {
    const std::string& name = table.declaration->name;
    const lake::Snapshot* snapshot = table.snapshot ? &*table.snapshot : nullptr;
    switch (landed_state(*table.declaration, snapshot, log.reader->topic())) {
    case LandedState::never: return select_whole(*table.declaration, log);
    case LandedState::declaration_changed:
        world_.tell(
            fmt::format("table {} was landed under another declaration: its files are not used, the whole log is "
                        "read. Run {} to land it anew",
                        name, world_.batch_command(name)));
        return select_whole(*table.declaration, log);
    case LandedState::other_log:
        world_.tell(
            fmt::format("table {} was landed from another log ({}): its files are not used, the whole log ({}) is "
                        "read. Run {} to land it anew",
                        name, snapshot->facts.log_id, log.reader->topic().id, world_.batch_command(name)));
        return select_whole(*table.declaration, log);
    case LandedState::landed: break;
    }
    TRY(tail, after_landed(log.range, snapshot->facts.ranges));
    tell_expired(*table.declaration, log, snapshot->facts.ranges);
    if (is_empty(tail)) return "SELECT * FROM " + rows_of(*snapshot);
    return select_union(table, log, tail);
}

Result<std::string> Views::select_union(const Table& table, const TopicLog& log, const scan::LogRange& tail) {
    TRY(planned, plan(*table.declaration, log, tail));
    const lake::SnapshotFacts& facts = table.snapshot->facts;
    std::vector<scan::LandedColumn> columns;
    for (const auto& [name, key] : facts.replaced) columns.push_back({name, key, event::ColumnType::null, true});
    for (const event::Column& column : facts.schema) {
        const auto key = table.snapshot->facts.keys.find(column.key);
        columns.push_back(
            {column.key, key != table.snapshot->facts.keys.end() ? key->second : column.key, column.type});
    }
    TRY(relation, scan::relate(*connection_, *planned, *table.declaration, columns));
    offered_.push_back({relation.input, relation.rows, true});
    const UnionColumns united = unite(facts.schema, schema_of(relation), columns_read(*table.declaration));
    const std::string& obstacle = relation.obstacle.empty() ? united.obstacle : relation.obstacle;
    if (!obstacle.empty()) return select_instead(table, log, obstacle);
    tell_renamed(*table.declaration, relation);
    return fmt::format("SELECT {} FROM {} UNION ALL SELECT {} FROM ({})",
                       select_list(united.columns, &UnionColumn::landed), rows_of(*table.snapshot),
                       select_list(united.columns, &UnionColumn::tail), relation.select);
}

/// Files and tail cannot be one table: the whole log in their place, where it still has all that the files hold.
Result<std::string> Views::select_instead(const Table& table, const TopicLog& log, const std::string& obstacle) {
    const std::string& name = table.declaration->name;
    if (table.snapshot->facts.rows > 0 && !reaches_back(log.range, table.snapshot->facts.ranges))
        return reject("{}, so the files and the log after them cannot be read as one; and in their place the log alone "
                      "would be without what has expired. Read the files with --landed, or land the table anew from "
                      "what the log still has: {} with --force",
                      obstacle, world_.batch_command(name));
    world_.tell(fmt::format("table {}: {}, so the whole log is read. Run {} to land it anew", name, obstacle,
                            world_.batch_command(name)));
    return select_whole(*table.declaration, log);
}

/// What an answer is without, since it is in no file and no longer in the log.
void Views::tell_expired(const scan::TableDeclaration& table, const TopicLog& log,
                         const std::vector<lake::LandedRange>& landed) const {
    const std::int64_t events = events_of(expired_before_landing(log.range, landed));
    if (events > 0)
        world_.tell(fmt::format("table {}: {} event{} expired before they were landed in it, and are not in the answer",
                                table.name, events, events == 1 ? "" : "s"));
}

Result<std::string> Views::select_whole(const scan::TableDeclaration& table, const TopicLog& log) {
    tell_expired(table, log, {});
    TRY(planned, plan(table, log, log.range));
    TRY(relation, scan::relate(*connection_, *planned, table));
    offered_.push_back({relation.input, relation.rows, true});
    tell_renamed(table, relation);
    return relation.select;
}

void Views::tell_renamed(const scan::TableDeclaration& table, const scan::Relation& relation) const {
    for (const auto& [key, name] : relation.renamed)
        world_.tell(fmt::format("table {}: key {} cannot name its column as it is: it is {}", table.name, key, name));
    for (const std::string& column : relation.read_as)
        world_.tell(fmt::format("table {}: its declaration reads {}; where a value is none, it is NULL there",
                                table.name, column));
}

Result<std::shared_ptr<const scan::Plan>> Views::plan(const scan::TableDeclaration& table, const TopicLog& log,
                                                      const scan::LogRange& range) {
    scan::PlanOptions options;
    const auto types = table.event_types();
    options.keep_all = !types.has_value();
    options.keep_types = types.value_or(std::vector<std::string>{});
    options.progress = world_.progress;
    TRY(planned, scan::Plan::make(*log.reader, range, options));
    plans_.push_back(planned);
    return planned;
}

Status Views::make_view(const std::string& name, const std::string& select) {
    return connection_->execute(
        fmt::format("CREATE OR REPLACE TEMP VIEW {} AS {}", duck::quote_identifier(name), select));
}

} // namespace questlog::query
