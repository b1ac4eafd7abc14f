#pragma once

#include "app/lake_section.h"
#include "base/result.h"
#include "hdfs/hdfs_files.h"
#include "io/env.h"

#include <memory>
#include <string>

namespace questlog::app {

/// How clients of WebHDFS come to a lake on HDFS.
struct WebHdfsAccess {
    std::string namenode; ///< "HOST:PORT" of its HTTP.
    std::string user;
};
Result<WebHdfsAccess> webhdfs_access(const LakeConfig& lake);

/// The machine's files, and HDFS's where the lake is there. Null where it is not. `local` outlives it.
Result<std::unique_ptr<hdfs::HdfsFiles>> open_hdfs(io::Env local, const LakeConfig& lake, const std::string& data);

} // namespace questlog::app
