#include "scan/input_columns.h"

#include "base/letter_case.h"
#include "base/limits.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace questlog::scan {
namespace {

using event::ColumnType;

/// A client that sends a key equal to one of these but for case must not take its name, and with it the place of the
/// real one in `set` and `where`.
std::vector<std::string> declared_names(const TableDeclaration& table) {
    std::vector<std::string> names{"event_type"};
    const auto add_columns_of = [&](const Expression& expression) {
        for (std::string& column : expression.columns()) names.push_back(std::move(column));
    };
    for (const event::Column& column : table.declared) names.push_back(column.key);
    for (const SetColumn& set : table.set) {
        names.push_back(set.column);
        add_columns_of(set.expression);
    }
    if (table.where) add_columns_of(*table.where);
    return names;
}

/// The columns of landed files that came from events: those of `set` and the timestamp come from no key.
std::vector<LandedColumn> landed_inputs(const TableDeclaration& table, const std::vector<LandedColumn>& landed) {
    std::vector<LandedColumn> inputs;
    for (const LandedColumn& column : landed)
        if (column.replaced || (!is_set(table, column.name) && column.name != timestamp_name)) inputs.push_back(column);
    return inputs;
}

} // namespace

bool is_set(const TableDeclaration& table, std::string_view name) {
    return std::any_of(table.set.begin(), table.set.end(),
                       [&](const SetColumn& set) { return equal_but_for_case(set.column, name); });
}

InputColumns::InputColumns(const Plan& plan, const TableDeclaration& table, const std::vector<LandedColumn>& landed)
    : schema_(plan.schema(table.event_types())) {
    std::vector<std::string> keys = plan.keys(table.event_types());
    const bool declared_only = landed.empty() && plan.events(table.event_types()) == 0;
    if (declared_only) {
        schema_ = table.declared;
        for (const event::Column& column : schema_) keys.push_back(column.key);
    }
    NameRights rights{{}, declared_names(table)};
    std::map<std::string_view, const LandedColumn*> only_landed; // by key
    const std::vector<LandedColumn> from_events = landed_inputs(table, landed);
    for (const LandedColumn& column : from_events) {
        rights.landed.push_back({column.key, column.name});
        only_landed.emplace(column.key, &column);
    }
    const std::vector<std::string> names = column_names(keys, rights);
    std::map<std::string_view, std::string_view> name_of;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        name_of.emplace(keys[i], names[i]);
        if (names[i] != keys[i]) renamed_.push_back({keys[i], names[i]});
    }
    std::sort(renamed_.begin(), renamed_.end());
    for (event::Column& column : schema_) {
        const bool is_null = declared_only || column.type == ColumnType::null;
        if (const auto known = only_landed.find(column.key); known != only_landed.end()) {
            column.type = event::widen(column.type, known->second->type);
            only_landed.erase(known);
        }
        all_.push_back({std::string(name_of.at(column.key)), column.key, column.type, false, is_null});
    }
    for (const auto& [key, column] : only_landed) all_.push_back({column->name, column->key, column->type, true, true});
    if (!landed.empty()) find_obstacle(rights, plan.range().size() == 1);
}

/// In one partition what was landed came first, so all its names would be given again as they are, but for those that
/// the declaration gives to a key that came now. Of several partitions it is not known in which order their keys would
/// come: then the names stand if they are the same in whatever order.
void InputColumns::find_obstacle(const NameRights& rights, bool one_partition) {
    if (all_.size() > limits::columns_max)
        obstacle_ =
            fmt::format("with the events that came later it would have more than {} columns", limits::columns_max);
    for (const std::string& declared : rights.declared) {
        const bool is_key = std::any_of(all_.begin(), all_.end(), [&](const InputColumn& column) {
            return !column.is_missing && column.key == declared && column.name != declared;
        });
        const bool is_taken = std::any_of(all_.begin(), all_.end(), [&](const InputColumn& column) {
            return column.key != declared && equal_but_for_case(column.name, declared);
        });
        if (is_key && is_taken && escaped_name(declared) == declared)
            obstacle_ = fmt::format("another key than {}, which the declaration means, has that column", declared);
    }
    if (one_partition || !obstacle_.empty()) return;
    std::vector<std::string> keys;
    for (const InputColumn& column : all_) keys.push_back(column.key);
    for (int order = 0; order < 2; ++order) {
        const std::vector<std::string> names = column_names(keys, {{}, rights.declared});
        for (std::size_t i = 0; i < keys.size(); ++i)
            for (const InputColumn& column : all_)
                if (column.key == keys[i] && column.name != names[i])
                    obstacle_ = fmt::format("the keys of several partitions contend for column {}", names[i]);
        std::reverse(keys.begin(), keys.end());
    }
}

const InputColumn* InputColumns::find(std::string_view name) const {
    const auto by_name = std::find_if(all_.begin(), all_.end(),
                                      [&](const InputColumn& column) { return equal_but_for_case(column.name, name); });
    if (by_name != all_.end()) return &*by_name;
    const auto by_key = std::find_if(all_.begin(), all_.end(), [&](const InputColumn& column) {
        return !column.is_missing && column.key == name && !equal_but_for_case(name, timestamp_name);
    });
    return by_key != all_.end() ? &*by_key : nullptr;
}

event::ColumnType InputColumns::type(std::string_view name) const {
    const InputColumn* column = find(name);
    if (column != nullptr) return column->is_missing ? ColumnType::null : column->type;
    return equal_but_for_case(name, timestamp_name) ? ColumnType::string : ColumnType::null;
}

} // namespace questlog::scan
