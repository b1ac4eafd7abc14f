#include "query/continuous_status.h"

#include "event/catalogue.h"
#include "query/continuous.h"
#include "query/row_text.h"
#include "query/text_columns.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::query {

namespace {

using Cure = IntegersWithFractions::Cure;

Cure cure_of(const std::string& event_type, const std::string& key, const event::FieldRules* rules) {
    if (rules != nullptr && rules->type_of(event_type, key) == event::ColumnType::double_) return Cure::rebuild;
    event::EventDeclaration declaration;
    declaration.path = "/x";
    declaration.methods = {"GET"};
    declaration.type = event_type;
    declaration.fields.push_back({key, event::ColumnType::double_});
    return event::Catalogue::make({declaration}).ok() ? Cure::declare : Cure::none;
}

void add_fractions(ContinuousStatus& status, const std::set<std::string>& columns, const lake::ContinuousTable& table,
                   const event::FieldRules* rules) {
    for (const lake::ContinuousColumn& column : table.columns())
        if (columns.contains(column.name))
            status.fractions.push_back({column.name, column.key, cure_of(status.event_type, column.key, rules)});
}

/// Each problem once, with the tables that have it.
std::string problems_text(const std::vector<ContinuousStatus>& tables) {
    constexpr std::size_t named_max = 5;
    std::vector<std::pair<std::string, std::vector<std::string>>> problems;
    for (const ContinuousStatus& table : tables) {
        if (table.problem.empty()) continue;
        auto same = std::find_if(problems.begin(), problems.end(),
                                 [&](const auto& problem) { return problem.first == table.problem; });
        if (same == problems.end()) same = problems.insert(problems.end(), {table.problem, {}});
        same->second.push_back(table.name);
    }
    std::string text;
    for (const auto& [problem, names] : problems) {
        const std::size_t named = std::min(names.size(), named_max);
        text += fmt::format("  {}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(named), ", "));
        if (named < names.size()) text += fmt::format(" and {} more", names.size() - named);
        text += fmt::format(": nothing more is landed: {}\n", problem);
    }
    return text;
}

/// As TOML has a key, and a value where it needs no quotes.
std::string toml_key(const std::string& name) {
    const bool is_bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    if (is_bare) return name;
    std::string quoted;
    append_json(quoted, name);
    return quoted;
}

/// What to do about those that have this cure.
std::string fractions_text(const ContinuousStatus& table, Cure cure) {
    std::string columns;
    std::string fields;
    std::size_t count = 0;
    for (const IntegersWithFractions& one : table.fractions) {
        if (one.cure != cure) continue;
        columns += (count == 0 ? "" : ", ") + one.column;
        fields += fmt::format("{}{} = \"double\"", count == 0 ? "" : ", ", toml_key(one.key));
        ++count;
    }
    if (count == 0) return {};
    const bool many = count > 1;
    const std::string text =
        fmt::format("  {}: column{} {} {} of integers, and events have fractions there, which are in\n"
                    "    _rescued_data. ",
                    table.name, many ? "s" : "", columns, many ? "are" : "is");
    switch (cure) {
    case Cure::declare:
        return text + fmt::format("Declare {} in the [[event]] of type {}, as\n    fields = {{ {} }}, "
                                  "and then run `questlog rebuild {}`.\n",
                                  many ? "them" : "it", toml_key(table.event_type), fields, table.name);
    case Cure::rebuild:
        return text + fmt::format("{} declared {}: `questlog rebuild {}` makes {}.\n", many ? "They are" : "It is",
                                  many ? "doubles" : "a double", table.name, many ? "them so" : "it one");
    case Cure::none:
        return text + fmt::format("Fields cannot be declared by {}: send the value under another.\n",
                                  many ? "their keys" : "its key");
    }
    return text;
}

Result<std::vector<ContinuousStatus>> look_at_tables(const World& world, log::LogReader& log,
                                                     const scan::LogRange& range) {
    TRY(connection, world.database->connect());
    ContinuousTables tables(world, log);
    CHECK_OK(tables.begin());
    CHECK_OK(tables.open(*connection, tables.names()));
    CHECK_OK(tables.read_log(range));
    TRY(ledger, tables.ledger(*connection));
    std::vector<ContinuousStatus> found;
    for (const LedgerRow& row : ledger) {
        if (found.empty() || found.back().name != row.table) {
            ContinuousStatus& made = found.emplace_back();
            made.name = row.table;
            if (const lake::ContinuousTable* table = tables.opened(row.table)) {
                made.files = table->files().size();
                for (const lake::DeltaFile& file : table->files()) made.bytes += file.bytes;
                made.event_type = table->subject().event_type;
                add_fractions(made, tables.fractions(row.table), *table, world.rules.get());
            }
        }
        ContinuousStatus& table = found.back();
        table.accepted += row.accepted;
        table.landed += row.landed;
        table.pending += row.pending;
        table.dead_lettered += row.dead_lettered;
        table.duplicates += row.duplicates;
        table.balanced = table.balanced && row.balanced();
        if (table.problem.empty()) table.problem = row.problem;
    }
    return found;
}

} // namespace

Result<std::vector<ContinuousStatus>> continuous_status(const World& world, log::LogReader& log,
                                                        const scan::LogRange& range) {
    constexpr int attempts_max = 5; // each one is lost only to what expires while it is read
    for (int attempt = 1;; ++attempt) {
        auto tables = look_at_tables(world, log, range);
        const bool may_have_expired = !tables.ok() && tables.error().kind == ErrorKind::reject;
        if (!may_have_expired || attempt == attempts_max) return tables;
    }
}

std::string continuous_text(const std::vector<ContinuousStatus>& tables) {
    constexpr std::size_t shown_max = 50;
    if (tables.empty()) return {};
    const auto any = [&](std::int64_t ContinuousStatus::*count) {
        return std::any_of(tables.begin(), tables.end(), [&](const auto& table) { return table.*count != 0; });
    };
    std::vector<std::pair<std::string, std::int64_t ContinuousStatus::*>> seldom; // shown where there are any
    if (any(&ContinuousStatus::dead_lettered)) seldom.emplace_back("+ dead", &ContinuousStatus::dead_lettered);
    if (any(&ContinuousStatus::duplicates)) seldom.emplace_back("+ dup", &ContinuousStatus::duplicates);
    std::vector<std::vector<std::string>> rows{{"continuous table", "accepted", "= landed", "+ pending"}};
    for (const auto& [title, count] : seldom) rows.front().push_back(title);
    for (const std::string title : {"files", "bytes", ""}) rows.front().push_back(title);
    const std::string problems = problems_text(tables);
    std::string fractions;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const ContinuousStatus& table = tables[i];
        if (i >= shown_max && table.sound() && table.fractions.empty()) continue;
        for (const Cure cure : {Cure::declare, Cure::rebuild, Cure::none}) fractions += fractions_text(table, cure);
        std::vector<std::string>& row =
            rows.emplace_back(std::vector{table.name, fmt::format("{}", table.accepted),
                                          fmt::format("{}", table.landed), fmt::format("{}", table.pending)});
        for (const auto& [title, count] : seldom) row.push_back(fmt::format("{}", table.*count));
        row.push_back(fmt::format("{}", table.files));
        row.push_back(bytes_text(table.bytes));
        row.emplace_back(!table.balanced ? "WRONG" : table.problem.empty() ? "ok" : "stopped");
    }
    std::string out = '\n' + aligned(rows);
    if (rows.size() <= tables.size())
        out += fmt::format("  ... and {} more: `questlog status --json`\n", tables.size() + 1 - rows.size());
    return out + (problems.empty() && fractions.empty() ? "" : '\n' + problems + fractions);
}

std::string continuous_json(const std::vector<ContinuousStatus>& tables) {
    std::string out = "[";
    for (const ContinuousStatus& table : tables) {
        out += out.size() == 1 ? "{\"name\": " : ", {\"name\": ";
        append_json(out, table.name);
        out += fmt::format(", \"files\": {}, \"bytes\": {}, \"accepted\": {}, \"landed\": {}, \"pending\": {}, "
                           "\"dead_lettered\": {}, \"duplicates\": {}, \"balanced\": {}, "
                           "\"integers_with_fractions\": [",
                           table.files, table.bytes, table.accepted, table.landed, table.pending, table.dead_lettered,
                           table.duplicates, table.balanced);
        for (std::size_t i = 0; i < table.fractions.size(); ++i) {
            if (i > 0) out += ", ";
            append_json(out, table.fractions[i].column);
        }
        out += "], \"problem\": ";
        if (table.problem.empty())
            out += "null";
        else
            append_json(out, table.problem);
        out += '}';
    }
    return out + "]";
}

} // namespace questlog::query
