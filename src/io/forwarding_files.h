#pragma once

#include "io/env.h"

#include <memory>
#include <string>
#include <vector>

namespace questlog::io {

/// For tests: files that hand everything on to others. A test overrides what it wants to see or to change.
class ForwardingFiles : public Files {
public:
    explicit ForwardingFiles(Files& files) : files_(files) {}

    Result<std::unique_ptr<File>> open(const std::string& path, Open mode) override { return files_.open(path, mode); }
    Status make_directories(const std::string& path) override { return files_.make_directories(path); }
    Status rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
    Result<bool> rename_new(const std::string& from, const std::string& to) override {
        return files_.rename_new(from, to);
    }
    Status exchange(const std::string& one, const std::string& other) override { return files_.exchange(one, other); }
    Status remove_file(const std::string& path) override { return files_.remove_file(path); }
    Status remove_tree(const std::string& path) override { return files_.remove_tree(path); }
    Status sync_directory(const std::string& path) override { return files_.sync_directory(path); }
    Result<std::vector<Entry>> list(const std::string& path) override { return files_.list(path); }
    Result<Stat> stat(const std::string& path) override { return files_.stat(path); }
    Result<std::int64_t> free_bytes(const std::string& path) override { return files_.free_bytes(path); }
    Result<std::unique_ptr<SharedWord>> map_word(const std::string& path, Open mode) override {
        return files_.map_word(path, mode);
    }
    Result<std::unique_ptr<Lock>> lock(const std::string& path, int slot, Share share,
                                       std::chrono::milliseconds wait) override {
        return files_.lock(path, slot, share, wait);
    }
    Result<bool> locked(const std::string& path, int slot) override { return files_.locked(path, slot); }
    Result<std::string> scratch_directory(const std::string& near) override { return files_.scratch_directory(near); }
    Status adopt(const std::string& scratch_path, const std::string& path) override {
        return files_.adopt(scratch_path, path);
    }
    Result<std::string> library_path(File& file) override { return files_.library_path(file); }
    Result<LibraryPath> library_path_of(const std::string& path) override { return files_.library_path_of(path); }

protected:
    Files& files_;
};

} // namespace questlog::io
