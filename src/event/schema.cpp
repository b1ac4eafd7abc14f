#include "event/schema.h"

#include <algorithm>

namespace questlog::event {

ColumnType widen(ColumnType one, ColumnType other) {
    if (one == other || other == ColumnType::null) return one;
    if (one == ColumnType::null) return other;
    const auto numeric = [](ColumnType type) { return type == ColumnType::bigint || type == ColumnType::double_; };
    return numeric(one) && numeric(other) ? ColumnType::double_ : ColumnType::string;
}

std::string_view type_name(ColumnType type) {
    switch (type) {
    case ColumnType::null: return "string";
    case ColumnType::boolean: return "boolean";
    case ColumnType::bigint: return "bigint";
    case ColumnType::double_: return "double";
    case ColumnType::string: return "string";
    }
    return "string";
}

Schema merge(const Schema& one, const Schema& other) {
    Schema merged;
    merged.reserve(std::max(one.size(), other.size()));
    auto left = one.begin();
    auto right = other.begin();
    while (left != one.end() && right != other.end()) {
        const int order = left->key.compare(right->key);
        if (order < 0) {
            merged.push_back(*left++);
        } else if (order > 0) {
            merged.push_back(*right++);
        } else {
            merged.push_back({left->key, widen(left->type, right->type)});
            ++left;
            ++right;
        }
    }
    merged.insert(merged.end(), left, one.end());
    merged.insert(merged.end(), right, other.end());
    return merged;
}

const Column* find_column(const Schema& schema, std::string_view key) {
    const auto found = std::lower_bound(schema.begin(), schema.end(), key,
                                        [](const Column& column, std::string_view k) { return column.key < k; });
    return found != schema.end() && found->key == key ? &*found : nullptr;
}

} // namespace questlog::event
