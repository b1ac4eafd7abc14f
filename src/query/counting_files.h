#pragma once

#include "io/env.h"

#include <memory>
#include <set>
#include <string>

/// For tests: files that count what is read of segments (`.log`).
namespace questlog::query {

class CountingFiles final : public io::Files {
public:
    explicit CountingFiles(io::Files& files) : files_(files) {}

    std::int64_t bytes_read = 0;
    std::set<std::string> segments_read;

    Result<std::unique_ptr<io::File>> open(const std::string& path, io::Open mode) override {
        TRY(file, files_.open(path, mode));
        if (!path.ends_with(".log")) return file;
        return std::unique_ptr<io::File>(std::make_unique<CountedFile>(*this, path, std::move(file)));
    }
    Status make_directories(const std::string& path) override { return files_.make_directories(path); }
    Status rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
    Result<bool> rename_new(const std::string& from, const std::string& to) override {
        return files_.rename_new(from, to);
    }
    Status exchange(const std::string& one, const std::string& other) override { return files_.exchange(one, other); }
    Status remove_file(const std::string& path) override { return files_.remove_file(path); }
    Status remove_tree(const std::string& path) override { return files_.remove_tree(path); }
    Status sync_directory(const std::string& path) override { return files_.sync_directory(path); }
    Result<std::vector<io::Entry>> list(const std::string& path) override { return files_.list(path); }
    Result<io::Stat> stat(const std::string& path) override { return files_.stat(path); }
    Result<std::int64_t> free_bytes(const std::string& path) override { return files_.free_bytes(path); }
    Result<std::unique_ptr<io::SharedWord>> map_word(const std::string& path, io::Open mode) override {
        return files_.map_word(path, mode);
    }
    Result<std::unique_ptr<io::Lock>> lock(const std::string& path, int slot, Share share,
                                           std::chrono::milliseconds wait) override {
        return files_.lock(path, slot, share, wait);
    }
    Result<bool> locked(const std::string& path, int slot) override { return files_.locked(path, slot); }
    Result<std::string> scratch_directory(const std::string& near) override { return files_.scratch_directory(near); }
    Status adopt(const std::string& scratch_path, const std::string& path) override {
        return files_.adopt(scratch_path, path);
    }
    Result<std::string> library_path(io::File& file) override { return files_.library_path(file); }
    Result<LibraryPath> library_path_of(const std::string& path) override { return files_.library_path_of(path); }

private:
    class CountedFile final : public io::File {
    public:
        CountedFile(CountingFiles& of, std::string path, std::unique_ptr<io::File> file)
            : of_(of), path_(std::move(path)), file_(std::move(file)) {}
        Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) override {
            TRY(count, file_->read_at(position, into));
            of_.bytes_read += static_cast<std::int64_t>(count);
            of_.segments_read.insert(path_);
            return count;
        }
        Status write_at(std::int64_t position, std::span<const std::byte> bytes) override {
            return file_->write_at(position, bytes);
        }
        Status truncate(std::int64_t size) override { return file_->truncate(size); }
        Result<bool> reserve(std::int64_t size) override { return file_->reserve(size); }
        Status sync_data() override { return file_->sync_data(); }
        Result<std::int64_t> size() override { return file_->size(); }

    private:
        CountingFiles& of_;
        std::string path_;
        std::unique_ptr<io::File> file_;
    };

    io::Files& files_;
};

} // namespace questlog::query
