#pragma once

#include "app/toml_table.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>

namespace questlog::app {

/// Where the tables are: [lake] of questlog.toml, or `lake = "..."` in its first lines. docs/formats/config.md
struct LakeConfig {
    std::string root = "lake";        ///< A folder under the data folder, an absolute one, or "hdfs://HOST:PORT/PATH".
    std::string webhdfs;              ///< "HOST:PORT" of the NameNode's HTTP; empty: the root's host, port 9870.
    std::string user;                 ///< Whom HDFS takes us for; empty: HADOOP_USER_NAME, or the user of the process.
    std::optional<int> replication{}; ///< Of new files on HDFS; none: the cluster's own.
    std::int64_t cache_bytes_max = std::int64_t{10} << 30; ///< Of files of HDFS on the local disk.

    [[nodiscard]] bool is_on_hdfs() const;
};

/// What `root` may be; the error says what to write instead.
Status check_lake_root(const std::string& root);

/// `given` (--lake) goes before the file's root. `root` is the file's outermost table.
Result<LakeConfig> parse_lake(TomlTable& root, const std::optional<std::string>& given);

} // namespace questlog::app
