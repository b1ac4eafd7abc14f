#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::event {

/// What a column can be. The order is not a lattice; widen() is.
enum class ColumnType : std::uint8_t {
    null, ///< Only nulls were seen; read as string.
    boolean,
    bigint, ///< JSON integers within int64.
    double_,
    string, ///< Everything else: strings as they are, other values as their JSON text.
};

/// The narrowest type that holds both: null yields, bigint with double is double, any other mixture is string.
[[nodiscard]] ColumnType widen(ColumnType one, ColumnType other);
/// "boolean", "bigint", "double", "string" (null reads as "string").
[[nodiscard]] std::string_view type_name(ColumnType type);

/// A key of an event and the column it is read into.
struct Column {
    std::string key; ///< As in the JSON.
    ColumnType type = ColumnType::null;
    auto operator<=>(const Column&) const = default;
};

/// Columns sorted bytewise by key, each key once.
using Schema = std::vector<Column>;

/// The column that holds, as a JSON object, what an event has beyond its schema: keys above limits::columns_max, values
/// that do not fit their column, and a key of this very name. A schema has it only where some event needs it.
inline constexpr std::string_view rescued_data_key = "_rescued_data";

/// The column of `key`, or nullptr.
[[nodiscard]] const Column* find_column(const Schema& schema, std::string_view key);
/// Every key of either, each at the wider type.
[[nodiscard]] Schema merge(const Schema& one, const Schema& other);

} // namespace questlog::event
