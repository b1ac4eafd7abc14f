#include "query/status.h"

#include "query/landing.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace questlog::query {
namespace {

/// A table's files as they were found, before the log's ends were read.
struct Found {
    const scan::TableDeclaration* declaration = nullptr;
    Result<std::optional<lake::Snapshot>> snapshot = std::optional<lake::Snapshot>();
};

Result<std::int64_t> count_rows(duck::Database& database, const std::vector<std::string>& files) {
    std::string list;
    for (const std::string& file : files) list += (list.empty() ? "" : ", ") + duck::quote_literal(file);
    TRY(connection, database.connect());
    TRY(rows, connection->query(fmt::format("SELECT count(*) FROM read_parquet([{}])", list)));
    TRY(count, rows->next());
    return count == 1 ? rows->bigint(0, 0) : 0;
}

std::int64_t events_of(const scan::LogRange& range) {
    std::int64_t events = 0;
    for (const scan::PartitionRange& part : range) events += part.to.minus(part.from);
    return events;
}

scan::LogRange range_of(const TopicStatus& topic) {
    scan::LogRange range;
    for (const PartitionStatus& partition : topic.partitions)
        range.push_back({partition.partition, partition.start, partition.durable_end});
    return range;
}

/// A table whose files SQL does not use has everything before it.
void leave_pending(TableStatus& status, TableState state, std::string problem) {
    status.state = state;
    status.problem = std::move(problem);
    status.books = Books{.accepted = status.books.accepted, .pending = status.books.accepted};
}

TableStatus table_status(const World& world, const Found& found, const log::Topic& topic, const scan::LogRange& range) {
    TableStatus status;
    status.name = found.declaration->name;
    status.path = found.declaration->path;
    status.books.accepted = events_of(range);
    status.books.pending = status.books.accepted;
    if (!found.snapshot.ok()) {
        leave_pending(status, TableState::damaged, found.snapshot.error().message);
        return status;
    }
    if (!*found.snapshot) return status;
    const lake::Snapshot& snapshot = **found.snapshot;
    const auto rows = count_rows(*world.database, snapshot.files);
    status.landed = snapshot.facts.ranges;
    status.bytes = snapshot.bytes;
    status.files = snapshot.names;
    if (!rows.ok()) {
        leave_pending(status, TableState::damaged, rows.error().message);
        return status;
    }
    status.rows = *rows;
    switch (landed_state(*found.declaration, &snapshot, topic)) {
    case LandedState::never: break;
    case LandedState::declaration_changed:
        leave_pending(status, TableState::declaration_changed,
                      fmt::format("run {} to land it anew", world.batch_command(status.name)));
        break;
    case LandedState::other_log:
        leave_pending(status, TableState::other_log,
                      fmt::format("landed from log {}: run {} to land it anew", snapshot.facts.log_id,
                                  world.batch_command(status.name)));
        break;
    case LandedState::landed: {
        const auto tail = after_landed(range, snapshot.facts.ranges);
        if (!tail.ok()) {
            leave_pending(status, TableState::ahead_of_log, tail.error().message);
            break;
        }
        status.state = TableState::landed;
        status.books.landed = *rows;
        status.books.pending = events_of(*tail);
        status.books.filtered = snapshot.facts.filtered;
        status.books.dead_lettered = snapshot.facts.dead_lettered;
        if (!status.books.balanced())
            status.problem =
                fmt::format("the books do not balance: run {} to land it anew", world.batch_command(status.name));
        break;
    }
    }
    return status;
}

Status read_log(const World& world, const log::Topic& topic, TopicStatus& status) {
    TRY(reader, log::open_reader(world.env, world.topics, topic));
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
        log::PartitionReader& partition = reader->partition(Partition{i});
        TRY(start, partition.start_offset());
        TRY(end, partition.end_offset());
        TRY(bytes, partition.bytes());
        status.partitions.push_back({Partition{i}, start, end, bytes});
    }
    return {};
}

TopicStatus topic_status(const World& world, const std::string& name, const std::vector<Found>& tables) {
    TopicStatus status;
    status.name = name;
    const auto topic = world.topics.find(name);
    if (!topic.ok()) {
        status.problem = topic.error().message;
        return status;
    }
    status.log_id = topic->id;
    if (const Status read = read_log(world, *topic, status); !read.ok()) {
        status.problem = read.error().message;
        status.partitions.clear();
        return status;
    }
    const scan::LogRange range = range_of(status);
    for (const Found& table : tables) {
        if (table.declaration->topic == name) status.tables.push_back(table_status(world, table, *topic, range));
    }
    return status;
}

} // namespace

std::string_view name_of(TableState state) {
    switch (state) {
    case TableState::never_landed: return "never landed";
    case TableState::landed: return "landed";
    case TableState::declaration_changed: return "declaration changed";
    case TableState::other_log: return "other log";
    case TableState::ahead_of_log: return "ahead of log";
    case TableState::damaged: return "damaged";
    }
    return "damaged";
}

bool StatusReport::sound() const {
    return std::all_of(topics.begin(), topics.end(), [](const TopicStatus& topic) {
        return topic.problem.empty() &&
               std::all_of(topic.tables.begin(), topic.tables.end(),
                           [](const TableStatus& table) { return table.problem.empty() && table.books.balanced(); });
    });
}

Result<StatusReport> status(const World& world) {
    std::vector<Found> tables;
    for (const scan::TableDeclaration& declaration : world.tables) {
        if (!declaration.path.empty()) tables.push_back({&declaration, world.store.open(declaration.path)});
    }
    TRY(topics, world.topics.list());
    if (topics.empty()) CHECK_OK(world.topics.find(world.topic));
    std::vector<std::string> names;
    for (const log::Topic& topic : topics) names.push_back(topic.name);
    for (const Found& table : tables) names.push_back(table.declaration->topic);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());

    StatusReport report;
    for (const std::string& name : names) report.topics.push_back(topic_status(world, name, tables));
    return report;
}

} // namespace questlog::query
