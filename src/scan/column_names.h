#pragma once

#include "event/schema.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

/// How the keys of events name columns. Keys are clients' text; columns are names in SQL, which knows no case.
namespace questlog::scan {

/// `key` with each character outside [A-Za-z0-9_-] as `_x<hex code point>_`, and at most 64 bytes long: what is longer
/// ends in a checksum of the key. "a.b" -> "a_x2E_b".
[[nodiscard]] std::string escaped_name(std::string_view key);

/// One name for each column of `schema`, all different also when case is ignored. It is escaped_name(key), with a
/// suffix _2, _3 ... where that is taken: by an earlier key that is equal but for case, by a name of the row itself
/// (timestamp, _offset, _partition, _rescued_data), or, in another case, by a name in `kept`: those of landed files and
/// of the declaration, which stay with the keys that have them to the letter.
[[nodiscard]] std::vector<std::string> column_names(const event::Schema& schema, std::span<const std::string> kept);

/// DuckDB's type of a column: "BOOLEAN", "BIGINT", "DOUBLE", "VARCHAR" (also of nothing but nulls).
[[nodiscard]] std::string_view sql_type(event::ColumnType type);

} // namespace questlog::scan
