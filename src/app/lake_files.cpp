#include "app/lake_files.h"

#include "app/context.h"

#include <cstdlib>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace questlog::app {
namespace {

constexpr int webhdfs_port = 9870;

/// As Hadoop's own clients find it.
std::string user_of_process() {
    if (const char* named = std::getenv("HADOOP_USER_NAME"); named != nullptr && *named != '\0') return named;
    if (const passwd* user = ::getpwuid(::geteuid()); user != nullptr) return user->pw_name;
    return fmt::format("{}", ::geteuid());
}

} // namespace

Result<WebHdfsAccess> webhdfs_access(const LakeConfig& lake) {
    TRY(root, hdfs::parse_hdfs_uri(lake.root));
    return WebHdfsAccess{lake.webhdfs.empty() ? fmt::format("{}:{}", root.host, webhdfs_port) : lake.webhdfs,
                         lake.user.empty() ? user_of_process() : lake.user};
}

Result<std::unique_ptr<hdfs::HdfsFiles>> open_hdfs(io::Env local, const LakeConfig& lake, const std::string& data) {
    if (!lake.is_on_hdfs()) return std::unique_ptr<hdfs::HdfsFiles>();
    TRY(root, hdfs::parse_hdfs_uri(lake.root));
    TRY(access, webhdfs_access(lake));
    hdfs::HdfsOptions options;
    options.client.namenode = std::move(access.namenode);
    options.client.user = std::move(access.user);
    options.client.replication = lake.replication;
    options.client.stopped = stop_requested;
    options.root = std::move(root);
    options.cache_directory = data + "/cache/hdfs";
    options.cache_bytes_max = lake.cache_bytes_max;
    return std::make_unique<hdfs::HdfsFiles>(local, std::move(options));
}

} // namespace questlog::app
