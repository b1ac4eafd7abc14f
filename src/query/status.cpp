#include "query/status.h"

#include "log/segment_check.h"
#include "query/landing.h"
#include "query/retention.h"

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
    TRY(connection, database.connect());
    TRY(rows, connection->query("SELECT count(*) FROM " + duck::read_parquet(files)));
    TRY(count, rows->next());
    return count == 1 ? rows->bigint(0, 0) : 0;
}

scan::LogRange range_of(const TopicStatus& topic) {
    scan::LogRange range;
    for (const PartitionStatus& partition : topic.partitions)
        range.push_back({partition.partition, partition.start, partition.durable_end});
    return range;
}

/// How many events of the range were given up by repairs.
std::int64_t lost_of(const TopicStatus& topic, const scan::LogRange& range) {
    std::int64_t lost = 0;
    for (const scan::PartitionRange& part : range)
        lost += log::lost_between(topic.partitions.at(static_cast<std::size_t>(part.partition.value)).holes, part.from,
                                  part.to);
    return lost;
}

/// Of the offsets that a table's files cover, those that were gone before they were landed.
std::int64_t lost_before_landing(const TopicStatus& topic, const lake::SnapshotFacts& facts) {
    scan::LogRange covered;
    for (const lake::LandedRange& range : facts.ranges)
        covered.push_back({Partition{range.partition}, range.from, range.to});
    return std::clamp<std::int64_t>(events_of(covered) - facts.examined, 0, lost_of(topic, covered));
}

/// Of the offsets that a table's files cover, those that never had an event: a cluster's transactions take offsets, its
/// compaction leaves them behind, and what was sent there twice is read once.
std::int64_t without_event(const World& world, const lake::SnapshotFacts& facts) {
    if (world.embedded != nullptr) return 0;
    std::int64_t covered = 0;
    for (const lake::LandedRange& range : facts.ranges) covered += range.to.minus(range.from);
    return std::max<std::int64_t>(0, covered - facts.examined);
}

/// What the table's files say by themselves.
TableStatus files_status(const World& world, const Found& found) {
    TableStatus status;
    status.name = found.declaration->name;
    status.path = found.declaration->path;
    if (!found.snapshot.ok()) {
        status.state = TableState::damaged;
        status.problem = found.snapshot.error().message;
        return status;
    }
    if (!*found.snapshot) return status;
    const lake::Snapshot& snapshot = **found.snapshot;
    status.state = TableState::log_unreadable;
    status.landed = snapshot.facts.ranges;
    status.bytes = snapshot.bytes;
    status.files = snapshot.names;
    const auto rows = count_rows(*world.database, snapshot.files);
    if (rows.ok()) {
        status.rows = *rows;
    } else {
        status.state = TableState::damaged;
        status.problem = rows.error().message;
    }
    return status;
}

/// The files against the log: whether SQL uses them, and where every event is. A table whose files SQL does not use has
/// everything before it.
void compare_with_log(const World& world, const Found& found, const log::Topic& topic, const TopicStatus& log,
                      TableStatus& status) {
    const scan::LogRange range = range_of(log);
    const scan::LogRange expired = expired_before_landing(range, {});
    const std::int64_t lost = lost_of(log, range);
    const std::int64_t lost_of_expired = lost_of(log, expired);
    Books& books = status.books.emplace(Books{.accepted = events_of(range) + events_of(expired),
                                              .pending = events_of(range) - lost,
                                              .lost = lost + lost_of_expired,
                                              .expired = events_of(expired) - lost_of_expired});
    if (status.state == TableState::damaged || !*found.snapshot) return;
    const lake::SnapshotFacts& facts = (*found.snapshot)->facts;
    switch (landed_state(*found.declaration, &**found.snapshot, topic)) {
    case LandedState::never: status.state = TableState::never_landed; return;
    case LandedState::declaration_changed:
        status.state = TableState::declaration_changed;
        status.problem = fmt::format("run {} to land it anew", world.batch_command(status.name));
        return;
    case LandedState::other_log:
        status.state = TableState::other_log;
        status.problem =
            fmt::format("landed from log {}: run {} to land it anew", facts.log_id, world.batch_command(status.name));
        return;
    case LandedState::landed: break;
    }
    const auto tail = after_landed(range, facts.ranges);
    if (!tail.ok()) {
        status.state = TableState::ahead_of_log;
        status.problem = tail.error().message;
        return;
    }
    status.state = TableState::landed;
    books.accepted -= without_event(world, facts);
    books.landed = status.rows;
    const std::int64_t lost_after = lost_of(log, *tail);
    books.pending = events_of(*tail) - lost_after;
    const scan::LogRange never_landed = expired_before_landing(range, facts.ranges);
    const std::int64_t lost_of_never_landed = lost_of(log, never_landed);
    books.lost = lost_after + lost_of_never_landed + lost_before_landing(log, facts);
    books.expired = events_of(never_landed) - lost_of_never_landed;
    books.filtered = facts.filtered;
    books.dead_lettered = facts.dead_lettered;
    if (!books.balanced())
        status.problem =
            fmt::format("the books do not balance: run {} to land it anew", world.batch_command(status.name));
}

