#pragma once

#include "hdfs/answers.h"
#include "hdfs/md5.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>

/// HDFS's checksum of a file, computed here: MD5 of the blocks' MD5s of the CRC-32Cs of their chunks.
namespace questlog::hdfs {

/// What a file's checksum depends on besides its bytes.
struct ChecksumLayout {
    std::int64_t chunk_bytes = 512;
    std::int64_t block_bytes = 128 * 1024 * 1024;

    /// nullopt: an algorithm that is not computed here (CRC32, COMPOSITE_CRC).
    static std::optional<ChecksumLayout> of(const RemoteChecksum& checksum, std::int64_t block_bytes);
};

/// Over a file's bytes as they come.
class FileChecksum {
public:
    explicit FileChecksum(const ChecksumLayout& layout) : layout_(layout) {}

    void add(std::span<const std::byte> bytes);
    [[nodiscard]] std::string finish(); ///< Hexadecimal: the MD5. Once.

private:
    void end_chunk();
    void end_block();

    ChecksumLayout layout_;
    std::string chunk_; ///< The bytes of one that is not complete.
    Md5 block_;
    std::int64_t block_bytes_ = 0;
    std::string block_digests_;
};

/// Whether `md5` of FileChecksum is the one that `checksum` has.
[[nodiscard]] bool is_same(const RemoteChecksum& checksum, std::string_view md5);

} // namespace questlog::hdfs
