#pragma once

#include "base/guarded.h"
#include "base/result.h"
#include "hdfs/answers.h"
#include "hdfs/webhdfs_client.h"
#include "io/env.h"
#include "io/scratch_folder.h"

#include <cstdint>
#include <memory>
#include <string>

/// Files of HDFS that never change, kept on the local disk. docs/formats/hdfs.md, "The local cache".
namespace questlog::hdfs {

/// A file's bytes on the local disk, under a name of this process alone, which goes with this object.
class LocalCopy final : public io::File {
public:
    LocalCopy(io::Files& local, std::string path, std::int64_t size)
        : local_(local), path_(std::move(path)), size_(size) {}
    ~LocalCopy() override;
    LocalCopy(const LocalCopy&) = delete;
    LocalCopy& operator=(const LocalCopy&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

    Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) override;
    Status write_at(std::int64_t position, std::span<const std::byte> bytes) override;
    Status truncate(std::int64_t size) override;
    Result<bool> reserve(std::int64_t size) override;
    Status sync_data() override { return {}; }
    Result<std::int64_t> size() override { return size_; }

private:
    io::Files& local_;
    std::string path_;
    std::int64_t size_;
    Guarded<std::shared_ptr<io::File>> open_; ///< Null until something is read here.
};

/// Any thread, and any number of processes with the same folder. A file is found by its HDFS id, length and time of
/// modification, so that one that was replaced is another file. What is in use stays readable whatever is evicted.
class FileCache {
public:
    /// `directory` is on the local disk and made when it is needed. At most `bytes_max` stay there; a file that is in
    /// use is not counted once it is evicted.
    FileCache(io::Env local, std::string directory, std::int64_t bytes_max);

    /// The bytes of the file at `path`, whose status is `status`: from here, or fetched, and then checked by length
    /// and HDFS's checksum. nullopt: it is not there any more.
    Result<std::shared_ptr<LocalCopy>> get(WebHdfsClient& client, const std::string& path, const FileStatus& status);
    /// Keeps the bytes of `local_file`, which were sent and are `status` there. `local_file` must be on the same file
    /// system and never change. What cannot be kept is not.
    void keep(const FileStatus& status, const std::string& local_file);

    /// Bytes as a local file.
    Result<std::shared_ptr<LocalCopy>> hold(std::string_view bytes);

    /// A folder of this process alone on the local disk; what is there goes with the process.
    Result<std::string> scratch() { return scratch_.path(); }

private:
    [[nodiscard]] std::string place_of(const FileStatus& status) const;
    Result<std::string> own_name();
    Result<bool> fetch(WebHdfsClient& client, const std::string& path, const FileStatus& status,
                       const std::string& into);
    Status make_room(std::int64_t bytes);

    io::Env local_;
    std::string directory_;
    std::int64_t bytes_max_;
    io::ScratchFolder scratch_;
    Guarded<std::int64_t> names_;
};

} // namespace questlog::hdfs
