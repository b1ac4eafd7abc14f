#pragma once

#include "lake/snapshot.h"
#include "log/retention.h"
#include "query/world.h"
#include "scan/plan.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

/// What the declared tables still need of a log, so that retention leaves it. docs/decisions/0010-retention.md
namespace questlog::query {

/// One table's claim on its topic's log: all from `landed_to` on. A table that was never landed, that cannot be read,
/// or whose files SQL does not use, has landed nothing.
struct Claim {
    std::string table;
    std::vector<Offset> landed_to; ///< By partition.
    std::string state;             ///< "was never landed", as a clause.
    std::string advice;            ///< What lands the rest, a clause with the command.
};

/// The claim of one table as its files are. `log` is all that the log has, of every partition. Pure.
[[nodiscard]] Claim claim_of(const scan::TableDeclaration& table, const Result<std::optional<lake::Snapshot>>& snapshot,
                             const log::Topic& topic, const scan::LogRange& log, const std::string& batch_command);

/// The claim of the continuous tables, all of them together: what is not landed in each. Where the log is not the one
/// that was landed, that is all of it. nullopt: they make none.
Result<std::optional<Claim>> continuous_claim(const World& world, log::LogReader& log);

/// The claims of the world's tables on the topic. Reads the tables' footers. Those of World::spare_tables make none
/// until they were landed once.
Result<std::vector<Claim>> claims_on(const World& world, log::LogReader& log);

/// The claim that holds the most of the partition back; nullptr where there is none.
[[nodiscard]] const Claim* tightest(const std::vector<Claim>& claims, Partition partition);

/// What is to expire of each partition, and what the claims keep. Without claims: what the limits alone let go of.
Result<std::vector<log::TrimPlan>> plan_trims(io::Env env, const log::Topics& topics, log::LogReader& log,
                                              const log::RetentionLimits& limits, const std::vector<Claim>& claims);

/// "table swords was never landed, which keeps offsets 0..41 of partition 0 (3 segments, 3145728 bytes): `questlog
/// batch NAME` lands it"; empty where the plan keeps nothing.
[[nodiscard]] std::string kept_text(const log::TrimPlan& plan, const std::vector<Claim>& claims);

/// How many events of those that the plan lets go the table has not landed.
[[nodiscard]] std::int64_t unlanded_events(const log::TrimPlan& plan, const Claim& claim);

} // namespace questlog::query
