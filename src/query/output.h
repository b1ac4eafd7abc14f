#pragma once

#include "base/result.h"
#include "query/session.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace questlog::query {

namespace limits {
inline constexpr std::size_t table_rows_max =
    10'000; ///< Rows that the table format prints; its widths need them all at once.
inline constexpr std::size_t output_chunk_bytes = 64 * 1024;
} // namespace limits

enum class Format : std::uint8_t {
    table,   ///< For a person: a box of all columns, numbers to the right; control characters escaped.
    csv,     ///< RFC 4180 with a header row and LF; NULL is an empty field, the empty text is "".
    json,    ///< One array of objects, an object a line; numbers and booleans as such, all else as strings.
    parquet, ///< A snappy Parquet file.
};
/// By name, "table"; nullopt for any other.
[[nodiscard]] std::optional<Format> format_named(std::string_view name);

using Sink = std::function<Status(std::string_view bytes)>; ///< An error ends the output with it.

/// Runs `sql` and writes its rows. csv, json and parquet pass through in chunks, however many rows there are.
Status run_sql(const World& world, Session& session, const std::string& sql, Format format, const Sink& sink);

} // namespace questlog::query
