#include "batch/cut_landing.h"

#include "base/limits.h"
#include "scan/continuous.h"
#include "scan/landed_log.h"
#include "scan/table_names.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::batch {
namespace {

std::vector<scan::LandedColumn> as_landed(const std::vector<lake::ContinuousColumn>& columns) {
    std::vector<scan::LandedColumn> landed;
    for (const auto& [name, key, type] : columns) landed.push_back({name, key, type, false});
    return landed;
}

std::vector<lake::ContinuousColumn> as_continuous(const std::vector<scan::LandedColumn>& columns) {
    std::vector<lake::ContinuousColumn> continuous;
    for (const scan::LandedColumn& column : columns) continuous.push_back({column.name, column.key, column.type});
    return continuous;
}

} // namespace

Result<CutLanding> CutLanding::plan(log::LogReader& log, Partition partition, const lake::PlannedCut& cut,
                                    const KnownTables& known, const FindRepeats& find_repeats) {
    CutLanding landing;
    landing.cut_ = cut;
    landing.topic_ = log.topic().name;
    landing.stretch_ = {log.topic().id, partition, cut.from, cut.to};
    log::PartitionReader& reader = log.partition(partition);
    CHECK_OK(scan::check_landed(reader, cut.to, cut.last));
    CHECK_OK(reader.make_durable(cut.to)); // a table must not be ahead of its log
    TRY(start, reader.start_offset());
    scan::PlanOptions options;
    options.keep_dead_letters = true;
    options.rules = known.rules;
    if (!find_repeats)
        options.known = {{cut.repeats, cut.invalid}};
    else
        options.find_repeats = [&](const scan::PartitionRange&, const std::vector<event::IdSighting>& ids) {
            return find_repeats(ids);
        };
    const Offset from = std::min(std::max(cut.from, start), cut.to);
    TRY(plan, scan::Plan::make(log, {{partition, from, cut.to}}, options));
    landing.plan_ = std::move(plan);
    landing.add_parts(known);
    return landing;
}

void CutLanding::add_parts(const KnownTables& known) {
    const scan::PlanTally& tally = plan_->tally();
    scan::TypesByTable types = scan::types_by_table(*plan_, known.names);
    for (auto& [name, type] : types.tables)
        parts_.push_back({name, {topic_, type, false}, plan_->events(std::vector{type})});
    without_table_ = std::move(types.without_table);
    const std::int64_t dead_letters =
        tally.not_events + tally.beyond_types + tally.invalid + plan_->events(without_table_);
    if (dead_letters > 0) parts_.push_back({std::string(scan::dead_letters_name), {topic_, {}, true}, dead_letters});
    for (const auto& [type, places] : plan_->repeats())
        part_of(type).repeats += static_cast<std::int64_t>(places.size());
    for (const auto& [type, places] : plan_->invalid())
        part_of(type).invalid += static_cast<std::int64_t>(places.size());
}

/// The part in whose books the type's events are that are landed nowhere.
TablePart& CutLanding::part_of(const std::string& type) {
    const std::string name = scan::books_of(type);
    const auto part =
        std::find_if(parts_.begin(), parts_.end(), [&](const TablePart& one) { return one.name == name; });
    if (part != parts_.end()) return *part;
    return parts_.emplace_back(TablePart{name, {topic_, type, type.empty()}});
}

Result<bool> CutLanding::land(const TablePart& part, lake::ContinuousStore& store, duck::Database& database,
                              KnownTables& known) const {
    TRY(connection, database.connect());
    auto found = known.opened.find(part.name);
    if (found == known.opened.end()) {
        lake::ContinuousTable made = store.make(part.name, part.subject);
        CHECK_OK(store.refresh(*connection, made));
        found = known.opened.emplace(part.name, std::move(made)).first;
    } else {
        CHECK_OK(store.refresh(*connection, found->second)); // before its rows are written for nothing
    }
    lake::ContinuousTable& table = found->second;
    while (true) {
        const Offset landed_to = table.landed_to(stretch_.log_id, stretch_.partition);
        if (landed_to >= stretch_.to) return false;
        if (landed_to > stretch_.from)
            return corrupt("offsets up to {} of partition {} are in the table, and the cut {}..{} is recorded, which "
                           "would land some of them again: `questlog rebuild {}` makes the table anew from the log",
                           landed_to.plus(-1), stretch_.partition, stretch_.from, stretch_.to.plus(-1), part.name);
        if (table.subject().event_type != part.subject.event_type)
            return reject("{} holds events of type {}, and not of {}", table.folder(), table.subject().event_type,
                          part.subject.event_type);
        TRY(landed, part_for(*connection, part, table));
        TRY(committed, store.append(*connection, table, landed));
        known.names.insert(part.name);
        if (committed) return true;
        CHECK_OK(store.refresh(*connection, table));
    }
}

std::vector<std::string> CutLanding::fractions(const TablePart& part, const lake::ContinuousTable& table) const {
    if (part.subject.is_dead_letters) return {};
    return scan::integers_that_meet_fractions(*plan_, part.subject.event_type, as_landed(table.columns()));
}

Result<lake::LandedPart> CutLanding::part_for(duck::Connection& connection, const TablePart& part,
                                              const lake::ContinuousTable& table) const {
    if (part.subject.is_dead_letters) return landed_as(connection, part, {});
    return landed_as(
        connection, part,
        as_continuous(scan::continuous_columns(*plan_, part.subject.event_type, as_landed(table.columns()))));
}

Result<lake::LandedPart> CutLanding::landed_as(duck::Connection& connection, const TablePart& part,
                                               const std::vector<lake::ContinuousColumn>& columns) const {
    lake::LandedPart landed{stretch_, cut_.date, columns, {}, part.events};
    if (part.subject.is_dead_letters) {
        const std::string source = connection.fresh_name("questlog_dead_letters");
        CHECK_OK(connection.offer(source, plan_->dead_letters(without_table_)));
        landed.select = fmt::format(R"(SELECT {} AS topic, _partition AS "partition", _offset AS "offset", )"
                                    R"(_timestamp AS "timestamp", reason, value FROM {})",
                                    duck::quote_literal(topic_), source);
        return landed;
    }
    TRY(relation, scan::relate_continuous(connection, *plan_, part.subject.event_type, as_landed(columns)));
    landed.select = std::move(relation.select);
    return landed;
}

} // namespace questlog::batch
