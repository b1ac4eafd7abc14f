#pragma once

#include "base/guarded.h"
#include "hdfs/file_cache.h"
#include "hdfs/leases.h"
#include "hdfs/webhdfs_client.h"
#include "io/env.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::hdfs {

/// "hdfs://HOST:PORT/path": the NameNode as Hadoop's clients know it, and a folder.
struct HdfsUri {
    std::string host;
    int port = 0;
    std::string path; ///< Absolute, without a slash at its end: empty for HDFS's root.

    [[nodiscard]] std::string authority() const { return "hdfs://" + (host + ":" + std::to_string(port)); }
    [[nodiscard]] std::string text() const { return authority() + path; }
};
[[nodiscard]] bool is_hdfs_uri(std::string_view text);
Result<HdfsUri> parse_hdfs_uri(std::string_view text); ///< `reject` says what to write instead.

struct HdfsOptions {
    HdfsUri root;
    ClientOptions client;
    LeaseOptions leases{};
    std::string cache_directory;
    std::int64_t cache_bytes_max = std::int64_t{10} << 30;
};

/// Files on HDFS, for paths that begin with the root's "hdfs://HOST:PORT"; all other paths are the machine's, and go to
/// `local`. Any thread. What differs from a local disk:
///
///   A file that is made is written as a whole, by its first sync_data(); before, it is not there. There are no others.
///   Files that the lake never changes (Parquet, plans, Delta commits, all in staging), and those that
///   library_path_of() is asked for, come from the local cache. What a listing said of them is believed for two
///   seconds. exchange() is made of renames, as io::Files says. lock() is a lease; all that changes something fails
///   once a lease that is held was lost. sync_directory() has nothing to do: the NameNode has synced its log when it
///   answers.
class HdfsFiles final : public io::Files {
public:
    /// `local` outlives this.
    HdfsFiles(io::Env local, HdfsOptions options);
    ~HdfsFiles() override;

    Result<std::unique_ptr<io::File>> open(const std::string& path, io::Open mode) override;
    Status make_directories(const std::string& path) override;
    Status rename(const std::string& from, const std::string& to) override;
    Result<bool> rename_new(const std::string& from, const std::string& to) override;
    Status exchange(const std::string& one, const std::string& other) override;
    Status remove_file(const std::string& path) override;
    Status remove_tree(const std::string& path) override;
    Status sync_directory(const std::string& path) override;
    Result<std::vector<io::Entry>> list(const std::string& path) override;
    Result<io::Stat> stat(const std::string& path) override;
    Result<std::int64_t> free_bytes(const std::string& path) override;
    Result<std::unique_ptr<io::SharedWord>> map_word(const std::string& path, io::Open mode) override;
    Result<std::unique_ptr<io::Lock>> lock(const std::string& path, int slot, Share share,
                                           std::chrono::milliseconds wait) override;
    Result<bool> locked(const std::string& path, int slot) override;
    Result<std::string> scratch_directory(const std::string& near) override;
    Status adopt(const std::string& scratch_path, const std::string& path) override;
    Result<std::string> library_path(io::File& file) override;
    Result<LibraryPath> library_path_of(const std::string& path) override;

    [[nodiscard]] WebHdfsClient& client() { return client_; }
    /// The absolute path on HDFS; nullopt: it is the machine's.
    [[nodiscard]] std::optional<std::string> remote(std::string_view path) const;

private:
    friend class NewFile;
    friend class PlacedFile;

    Result<std::shared_ptr<LocalCopy>> cached(const std::string& remote_path);
    std::optional<FileStatus> known(const std::string& remote_path);
    Result<std::optional<FileStatus>> recent_status(const std::string& remote_path);
    void remember(const std::string& folder, const std::vector<FileStatus>& entries);
    void forget(const std::string& remote_path);
    Result<WebHdfsClient::Renamed> renamed(const std::string& from, const std::string& to,
                                           WebHdfsClient::Replace replace);
    Status move(const std::string& from, const std::string& to);
    [[nodiscard]] Error across(const std::string& one, const std::string& other) const;
    [[nodiscard]] std::string name_of(const std::string& remote_path) const { return authority_ + remote_path; }
    [[nodiscard]] Error missing(std::string_view action, const std::string& remote_path) const;

    struct Known {
        FileStatus status;
        std::chrono::nanoseconds since{};
    };
    struct Memory {
        std::map<std::string, Known, std::less<>> files; ///< What listings said a moment ago.
        std::set<std::string, std::less<>> folders;      ///< Made by this process, or found there.
    };

    io::Env local_;
    std::string authority_;
    WebHdfsClient client_;
    Leases leases_;
    FileCache cache_;
    Guarded<Memory> memory_;
};

} // namespace questlog::hdfs
