#include "batch/output_facts.h"

namespace questlog::batch {

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
