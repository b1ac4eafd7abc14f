#pragma once

#include "hdfs/hdfs_files.h"

#include <string>

namespace questlog::hdfs {

/// A file that is made: its bytes are here until sync_data() sends them. One thread.
class NewFile final : public io::File {
public:
    NewFile(HdfsFiles& files, std::string remote_path, bool must_be_new)
        : files_(files), path_(std::move(remote_path)), must_be_new_(must_be_new) {}

    Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) override;
    Status write_at(std::int64_t position, std::span<const std::byte> bytes) override;
    Status truncate(std::int64_t size) override;
    Result<bool> reserve(std::int64_t) override { return false; }
    Status sync_data() override;
    Result<std::int64_t> size() override { return static_cast<std::int64_t>(bytes_.size()); }

    /// The bytes in a local file, as they are now.
    Result<std::string> spilled();

private:
    HdfsFiles& files_;
    std::string path_;
    bool must_be_new_;
    bool is_sent_ = false;
    std::string bytes_;
    std::shared_ptr<LocalCopy> spilled_;
};

/// A file that lies there as a whole and is synced: what is left to ask for is its size.
class PlacedFile final : public io::File {
public:
    PlacedFile(HdfsFiles& files, std::string remote_path) : files_(files), path_(std::move(remote_path)) {}

    Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) override;
    Status write_at(std::int64_t position, std::span<const std::byte> bytes) override;
    Status truncate(std::int64_t size) override;
    Result<bool> reserve(std::int64_t) override { return false; }
    Status sync_data() override { return {}; }
    Result<std::int64_t> size() override;

private:
    HdfsFiles& files_;
    std::string path_;
};

/// A file that never changes, by its local copy.
class CachedFile final : public io::File {
public:
    explicit CachedFile(std::shared_ptr<LocalCopy> copy) : copy_(std::move(copy)) {}

    Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) override {
        return copy_->read_at(position, into);
    }
    Status write_at(std::int64_t position, std::span<const std::byte> bytes) override {
        return copy_->write_at(position, bytes);
    }
    Status truncate(std::int64_t size) override { return copy_->truncate(size); }
    Result<bool> reserve(std::int64_t) override { return false; }
    Status sync_data() override { return {}; }
    Result<std::int64_t> size() override { return copy_->size(); }
    [[nodiscard]] const std::string& path() const { return copy_->path(); }

private:
    std::shared_ptr<LocalCopy> copy_;
};

/// Bytes that were read and are kept here.
class TextFile final : public io::File {
public:
    explicit TextFile(std::string bytes) : bytes_(std::move(bytes)) {}

    Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) override;
    Status write_at(std::int64_t position, std::span<const std::byte> bytes) override;
    Status truncate(std::int64_t size) override;
    Result<bool> reserve(std::int64_t) override { return false; }
    Status sync_data() override { return {}; }
    Result<std::int64_t> size() override { return static_cast<std::int64_t>(bytes_.size()); }

private:
    std::string bytes_;
};

} // namespace questlog::hdfs
