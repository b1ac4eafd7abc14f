#include "batch/output_facts.h"

namespace questlog::batch {

Result<std::int64_t> events_in(log::LogReader& log, const scan::LogRange& range) {
    std::int64_t events = 0;
    for (const scan::PartitionRange& part : range) {
        TRY(there, log.partition(part.partition).events_between(part.from, part.to));
        events += there;
    }
    return events;
}

Result<LogSpan> span_of(log::LogReader& log, const scan::LogRange& range) {
    LogSpan span{log.topic().id, log.topic().name, {}, {}};
    for (const scan::PartitionRange& part : range) {
        span.ranges.push_back({part.partition.value, part.from, part.to});
        TRY(holes, log.partition(part.partition).holes());
        for (const log::Hole& hole : holes) span.lost.push_back({part.partition.value, hole.from, hole.to});
    }
    return span;
}

lake::SnapshotFacts facts_of(const LogSpan& span, const scan::TableDeclaration& table, const scan::Relation& relation,
                             const Counts& counts) {
    lake::SnapshotFacts facts;
    facts.log_id = span.log_id;
    facts.topic = span.topic;
    facts.declaration = table.digest();
    facts.ranges = span.ranges;
    for (const auto& [key, name] : relation.renamed) facts.keys.emplace(name, key);
    for (const auto& [key, name] : relation.replaced) facts.replaced.emplace(name, key);
    facts.nulls = relation.nulls;
    facts.examined = counts.in_range;
    facts.dead_lettered = counts.plan.not_events;
    return facts;
}

Status accept_written(Counts counts, const lake::SnapshotFacts& written, OutputReport& report) {
    counts.landed = written.rows;
    TRY(tally, balance(counts));
    if (written.filtered != tally.of(Fate::filtered) || written.dead_lettered != tally.of(Fate::dead_lettered))
        return internal("the file's books are not the run's: {} and {} filtered, {} and {} dead letters; please "
                        "report it",
                        written.filtered, tally.of(Fate::filtered), written.dead_lettered,
                        tally.of(Fate::dead_lettered));
    report.tally = tally;
    return {};
}

} // namespace questlog::batch
