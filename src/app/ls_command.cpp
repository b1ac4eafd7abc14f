#include "app/commands.h"
#include "app/lake_files.h"
#include "app/listing_text.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <sys/stat.h>

/// `questlog ls`: what lies in the lake, or anywhere on its file system, as `hdfs dfs -ls` prints it.
namespace questlog::app {
namespace {

using hdfs::FileStatus;

/// Where to look, and how the path is printed.
struct AskedPath {
    std::string path;
    std::string shown;
};

/// A file system, as far as a listing asks for it. nullopt: there is no such path.
struct Store {
    std::function<Result<std::optional<FileStatus>>(const std::string& path)> status;
    std::function<Result<std::vector<FileStatus>>(const std::string& path)> list; ///< Sorted by name.
};

template <class Record> std::string name_or(const Record* record, char* Record::*name, unsigned number) {
    return record == nullptr ? fmt::format("{}", number) : record->*name;
}

Result<std::optional<FileStatus>> local_status(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return std::optional<FileStatus>{};
        return reject("cannot look at {}: {}", path, std::generic_category().message(errno));
    }
    FileStatus status;
    status.name = path.substr(path.rfind('/') + 1);
    status.kind = S_ISDIR(found.st_mode) ? io::Kind::directory : io::Kind::file;
    status.length = S_ISDIR(found.st_mode) ? 0 : std::int64_t{found.st_size};
    status.modified = TimestampMs{std::int64_t{found.st_mtim.tv_sec} * 1000};
    status.replication = 1;
    status.permission = fmt::format("{:o}", found.st_mode & 01777);
    status.owner = name_or(::getpwuid(found.st_uid), &passwd::pw_name, found.st_uid);
    status.group = name_or(::getgrgid(found.st_gid), &group::gr_name, found.st_gid);
    return std::optional(std::move(status));
}

Result<std::vector<FileStatus>> local_list(io::Files& files, const std::string& path) {
    TRY(entries, files.list(path));
    std::vector<FileStatus> statuses;
    for (const io::Entry& entry : entries) {
        TRY(status, local_status(path + "/" + entry.name));
        if (!status) continue; // removed meanwhile
        status->name = entry.name;
        statuses.push_back(std::move(*status));
    }
    return statuses;
}

Store local_store(io::Files& files) {
    return {local_status, [&files](const std::string& path) { return local_list(files, path); }};
}

Store hdfs_store(hdfs::WebHdfsClient& client) {
    const auto list = [&client](const std::string& path) -> Result<std::vector<FileStatus>> {
        TRY(entries, client.list(path));
        if (!entries) return reject("{} was removed while it was looked at", path);
        std::ranges::sort(*entries, {}, &FileStatus::name);
        return std::move(*entries);
    };
    return {[&client](const std::string& path) { return client.status(path); }, list};
}

std::string without_slash(std::string path) {
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
}

std::string below(const std::string& folder, const std::string& name) {
    return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

class Listing {
public:
    Listing(const Context& context, const LsArguments& arguments, Store store)
        : context_(context), arguments_(arguments), store_(std::move(store)) {}

    Status print(const AskedPath& place) {
        TRY(found, store_.status(place.path));
        if (!found) return fail(ErrorKind::internal, "ls: `{}': No such file or directory", place.shown); // 1, as there
        if (found->kind != io::Kind::directory)
            return context_.print(listing_text({{std::move(*found), place.shown}}, arguments_.human_sizes));
        return folder(place);
    }

private:
    Status folder(const AskedPath& place) {
        TRY(statuses, store_.list(place.path));
        std::vector<ListedPath> entries;
        for (FileStatus& status : statuses) {
            std::string shown = below(place.shown, status.name);
            entries.push_back({std::move(status), std::move(shown)});
        }
        if (!arguments_.recursive) {
            CHECK_OK(context_.print(listing_header(entries.size())));
            return context_.print(listing_text(entries, arguments_.human_sizes));
        }
        for (const ListedPath& entry : entries) {
            CHECK_OK(context_.print(listing_text({entry}, arguments_.human_sizes)));
            if (entry.status.kind == io::Kind::directory)
                CHECK_OK(folder({below(place.path, entry.status.name), entry.path}));
        }
        return {};
    }

    const Context& context_;
    const LsArguments& arguments_;
    Store store_;
};

} // namespace

/// A path without a slash in front is the lake's; "/..." is of the file system that the lake is on.
Status run(const Context& context, const LsArguments& arguments) {
    const std::string root = context.lake_root();
    const std::string given = without_slash(arguments.path.value_or(root));
    const bool is_whole = given.starts_with('/') || hdfs::is_hdfs_uri(given) || given == root;
    if (!context.config.lake.is_on_hdfs() && !hdfs::is_hdfs_uri(given))
        return Listing(context, arguments, local_store(context.env.files))
            .print({is_whole ? given : below(root, given), given});

    LakeConfig lake = context.config.lake;
    if (hdfs::is_hdfs_uri(given)) lake.root = given;
    const bool is_other = !lake.is_on_hdfs() || !context.config.lake.is_on_hdfs();
    if (is_other) lake.webhdfs.clear();
    TRY(files, open_hdfs(context.env, lake, context.data));
    const std::string uri = hdfs::is_hdfs_uri(given) || is_whole ? given : below(root, given);
    const std::string path = files->remote(uri).value_or(uri);
    return Listing(context, arguments, hdfs_store(files->client())).print({path, given});
}

} // namespace questlog::app
