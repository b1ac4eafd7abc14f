#pragma once

#include "duck/duck.h"

#include <array>
#include <string_view>

/// Delta's names of the types; for the .cpp files of lake/ alone.
namespace questlog::lake {

struct DeltaType {
    std::string_view name;
    duck::ValueType type;
    bool is_ours; ///< Columns of the type are written here; of the others, read.
};

inline constexpr std::array<DeltaType, 10> delta_types = {{{"boolean", duck::ValueType::boolean, true},
                                                           {"long", duck::ValueType::bigint, true},
                                                           {"double", duck::ValueType::double_, true},
                                                           {"string", duck::ValueType::varchar, true},
                                                           {"binary", duck::ValueType::blob, true},
                                                           {"timestamp", duck::ValueType::timestamp_tz, true},
                                                           {"integer", duck::ValueType::bigint, false},
                                                           {"short", duck::ValueType::bigint, false},
                                                           {"byte", duck::ValueType::bigint, false},
                                                           {"float", duck::ValueType::double_, false}}};

/// nullptr: none of them.
constexpr const DeltaType* delta_type(std::string_view name) {
    for (const DeltaType& type : delta_types)
        if (type.name == name) return &type;
    return nullptr;
}

/// "string" for what is not ours.
constexpr std::string_view delta_type_name(duck::ValueType type) {
    for (const DeltaType& known : delta_types)
        if (known.type == type) return known.name;
    return "string";
}

} // namespace questlog::lake
