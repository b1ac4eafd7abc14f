#include "scan/range_census.h"

#include "base/limits.h"
#include "scan/plan_data.h"

#include <algorithm>

namespace questlog::scan {
namespace {

/// What event::Census keeps of a type: the columns first seen, and whether something is left over.
PlannedType planned(TypeCensus& census) {
    PlannedType type;
    type.events = census.events;
    bool rescues = false;
    for (TypeCensus::Key& key : census.keys) {
        if (key.key == event::rescued_data_key || type.keys.size() >= limits::columns_max) {
            rescues = true;
            continue;
        }
        type.schema.push_back({key.key, key.type});
        type.keys.emplace_back(key.appeared, std::move(key.key));
    }
    if (rescues) type.schema.push_back({std::string(event::rescued_data_key), event::ColumnType::string});
    std::sort(type.schema.begin(), type.schema.end());
    return type;
}

} // namespace

std::shared_ptr<const Plan> plan_of_census(const LogRange& range, RangeCensus census,
                                           const std::vector<std::string>& asked_for) {
    const auto data = std::make_shared<PlanData>();
    data->range = range;
    data->set_aside.resize(range.size());
    data->tally.events = census.events;
    data->tally.not_events = census.not_events;
    data->tally.other_types = census.other_types;
    for (const std::string& name : asked_for)
        if (data->type_by_name.emplace(name, data->types.size()).second) data->types.emplace_back();
    for (TypeCensus& type : census.types) {
        data->tally.kept += type.events;
        const auto [place, is_new] = data->type_by_name.emplace(type.name, data->types.size());
        if (is_new) data->types.emplace_back();
        data->types[place->second] = planned(type);
    }
    return plan_over(data);
}

} // namespace questlog::scan
