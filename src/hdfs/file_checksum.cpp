#include "hdfs/file_checksum.h"

#include "base/crc32c.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <fmt/format.h>

namespace questlog::hdfs {
namespace {

constexpr std::size_t md5_offset = 2 * (4 + 8); // behind the bytes of a chunk and the chunks of a block
constexpr std::size_t md5_digits = 32;
/// HDFS hashes the whole buffer that it has gathered the blocks' digests in: zeros behind them, too.
constexpr std::size_t least_buffer = 32;

std::array<std::byte, 4> big_endian_crc(std::span<const std::byte> chunk) {
    const std::uint32_t crc = crc32c(chunk);
    return {std::byte(crc >> 24), std::byte(crc >> 16), std::byte(crc >> 8), std::byte(crc)};
}

} // namespace

std::optional<ChecksumLayout> ChecksumLayout::of(const RemoteChecksum& checksum, std::int64_t block_bytes) {
    // "MD5-of-<chunks of a block, 0 where there is one block>MD5-of-<bytes of a chunk>CRC32C"
    constexpr std::string_view prefix = "MD5-of-";
    constexpr std::string_view middle = "MD5-of-";
    std::string_view rest = checksum.algorithm;
    if (!rest.starts_with(prefix) || checksum.bytes.size() < md5_offset + md5_digits) return std::nullopt;
    rest.remove_prefix(prefix.size());
    const auto take_number = [&rest]() -> std::int64_t {
        std::int64_t number = -1;
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
        return error == std::errc() ? number : -1;
    };
    const std::int64_t chunks = take_number();
    if (chunks < 0 || !rest.starts_with(middle)) return std::nullopt;
    rest.remove_prefix(middle.size());
    const std::int64_t chunk_bytes = take_number();
    if (chunk_bytes <= 0 || rest != "CRC32C") return std::nullopt;
    return ChecksumLayout{chunk_bytes, chunks > 0 ? chunks * chunk_bytes : block_bytes};
}

void FileChecksum::add(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const std::int64_t chunk_left = layout_.chunk_bytes - static_cast<std::int64_t>(chunk_.size());
        const std::int64_t room = std::min(chunk_left, layout_.block_bytes - block_bytes_);
        const auto taken = static_cast<std::size_t>(std::min(room, static_cast<std::int64_t>(bytes.size())));
        if (chunk_.empty() && static_cast<std::int64_t>(taken) == layout_.chunk_bytes) { // the usual one: no copy
            block_.add(big_endian_crc(bytes.first(taken)));
        } else {
            chunk_.append(reinterpret_cast<const char*>(bytes.data()), taken);
            if (static_cast<std::int64_t>(chunk_.size()) == layout_.chunk_bytes) end_chunk();
        }
        block_bytes_ += static_cast<std::int64_t>(taken);
        bytes = bytes.subspan(taken);
        if (block_bytes_ == layout_.block_bytes) end_block();
    }
}

void FileChecksum::end_chunk() {
    if (chunk_.empty()) return;
    block_.add(big_endian_crc(std::as_bytes(std::span(chunk_))));
    chunk_.clear();
}

void FileChecksum::end_block() {
    if (block_bytes_ == 0) return;
    end_chunk();
    const Md5::Digest digest = block_.finish();
    block_digests_.append(reinterpret_cast<const char*>(digest.data()), digest.size());
    block_ = Md5();
    block_bytes_ = 0;
}

std::string FileChecksum::finish() {
    end_block();
    if (!block_digests_.empty())
        block_digests_.resize(std::max(least_buffer, std::bit_ceil(block_digests_.size())), '\0');
    Md5 file;
    file.add(std::as_bytes(std::span(block_digests_)));
    std::string text;
    for (const std::byte byte : file.finish())
        fmt::format_to(std::back_inserter(text), "{:02x}", std::to_integer<unsigned>(byte));
    return text;
}

bool is_same(const RemoteChecksum& checksum, std::string_view md5) {
    return checksum.bytes.size() >= md5_offset + md5_digits &&
           std::string_view(checksum.bytes).substr(md5_offset, md5_digits) == md5;
}

} // namespace questlog::hdfs
