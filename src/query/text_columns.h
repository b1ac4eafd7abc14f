#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// Numbers and columns for a terminal.
namespace questlog::query {

[[nodiscard]] std::string bytes_text(std::int64_t bytes); ///< "999 B", "1.5 MiB"

/// Rows of cells under their headings: the first column to the left, the others to the right, two spaces between.
[[nodiscard]] std::string aligned(const std::vector<std::vector<std::string>>& rows);

} // namespace questlog::query
