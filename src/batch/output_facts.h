#pragma once

#include "batch/replacement.h"
#include "batch/run.h"

#include <functional>

/// What the ways to make an output have in common; for run.cpp, engine_run.cpp and
/// declared_verification.cpp alone.
namespace questlog::batch {

/// How many events the log has there.
Result<std::int64_t> events_in(log::LogReader& log, const scan::LogRange& range);
/// The log within the range, and what repairs of it gave up, wherever.
Result<LogSpan> span_of(log::LogReader& log, const scan::LogRange& range);

/// Of the table that is being made of `relation`, over `span`.
[[nodiscard]] lake::SnapshotFacts facts_of(const LogSpan& span, const scan::TableDeclaration& table,
                                           const scan::Relation& relation, const Counts& counts);

/// Balances the run's counts with what the files say, into `report.tally`.
Status accept_written(Counts counts, const lake::SnapshotFacts& written, OutputReport& report);

} // namespace questlog::batch
