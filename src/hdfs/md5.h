#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace questlog::hdfs {

/// MD5 (RFC 1321), which HDFS's checksums of files are made of. It guards against accidents, not against anyone.
class Md5 {
public:
    using Digest = std::array<std::byte, 16>;

    void add(std::span<const std::byte> bytes);
    [[nodiscard]] Digest finish(); ///< Once.

private:
    void block(const std::byte* bytes);

    std::array<std::uint32_t, 4> state_{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    std::array<std::byte, 64> pending_{};
    std::uint64_t size_ = 0;
};

} // namespace questlog::hdfs
