#pragma once

#include "base/result.h"

#include <cerrno>
#include <cstddef>
#include <string>
#include <string_view>

/// What every COPY to Parquet has in common; for the .cpp files of lake/ alone.
namespace questlog::lake {

/// Of folders in `.staging` with what is made again beside a table, to be compared.
inline constexpr std::string_view copy_prefix = "verify-";

/// Also what DuckDB's COPY says when the disk, or the user's part of it, is full.
inline bool is_full_disk(const Error& error) {
    return error.system_errno == ENOSPC || error.system_errno == EDQUOT ||
           error.message.find("No space left on device") != std::string::npos ||
           error.message.find("Disk quota exceeded") != std::string::npos;
}

/// DuckDB sets a megabyte aside for the dictionary of each column of strings: a thousand of them would be more than its
/// memory, however few the rows.
inline std::string_view dictionary_option(std::size_t columns) {
    constexpr std::size_t few_columns = 128;
    return columns <= few_columns ? "" : ", STRING_DICTIONARY_PAGE_SIZE_LIMIT 65536";
}

} // namespace questlog::lake
