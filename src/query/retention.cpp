#include "query/retention.h"

#include "lake/landing_records.h"
#include "query/landing.h"
#include "scan/landed_log.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::query {
namespace {

/// The range of it that was landed of the partition; nullopt: none.
std::optional<lake::LandedRange> landed_of(const lake::SnapshotFacts& facts, Partition partition) {
    for (const lake::LandedRange& range : facts.ranges)
        if (range.partition == partition.value) return range;
    return std::nullopt;
}

/// Why the files have landed nothing that counts; empty where they have.
std::string unused_state(const scan::TableDeclaration& table, const Result<std::optional<lake::Snapshot>>& snapshot,
                         const log::Topic& topic, const scan::LogRange& log) {
    if (!snapshot.ok()) return "cannot be read";
    switch (landed_state(table, *snapshot ? &**snapshot : nullptr, topic)) {
    case LandedState::never: return "was never landed";
    case LandedState::declaration_changed: return "was landed under another declaration";
    case LandedState::other_log: return "was landed from another log";
    case LandedState::landed: break;
    }
    return after_landed(log, (*snapshot)->facts.ranges).ok() ? "" : "was landed beyond the log's end";
}

Result<scan::LogRange> range_of(log::LogReader& log) {
    scan::LogRange range;
    for (Partition partition{0}; partition.value < log.topic().partitions; ++partition.value) {
        TRY(from, log.partition(partition).start_offset());
        TRY(to, log.partition(partition).end_offset());
        range.push_back({partition, from, to});
    }
    return range;
}

} // namespace

Claim claim_of(const scan::TableDeclaration& table, const Result<std::optional<lake::Snapshot>>& snapshot,
               const log::Topic& topic, const scan::LogRange& log, const std::string& batch_command) {
    Claim claim;
    claim.table = table.name;
    claim.landed_to.resize(static_cast<std::size_t>(topic.partitions));
    claim.state = unused_state(table, snapshot, topic, log);
    claim.advice = batch_command + " lands it";
    for (const scan::PartitionRange& part : log) {
        const auto landed = snapshot.ok() && *snapshot ? landed_of((*snapshot)->facts, part.partition) : std::nullopt;
        // What lies between the log's start and the landed range was not landed.
        if (claim.state.empty() && landed && landed->from <= part.from)
            claim.landed_to[static_cast<std::size_t>(part.partition.value)] = landed->to;
    }
    if (claim.state.empty()) claim.state = "has not landed the rest";
    // From a log that begins later the job makes a table without what has expired, and only if it is told to.
    if (snapshot.ok() && *snapshot && (*snapshot)->facts.rows > 0 && !reaches_back(log, (*snapshot)->facts.ranges))
        claim.advice = fmt::format("{} with --force makes it anew from what the log still has, without its rows of "
                                   "events that have expired",
                                   batch_command);
    return claim;
}

Result<std::optional<Claim>> continuous_claim(const World& world, log::LogReader& log) {
    const log::Topic& topic = log.topic();
    if (topic.name != world.topic) return std::optional<Claim>{};
    Claim claim{std::string(lake::continuous_folder) + "/*",
                {},
                "has not landed the rest",
                "`questlog serve` and `questlog land` land it"};
    bool was_landed = false;
    for (Partition partition{0}; partition.value < topic.partitions; ++partition.value) {
        TRY(books, lake::LandingRecords(world.env, world.continuous.lake_root(), topic.id, partition).books());
        Offset& landed_to = claim.landed_to.emplace_back();
        if (!books) continue;
        was_landed = true;
        const Status same = scan::check_landed(log.partition(partition), books->landed_to, books->last);
        if (!same.ok()) {
            if (same.error().kind != ErrorKind::corrupt) return same.error();
            claim.state = "was landed from another log";
            claim.advice = "`questlog status` says what to do";
            continue;
        }
        landed_to = books->landed_to;
        for (const auto& [name, table] : books->tables) {
            if (!table.stopped_at || *table.stopped_at >= landed_to) continue;
            landed_to = *table.stopped_at;
            claim.table = name;
            claim.state = "is stopped";
            claim.advice = "`questlog status` says why";
        }
    }
    if (!was_landed && !world.lands) return std::optional<Claim>{};
    if (!was_landed) claim.state = "was never landed";
    return std::optional(std::move(claim));
}

Result<std::vector<Claim>> claims_on(const World& world, log::LogReader& log) {
    std::vector<std::pair<const scan::TableDeclaration*, Result<std::optional<lake::Snapshot>>>> tables;
    for (const scan::TableDeclaration& table : world.tables) {
        if (table.path.empty() || table.topic != log.topic().name) continue;
        auto snapshot = world.store.open(table.path);
        const bool spare = snapshot.ok() && !*snapshot && world.spare_tables.contains(table.name);
        if (!spare) tables.emplace_back(&table, std::move(snapshot));
    }
    TRY(continuous, continuous_claim(world, log));
    TRY(range, range_of(log)); // after the files: none is ahead of it
    std::vector<Claim> claims;
    claims.reserve(tables.size() + 1);
    for (const auto& [table, snapshot] : tables)
        claims.push_back(claim_of(*table, snapshot, log.topic(), range, world.batch_command(table->name)));
    if (continuous) claims.push_back(std::move(*continuous));
    return claims;
}

const Claim* tightest(const std::vector<Claim>& claims, Partition partition) {
    const auto number = static_cast<std::size_t>(partition.value);
    const auto least = std::min_element(claims.begin(), claims.end(), [&](const Claim& one, const Claim& other) {
        return one.landed_to[number] < other.landed_to[number];
    });
    return least == claims.end() ? nullptr : &*least;
}

Result<std::vector<log::TrimPlan>> plan_trims(io::Env env, const log::Topics& topics, log::LogReader& log,
                                              const log::RetentionLimits& limits, const std::vector<Claim>& claims) {
    std::vector<log::TrimPlan> plans;
    for (Partition partition{0}; partition.value < log.topic().partitions; ++partition.value) {
        TRY(age, log::look_at_age(env, topics, log, partition, limits));
        const Claim* claim = tightest(claims, partition);
        const Offset floor =
            claim == nullptr ? log::no_floor : claim->landed_to[static_cast<std::size_t>(partition.value)];
        plans.push_back(log::plan_trim(age, limits, floor));
    }
    return plans;
}

std::string kept_text(const log::TrimPlan& plan, const std::vector<Claim>& claims) {
    const Claim* claim = tightest(claims, plan.partition);
    if (plan.kept.empty() || claim == nullptr) return {};
    return fmt::format("table {} {}, which keeps offsets {}..{} of partition {} ({} segment{}, {} bytes) beyond the "
                       "retention limits: {}",
                       claim->table, claim->state, plan.kept.front().base, plan.kept.back().end.plus(-1),
                       plan.partition, plan.kept.size(), plan.kept.size() == 1 ? "" : "s", log::bytes_of(plan.kept),
                       claim->advice);
}

std::int64_t unlanded_events(const log::TrimPlan& plan, const Claim& claim) {
    const Offset landed = claim.landed_to[static_cast<std::size_t>(plan.partition.value)];
    return std::max<std::int64_t>(0, plan.new_start().minus(std::max(plan.start, landed)));
}

} // namespace questlog::query
