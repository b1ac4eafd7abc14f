#pragma once

#include "hdfs/answers.h"

#include <cstdint>
#include <string>
#include <vector>

/// What `hdfs dfs -ls` prints.
namespace questlog::app {

/// One line of a listing. `status.name` is not printed.
struct ListedPath {
    hdfs::FileStatus status;
    std::string path; ///< As it is printed.
};

/// The lines, in columns as wide as the widest of them. Times are UTC.
[[nodiscard]] std::string listing_text(const std::vector<ListedPath>& entries, bool human_sizes);
/// "Found 2 items\n"; empty for none, as there.
[[nodiscard]] std::string listing_header(std::size_t entries);
/// 2458 -> "2.4 K", as with -h.
[[nodiscard]] std::string human_size(std::int64_t bytes);
/// "644" of a folder -> "drw-r--r--"; a sticky folder's last letter is t.
[[nodiscard]] std::string permission_text(const hdfs::FileStatus& status);

} // namespace questlog::app
