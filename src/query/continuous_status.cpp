#include "query/continuous_status.h"

#include "query/continuous.h"
#include "query/row_text.h"
#include "query/text_columns.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::query {

namespace {

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
            }
        }
        ContinuousStatus& table = found.back();
        table.accepted += row.accepted;
        table.landed += row.landed;
        table.pending += row.pending;
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
    const bool any_duplicates =
        std::any_of(tables.begin(), tables.end(), [](const auto& t) { return t.duplicates != 0; });
    std::vector<std::vector<std::string>> rows{
        {"continuous table", "accepted", "= landed", "+ pending", "files", "bytes", ""}};
    if (any_duplicates) rows.front().insert(rows.front().begin() + 4, "+ duplicates");
    std::string problems;
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const ContinuousStatus& table = tables[i];
        if (!table.problem.empty())
            problems += fmt::format("  {}: nothing more is landed: {}\n", table.name, table.problem);
        if (i >= shown_max && table.sound()) continue;
        rows.push_back({table.name, fmt::format("{}", table.accepted), fmt::format("{}", table.landed),
                        fmt::format("{}", table.pending), fmt::format("{}", table.files), bytes_text(table.bytes),
                        !table.balanced         ? "WRONG"
                        : table.problem.empty() ? "ok"
                                                : "stopped"});
        if (any_duplicates) rows.back().insert(rows.back().begin() + 4, fmt::format("{}", table.duplicates));
    }
    std::string out = '\n' + aligned(rows);
    if (rows.size() <= tables.size())
        out += fmt::format("  ... and {} more: `questlog status --json`\n", tables.size() + 1 - rows.size());
    return out + (problems.empty() ? "" : '\n' + problems);
}

std::string continuous_json(const std::vector<ContinuousStatus>& tables) {
    std::string out = "[";
    for (const ContinuousStatus& table : tables) {
        out += out.size() == 1 ? "{\"name\": " : ", {\"name\": ";
        append_json(out, table.name);
        out += fmt::format(", \"files\": {}, \"bytes\": {}, \"accepted\": {}, \"landed\": {}, \"pending\": {}, "
                           "\"duplicates\": {}, \"balanced\": {}, \"problem\": ",
                           table.files, table.bytes, table.accepted, table.landed, table.pending, table.duplicates,
                           table.balanced);
        if (table.problem.empty())
            out += "null";
        else
            append_json(out, table.problem);
        out += '}';
    }
    return out + "]";
}

} // namespace questlog::query
