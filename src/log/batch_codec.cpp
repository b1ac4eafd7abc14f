#include "log/batch_codec.h"

#include "base/limits.h"

#include <algorithm>

namespace questlog::log {

BatchDecompressor::BatchDecompressor() : decompressor_(limits::decompressed_batch_bytes_max) {}

Result<std::span<const std::byte>> BatchDecompressor::records(const BatchHeader& header,
                                                              std::span<const std::byte> batch) {
    const auto stored = batch.subspan(batch_header_bytes);
    const auto read = [&]() -> Result<std::span<const std::byte>> {
        switch (header.codec) {
        case Codec::none: break;
        case Codec::gzip: return decompressor_.gzip(stored);
        case Codec::snappy: return decompressor_.snappy(stored);
        case Codec::lz4: return decompressor_.lz4(stored);
        case Codec::zstd: return decompressor_.zstd(stored);
        }
        return stored;
    };
    TRY(records, read());
    if (static_cast<std::uint64_t>(header.record_count) > records.size() / record_bytes_min)
        return corrupt("recordCount is {}, and there are {} bytes of records", header.record_count, records.size());
    return records;
}

std::span<const std::byte> BatchCompressor::compress(const BatchHeader& header, std::span<const std::byte> batch) {
    if (compressor_.kind() == Compression::none || header.codec != Codec::none) return batch;
    const std::size_t bytes = compressor_.compress(batch.subspan(batch_header_bytes), buffer_, batch_header_bytes);
    if (bytes == 0) return batch;
    std::ranges::copy(batch.first(batch_header_bytes), buffer_.begin());
    const auto compressed = std::span(buffer_).first(batch_header_bytes + bytes);
    reseal_batch(compressed, compressor_.kind() == Compression::lz4 ? Codec::lz4 : Codec::zstd);
    return compressed;
}

std::optional<Compression> parse_compression(std::string_view text) {
    if (text == "none") return Compression::none;
    if (text == "lz4") return Compression::lz4;
    if (text == "zstd") return Compression::zstd;
    return std::nullopt;
}

} // namespace questlog::log
