#include "app/lake_section.h"

#include "hdfs/hdfs_files.h"

#include <charconv>
#include <fmt/format.h>

namespace questlog::app {
namespace {

constexpr std::int64_t cache_bytes_least = std::int64_t{64} << 20; // less would fetch each file for each query
constexpr std::int64_t cache_bytes_most = std::int64_t{1} << 60;
constexpr std::int64_t replication_most = 512; // HDFS's own limit
constexpr int port_most = 65'535;

Status check_address(const std::string& address) {
    const std::size_t colon = address.rfind(':');
    int port = 0;
    if (colon != std::string::npos && colon > 0) {
        const char* digits = address.data() + colon + 1;
        const char* end = address.data() + address.size();
        if (std::from_chars(digits, end, port).ptr != end) port = 0;
    }
    if (port < 1 || port > port_most || address.find_first_of("/@?# \t") != std::string::npos)
        return reject("webhdfs \"{}\" is no HOST:PORT; write the address of the NameNode's web page, as webhdfs = "
                      "\"namenode:9870\"",
                      address);
    return {};
}

} // namespace

bool LakeConfig::is_on_hdfs() const {
    return hdfs::is_hdfs_uri(root);
}

Status check_lake_root(const std::string& root) {
    if (root.empty()) return reject("root is empty; write a folder, as root = \"lake\"");
    if (hdfs::is_hdfs_uri(root)) {
        CHECK_OK(hdfs::parse_hdfs_uri(root));
        return {};
    }
    if (const std::size_t scheme = root.find("://"); scheme != std::string::npos)
        return reject("\"{}\" is of a store that questlog does not know; write a folder, as \"lake\", or "
                      "hdfs://HOST:PORT/PATH",
                      root);
    return {};
}

Result<LakeConfig> parse_lake(TomlTable& root, const std::optional<std::string>& given) {
    LakeConfig config;
    if (root.is_string("lake")) {
        TRY(short_form, root.string("lake"));
        config.root = short_form.value_or(config.root);
        if (const Status checked = check_lake_root(config.root); !checked.ok())
            return root.wrong("lake", checked.error().message);
        if (given) config.root = *given;
        return config;
    }
    TRY(lake, root.table("lake"));
    if (!lake) {
        if (given) config.root = *given;
        return config;
    }
    TRY(own_root, lake->string("root"));
    TRY(webhdfs, lake->string("webhdfs"));
    TRY(user, lake->string("user"));
    TRY(replication, lake->integer("replication", 1, replication_most));
    TRY(cache_bytes_max, lake->integer("cache_bytes_max", cache_bytes_least, cache_bytes_most));
    CHECK_OK(lake->finish());
    if (own_root)
        if (const Status checked = check_lake_root(*own_root); !checked.ok())
            return lake->wrong("root", checked.error().message);
    if (webhdfs)
        if (const Status checked = check_address(*webhdfs); !checked.ok())
            return lake->wrong("webhdfs", checked.error().message);
    if (user && user->empty())
        return lake->wrong("user", "user is empty; write whom HDFS takes questlog for, as user = \"games\"");
    config.root = given ? *given : own_root.value_or(config.root);
    config.webhdfs = webhdfs.value_or("");
    config.user = user.value_or("");
    if (replication) config.replication = static_cast<int>(*replication);
    config.cache_bytes_max = cache_bytes_max.value_or(config.cache_bytes_max);
    return config;
}

} // namespace questlog::app