Result<PartitionStatus> partition_status(const World& world, const log::Topic& topic, log::PartitionReader& partition) {
    PartitionStatus status;
    status.partition = partition.partition();
    TRY(end, partition.end_offset());
    status.durable_end = end;
    TRY(sync, partition.sync_state());
    status.synced_end = sync.synced_end;
    status.lost_events = sync.lost_events;
    TRY(unforwarded, partition.unforwarded());
    status.unforwarded = unforwarded;
    Status checked;
    if (world.embedded != nullptr)
        checked = log::check_segments(world.env, *world.embedded, topic, status.partition,
                                      [&] { return partition.end_offset(); });
    const auto start = partition.start_offset();
    const Result<std::int64_t> bytes = world.embedded != nullptr ? partition.bytes() : std::int64_t{0};
    auto holes = partition.holes();
    if (start.ok()) status.start = *start;
    if (bytes.ok() && world.embedded != nullptr) status.bytes = *bytes;
    if (holes.ok()) status.holes = std::move(*holes);
    if (!checked.ok())
        status.problem = checked.error().message;
    else if (!bytes.ok())
        status.problem = bytes.error().message;
    else if (!holes.ok())
        status.problem = holes.error().message;
    return status;
}

/// What the tables keep of the log beyond its limits. A log that cannot be told of has a problem of its own.
void tell_kept(const World& world, log::LogReader& log, const std::vector<Found>& tables, TopicStatus& status) {
    if (status.retention.unlimited() || world.embedded == nullptr) return;
    std::vector<Claim> claims;
    for (const Found& found : tables) {
        const bool spare =
            found.snapshot.ok() && !*found.snapshot && world.spare_tables.contains(found.declaration->name);
        if (spare || found.declaration->topic != log.topic().name) continue;
        claims.push_back(claim_of(*found.declaration, found.snapshot, log.topic(), range_of(status),
                                  world.batch_command(found.declaration->name)));
    }
    if (auto continuous = continuous_claim(world, log); continuous.ok() && *continuous)
        claims.push_back(std::move(**continuous));
    const auto plans = plan_trims(world.env, *world.embedded, log, status.retention, claims);
    if (!plans.ok()) return;
    for (const log::TrimPlan& plan : *plans) {
        const Claim* claim = tightest(claims, plan.partition);
        if (plan.kept.empty() || claim == nullptr) continue;
        status.kept.push_back({plan.partition, plan.kept.front().base, plan.kept.back().end, log::bytes_of(plan.kept),
                               claim->table, claim->state, claim->advice});
    }
}

Status read_log(const World& world, const log::Topic& topic, const std::vector<Found>& tables, TopicStatus& status) {
    TRY(reader, world.topics.open(topic, [&](const std::string& what) { world.tell("recovery: " + what); }));
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
        TRY(partition, partition_status(world, topic, reader->partition(Partition{i})));
        status.partitions.push_back(std::move(partition));
    }
    status.retention = log::limits_of(topic, world.retention);
    tell_kept(world, *reader, tables, status);
    const bool is_readable = std::all_of(status.partitions.begin(), status.partitions.end(),
                                         [](const PartitionStatus& partition) { return partition.problem.empty(); });
    if (topic.name != world.topic || !is_readable) return {};
    auto continuous = continuous_status(world, *reader, range_of(status));
    if (continuous.ok())
        status.continuous = std::move(*continuous);
    else
        status.continuous_problem = continuous.error().message;
    return {};
}

TopicStatus topic_status(const World& world, const std::string& name, const std::vector<Found>& tables) {
    TopicStatus status;
    status.name = name;
    status.cluster = world.cluster;
    const auto topic = world.topics.find(name);
    if (topic.ok()) {
        status.log_id = topic->id;
        if (const Status read = read_log(world, *topic, tables, status); !read.ok()) {
            status.problem = read.error().message;
            status.partitions.clear();
        }
    } else {
        status.problem = topic.error().message;
    }
    for (const Found& table : tables) {
        if (table.declaration->topic != name) continue;
        TableStatus& one = status.tables.emplace_back(files_status(world, table));
        if (status.problem.empty()) compare_with_log(world, table, *topic, status, one);
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
    case TableState::log_unreadable: return "log unreadable";
    }
    return "damaged";
}

std::string_view name_of(ServerState state) {
    switch (state) {
    case ServerState::none: return "none";
    case ServerState::running: return "running";
    case ServerState::stopping: return "stopping";
    case ServerState::silent: return "silent";
    }
    return "silent";
}

bool StatusReport::sound() const {
    return std::all_of(topics.begin(), topics.end(), [](const TopicStatus& topic) {
        return topic.problem.empty() && topic.continuous_problem.empty() &&
               std::all_of(topic.continuous.begin(), topic.continuous.end(),
                           [](const ContinuousStatus& table) { return table.sound(); }) &&
               std::all_of(topic.partitions.begin(), topic.partitions.end(),
                           [](const PartitionStatus& partition) { return partition.problem.empty(); }) &&
               std::all_of(topic.tables.begin(), topic.tables.end(), [](const TableStatus& table) {
                   return table.problem.empty() && table.books && table.books->balanced();
               });
    });
}

Result<StatusReport> status(const World& world) {
    std::vector<Found> tables;
    for (const scan::TableDeclaration& declaration : world.tables) {
        if (!declaration.path.empty()) tables.push_back({&declaration, world.store.open(declaration.path)});
    }
    TRY(names, world.topics.names());
    if (names.empty()) CHECK_OK(world.topics.find(world.topic));
    for (const Found& table : tables) names.push_back(table.declaration->topic);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());

    StatusReport report;
    for (const std::string& name : names) report.topics.push_back(topic_status(world, name, tables));
    return report;
}

} // namespace questlog::query
