#include "query/landing.h"

#include "base/letter_case.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace questlog::query {
namespace {

using event::ColumnType;

struct Sides {
    std::optional<ColumnType> landed;
    std::optional<ColumnType> tail;
};

/// Doubles that become text would have to be as the client wrote them (1.50, 5e3), and that is no longer known.
bool loses_text(const std::optional<ColumnType>& side, ColumnType wide) {
    return side == ColumnType::double_ && wide == ColumnType::string;
}

} // namespace

LandedState landed_state(const scan::TableDeclaration& table, const lake::Snapshot* snapshot, const log::Topic& topic) {
    if (snapshot == nullptr) return LandedState::never;
    if (snapshot->facts.log_id != topic.id) return LandedState::other_log;
    if (snapshot->facts.declaration != table.digest()) return LandedState::declaration_changed;
    return LandedState::landed;
}

Result<scan::LogRange> after_landed(const scan::LogRange& log, const std::vector<lake::LandedRange>& landed) {
    scan::LogRange rest = log;
    for (scan::PartitionRange& range : rest) {
        const auto found = std::find_if(landed.begin(), landed.end(),
                                        [&](const auto& one) { return one.partition == range.partition.value; });
        if (found == landed.end()) continue;
        if (found->to > range.to)
            return corrupt(
                "it was landed up to offset {} of partition {}, and the log ends at {}: a part of the log is "
                "missing. Look at it with `questlog log inspect`; `--landed` reads the files alone",
                found->to, range.partition, range.to);
        range.from = std::max(range.from, found->to);
    }
    return rest;
}

scan::LogRange expired_before_landing(const scan::LogRange& log, const std::vector<lake::LandedRange>& landed) {
    scan::LogRange gone;
    for (const scan::PartitionRange& range : log) {
        const auto found = std::find_if(landed.begin(), landed.end(),
                                        [&](const auto& one) { return one.partition == range.partition.value; });
        const Offset from = found == landed.end() ? range.from : std::min(found->from, range.from);
        const Offset to = found == landed.end() ? range.from : std::min(found->to, range.from);
        if (from > Offset{}) gone.push_back({range.partition, Offset{}, from});
        if (to < range.from) gone.push_back({range.partition, std::max(from, to), range.from});
    }
    return gone;
}

std::int64_t events_of(const scan::LogRange& range) {
    std::int64_t events = 0;
    for (const scan::PartitionRange& part : range) events += part.to.minus(part.from);
    return events;
}

bool reaches_back(const scan::LogRange& log, const std::vector<lake::LandedRange>& landed) {
    return std::all_of(landed.begin(), landed.end(), [&](const lake::LandedRange& had) {
        return had.from == had.to || std::any_of(log.begin(), log.end(), [&](const scan::PartitionRange& has) {
                   return has.partition.value == had.partition && has.from <= had.from;
               });
    });
}

UnionColumns unite(const event::Schema& landed, const event::Schema& tail, const std::vector<std::string>& read) {
    std::map<std::string, Sides> sides; // Bytewise, as std::string compares.
    for (const event::Column& column : landed) sides[column.key].landed = column.type;
    for (const event::Column& column : tail) sides[column.key].tail = column.type;

    UnionColumns result;
    std::set<std::string> lower_names;
    for (const auto& [name, side] : sides) {
        const ColumnType type =
            event::widen(side.landed.value_or(ColumnType::null), side.tail.value_or(ColumnType::null));
        const bool retyped = side.landed && *side.landed != ColumnType::null && *side.landed != type;
        const bool is_read = std::any_of(read.begin(), read.end(),
                                         [&](const std::string& one) { return equal_but_for_case(one, name); });
        if (loses_text(side.landed, type) || loses_text(side.tail, type))
            result.obstacle = fmt::format("column {} holds doubles in some events and text in others", name);
        if (retyped && is_read)
            result.obstacle = fmt::format("column {}, which the table's declaration reads, was {} and is {} with the "
                                          "events that came later",
                                          name, event::type_name(*side.landed), event::type_name(type));
        if (!lower_names.insert(lower_ascii(name)).second)
            result.obstacle = fmt::format("column {} has a twin that differs only in case", name);
        result.columns.push_back({name, type, side.landed.has_value(), side.tail.has_value()});
    }
    return result;
}

std::vector<std::string> columns_read(const scan::TableDeclaration& table) {
    std::vector<std::string> columns;
    const auto add = [&](const scan::Expression& expression) {
        for (std::string& column : expression.columns()) columns.push_back(std::move(column));
    };
    for (const scan::SetColumn& one : table.set) add(one.expression);
    if (table.where) add(*table.where);
    return columns;
}

} // namespace questlog::query
