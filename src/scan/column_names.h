#pragma once

#include "event/schema.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// How the keys of events name columns. Keys are clients' text; columns are names in SQL, which knows no case.
namespace questlog::scan {

inline constexpr std::size_t name_bytes_max = 64; ///< Of a column of tables that are landed, and of a table.

/// `key` with each character outside [A-Za-z0-9_-] as `_x<hex code point>_`, and at most 64 bytes long: what is longer
/// ends in a checksum of the key. "a.b" -> "a_x2E_b".
[[nodiscard]] std::string escaped_name(std::string_view key);

/// A key of events and the column that it names.
struct NamedKey {
    std::string key;
    std::string name;
    auto operator<=>(const NamedKey&) const = default;
};

/// A column of a table's landed files.
struct LandedColumn {
    std::string name;
    std::string key; ///< That it was made from; its name where that is no event's key (`set`, timestamp).
    event::ColumnType type = event::ColumnType::null;
    bool replaced = false; ///< By `set`: the files do not have it, and its key had the name all the same.
};

/// Who has a right to a name, before the keys come in their order.
struct NameRights {
    std::vector<NamedKey> landed;      ///< Keeps its name, and no other key gets it, in any case.
    std::vector<std::string> declared; ///< Names that the declaration means: theirs, if a key is so to the letter.
    std::vector<std::string> row{"timestamp", "_offset", "_partition"}; ///< Names of the row itself: no key gets one.
};

/// One name for each of `keys`, which stand in the order of their first appearance; all different also when case is
/// ignored. It is escaped_name(key), with a suffix _2, _3 ... where that is taken: by someone with a right to it, by a
/// key that appeared earlier, or by the row itself (of which _rescued_data is always one). So later keys change no name
/// that is given, unless it is of `declared`.
[[nodiscard]] std::vector<std::string> column_names(std::span<const std::string> keys, const NameRights& rights);

/// DuckDB's type of a column: "BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR" (also of nothing but nulls).
[[nodiscard]] std::string_view sql_type(event::ColumnType type);

} // namespace questlog::scan
