#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

struct LZ4F_cctx_s;
struct ZSTD_CCtx_s;

namespace questlog {

enum class Compression : std::uint8_t { none, lz4, zstd };

/// Compresses one piece after another; what it needs for that (16 KiB for lz4, up to 4 MiB for zstd) is kept from piece
/// to piece. One thread.
class Compressor {
public:
    explicit Compressor(Compression kind);
    ~Compressor();
    Compressor(const Compressor&) = delete;
    Compressor& operator=(const Compressor&) = delete;

    [[nodiscard]] Compression kind() const { return kind_; }

    /// Writes `from`, compressed, to `to` from byte `at` on, growing it, and returns how many bytes that are: an lz4
    /// frame of independent 64 KiB blocks, as Kafka's clients write it, or a zstd frame that says its length. 0 where
    /// that is not shorter than `from`, or cannot be done: then `from` is kept as it is.
    [[nodiscard]] std::size_t compress(std::span<const std::byte> from, std::vector<std::byte>& to, std::size_t at);

private:
    [[nodiscard]] std::size_t compress_lz4(std::span<const std::byte> from, std::vector<std::byte>& to, std::size_t at);

    struct FreeLz4 {
        void operator()(LZ4F_cctx_s* context) const;
    };
    struct FreeZstd {
        void operator()(ZSTD_CCtx_s* context) const;
    };
    Compression kind_;
    std::unique_ptr<LZ4F_cctx_s, FreeLz4> lz4_;
    std::unique_ptr<ZSTD_CCtx_s, FreeZstd> zstd_;
};

} // namespace questlog
