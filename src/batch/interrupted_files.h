#pragma once

#include "io/env.h"

#include <functional>
#include <memory>
#include <utility>

/// For tests: files of which the n-th operation first lets someone else go to work.
namespace questlog::batch {

/// Everything else is done by the files beneath. One thread.
class InterruptedFiles final : public io::Files {
public:
    enum class Locks : std::uint8_t { kept, ignored }; ///< Ignored: everyone gets every lock at once.

    InterruptedFiles(io::Files& beneath, Locks locks) : beneath_(beneath), locks_(locks) {}

    /// Before the operation that comes after `n` others (0: the next one), once.
    void interrupt_at(std::int64_t n, std::function<void()> by) {
        left_ = n;
        by_ = std::move(by);
    }
    /// False: there were not as many operations, and now it is not interrupted any more.
    bool was_interrupted() { return !std::exchange(by_, nullptr); }

    Result<std::unique_ptr<io::File>> open(const std::string& path, io::Open mode) override {
        count();
        TRY(file, beneath_.open(path, mode));
        return std::unique_ptr<io::File>(std::make_unique<InterruptedFile>(*this, std::move(file)));
    }
    Status make_directories(const std::string& path) override { return counted().make_directories(path); }
    Status rename(const std::string& from, const std::string& to) override { return counted().rename(from, to); }
    Result<bool> rename_new(const std::string& from, const std::string& to) override {
        return counted().rename_new(from, to);
    }
    Status exchange(const std::string& one, const std::string& other) override {
        return counted().exchange(one, other);
    }
    Status remove_file(const std::string& path) override { return counted().remove_file(path); }
    Status remove_tree(const std::string& path) override { return counted().remove_tree(path); }
    Status sync_directory(const std::string& path) override { return counted().sync_directory(path); }
    Result<std::vector<io::Entry>> list(const std::string& path) override { return counted().list(path); }
    Result<io::Stat> stat(const std::string& path) override { return counted().stat(path); }
    Result<std::int64_t> free_bytes(const std::string& path) override { return counted().free_bytes(path); }
    Result<std::unique_ptr<io::SharedWord>> map_word(const std::string& path, io::Open mode) override {
        return counted().map_word(path, mode);
    }
    Result<std::unique_ptr<io::Lock>> lock(const std::string& path, int slot, Share share,
                                           std::chrono::milliseconds wait) override {
        count();
        if (locks_ == Locks::ignored) return std::make_unique<io::Lock>();
        return beneath_.lock(path, slot, share, wait);
    }
    Result<bool> locked(const std::string& path, int slot) override { return counted().locked(path, slot); }
    Result<std::string> scratch_directory(const std::string& near) override {
        return counted().scratch_directory(near);
    }
    Status adopt(const std::string& scratch_path, const std::string& path) override {
        return counted().adopt(scratch_path, path);
    }
    Result<std::string> library_path(io::File& file) override {
        auto* ours = dynamic_cast<InterruptedFile*>(&file);
        return counted().library_path(ours == nullptr ? file : *ours->beneath);
    }
    Result<LibraryPath> library_path_of(const std::string& path) override { return counted().library_path_of(path); }

private:
    struct InterruptedFile final : io::File {
        InterruptedFile(InterruptedFiles& its_files, std::unique_ptr<io::File> file)
            : files(its_files), beneath(std::move(file)) {}
        Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) override {
            files.count();
            return beneath->read_at(position, into);
        }
        Status write_at(std::int64_t position, std::span<const std::byte> bytes) override {
            files.count();
            return beneath->write_at(position, bytes);
        }
        Status truncate(std::int64_t size) override {
            files.count();
            return beneath->truncate(size);
        }
        Result<bool> reserve(std::int64_t size) override {
            files.count();
            return beneath->reserve(size);
        }
        Status sync_data() override {
            files.count();
            return beneath->sync_data();
        }
        Result<std::int64_t> size() override {
            files.count();
            return beneath->size();
        }
        InterruptedFiles& files;
        std::unique_ptr<io::File> beneath;
    };

    void count() {
        if (by_ && left_-- == 0) std::exchange(by_, nullptr)();
    }
    io::Files& counted() {
        count();
        return beneath_;
    }

    io::Files& beneath_;
    Locks locks_;
    std::int64_t left_ = 0;
    std::function<void()> by_;
};

} // namespace questlog::batch
