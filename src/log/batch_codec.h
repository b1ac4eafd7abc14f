#pragma once

#include "base/compressor.h"
#include "base/decompressor.h"
#include "log/record_batch.h"

#include <optional>
#include <string_view>

/// Compression of record batches as Kafka does it: the records alone, the codec in bits 0–2 of the attributes. What is
/// written here is lz4 or zstd; what Kafka's clients write can be any codec.
namespace questlog::log {

/// Reads the records of batches whatever their codec. One thread; memory is limits::decompressed_batch_bytes_max.
class BatchDecompressor {
public:
    BatchDecompressor();
    /// The records of a whole batch whose CRC is right, followed by at least 64 readable bytes. Those of an
    /// uncompressed batch are a part of `batch`; else they are valid until the next call. `corrupt` where they do not
    /// decompress, would be more than the limit, or are too short for as many as the header says.
    Result<std::span<const std::byte>> records(const BatchHeader& header, std::span<const std::byte> batch);

private:
    Decompressor decompressor_;
};

/// Compresses sealed batches. One thread.
class BatchCompressor {
public:
    explicit BatchCompressor(Compression kind) : compressor_(kind) {}
    /// The batch with its records compressed, valid until the next call; `batch` itself where that would not be
    /// shorter, or where it is compressed already.
    [[nodiscard]] std::span<const std::byte> compress(const BatchHeader& header, std::span<const std::byte> batch);

private:
    Compressor compressor_;
    std::vector<std::byte> buffer_;
};

/// "none", "lz4" or "zstd"; nullopt for any other text.
[[nodiscard]] std::optional<Compression> parse_compression(std::string_view text);

} // namespace questlog::log
