#include "log/key_partition.h"

#include <cstddef>

namespace questlog::log {
namespace {

constexpr std::uint32_t seed = 0x9747b28c;
constexpr std::uint32_t multiplier = 0x5bd1e995;
constexpr int shift = 24;

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<unsigned char>(bytes[at]);
}

} // namespace

std::uint32_t murmur2(std::string_view bytes) {
    std::uint32_t hash = seed ^ static_cast<std::uint32_t>(bytes.size());
    std::size_t at = 0;
    for (; at + 4 <= bytes.size(); at += 4) {
        std::uint32_t word = byte_at(bytes, at) | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2) << 16 |
                             byte_at(bytes, at + 3) << 24;
        word *= multiplier;
        word ^= word >> shift;
        word *= multiplier;
        hash = hash * multiplier ^ word;
    }
    const std::size_t left = bytes.size() - at;
    if (left == 3) hash ^= byte_at(bytes, at + 2) << 16;
    if (left >= 2) hash ^= byte_at(bytes, at + 1) << 8;
    if (left >= 1) hash = (hash ^ byte_at(bytes, at)) * multiplier;
    hash ^= hash >> 13;
    hash *= multiplier;
    return hash ^ hash >> 15;
}

Partition partition_of_key(std::string_view key, std::int32_t partitions) {
    const auto positive = static_cast<std::int32_t>(murmur2(key) & 0x7fffffff);
    return Partition{positive % partitions};
}

} // namespace questlog::log
