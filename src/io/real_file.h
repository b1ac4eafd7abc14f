#pragma once

#include "io/descriptor.h"
#include "io/env.h"

#include <string>

namespace questlog::io {

/// An open file of the machine.
class RealFile final : public File {
public:
    RealFile(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

    static Result<std::unique_ptr<File>> open(const std::string& path, Open mode);

    Result<std::size_t> read_at(std::int64_t position, std::span<std::byte> into) override;
    Status write_at(std::int64_t position, std::span<const std::byte> bytes) override;
    Status truncate(std::int64_t size) override;
    Result<bool> reserve(std::int64_t size) override;
    Status sync_data() override;
    Result<std::int64_t> size() override;

    [[nodiscard]] int descriptor() const { return descriptor_.get(); }

private:
    Descriptor descriptor_;
    std::string path_;
};

/// open(2) for `mode`.
Result<Descriptor> open_descriptor(const std::string& path, Open mode);

/// Eight bytes of a file, mapped.
class RealWord final : public SharedWord {
public:
    static Result<std::unique_ptr<SharedWord>> open(const std::string& path, Open mode);
    RealWord(std::uint64_t* mapped, std::string path) : mapped_(mapped), path_(std::move(path)) {}
    ~RealWord() override;
    RealWord(const RealWord&) = delete;
    RealWord& operator=(const RealWord&) = delete;

    std::uint64_t load() override;
    void store(std::uint64_t value) override;
    Status sync() override;

private:
    std::uint64_t* mapped_;
    std::string path_;
};

} // namespace questlog::io
