#pragma once

#include "io/forwarding_files.h"

#include <memory>
#include <set>
#include <string>

/// For tests: files that count what is read of segments (`.log`).
namespace questlog::query {

class CountingFiles final : public io::ForwardingFiles {
public:
    using ForwardingFiles::ForwardingFiles;

    std::int64_t bytes_read = 0;
    std::set<std::string> segments_read;

    Result<std::unique_ptr<io::File>> open(const std::string& path, io::Open mode) override {
        TRY(file, files_.open(path, mode));
        if (!path.ends_with(".log")) return file;
        return std::unique_ptr<io::File>(std::make_unique<CountedFile>(*this, path, std::move(file)));
    }

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
};

} // namespace questlog::query
