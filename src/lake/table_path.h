#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

namespace questlog::lake {

namespace limits {
inline constexpr std::size_t escaped_path_bytes_max = 200; ///< It becomes one file name, with a suffix, of at most 255.
} // namespace limits

/// A table's path under the lake root: parts joined by '/', each non-empty, none beginning with '.' or '_' (readers of
/// Parquet folders skip such names, and the lake keeps its own things under them), no control characters.
/// `reject` says which rule is broken.
Status check_table_path(std::string_view path);

/// The path as one file name: [A-Za-z0-9_-] as they are, every other byte as %XX. Distinct paths stay distinct.
[[nodiscard]] std::string escaped_table_path(std::string_view path);

} // namespace questlog::lake
