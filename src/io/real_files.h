#pragma once

#include "base/guarded.h"
#include "io/descriptor.h"
#include "io/env.h"

namespace questlog::io {

/// The machine's file systems. Scratch directories are removed when it is destroyed; what a killed process left behind
/// is removed when the next one makes its own beside it.
class RealFiles final : public Files {
public:
    explicit RealFiles(Clock& clock) : clock_(clock) {}
    ~RealFiles() override;
    RealFiles(const RealFiles&) = delete;
    RealFiles& operator=(const RealFiles&) = delete;

    Result<std::unique_ptr<File>> open(const std::string& path, Open mode) override;
    Status make_directories(const std::string& path) override;
    Status rename(const std::string& from, const std::string& to) override;
    Result<bool> rename_new(const std::string& from, const std::string& to) override;
    Status exchange(const std::string& one, const std::string& other) override;
    Status remove_file(const std::string& path) override;
    Status remove_tree(const std::string& path) override;
    Status sync_directory(const std::string& path) override;
    Result<std::vector<Entry>> list(const std::string& path) override;
    Result<Stat> stat(const std::string& path) override;
    Result<std::int64_t> free_bytes(const std::string& path) override;
    Result<std::unique_ptr<SharedWord>> map_word(const std::string& path, Open mode) override;
    Result<std::unique_ptr<Lock>> lock(const std::string& path, int slot, Share share,
                                       std::chrono::milliseconds wait) override;
    Result<bool> locked(const std::string& path, int slot) override;
    Result<std::string> scratch_directory(const std::string& near) override;
    Status adopt(const std::string& scratch_path, const std::string& path) override;
    Result<std::string> library_path(File& file) override;
    Result<LibraryPath> library_path_of(const std::string& path) override;

private:
    struct Scratch {
        std::string path;
        Descriptor held; ///< Locked for as long as the directory is in use.
    };

    Clock& clock_;
    Guarded<std::vector<Scratch>> scratch_;
};

} // namespace questlog::io
