#pragma once

#include "base/result.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

struct LZ4F_dctx_s;
struct ZSTD_DCtx_s;

namespace questlog {

/// Reads back what was compressed here or elsewhere, into a buffer that is reused from call to call. Whatever the bytes
/// say, memory is `bytes_max` and a few MiB: what would become longer is refused while it is read. One thread.
/// Every result is followed by slack_bytes readable bytes and valid until the next call. `corrupt` says what is wrong.
class Decompressor {
public:
    static constexpr std::size_t slack_bytes = 64; ///< For SIMD parsers.

    explicit Decompressor(std::size_t bytes_max);
    ~Decompressor();
    Decompressor(const Decompressor&) = delete;
    Decompressor& operator=(const Decompressor&) = delete;

    Result<std::span<const std::byte>> gzip(std::span<const std::byte> from); ///< One member or several.
    Result<std::span<const std::byte>> lz4(std::span<const std::byte> from);  ///< One frame or several.
    Result<std::span<const std::byte>> zstd(std::span<const std::byte> from); ///< One frame or several.
    /// Raw snappy, or such blocks in the framing of xerial's snappy-java.
    Result<std::span<const std::byte>> snappy(std::span<const std::byte> from);

private:
    template <class StepFunction>
    Result<std::span<const std::byte>> stream(std::string_view format, std::size_t from_bytes, StepFunction step);
    Result<std::span<const std::byte>> snappy_blocks(std::span<const std::byte> blocks);
    void make_room(std::size_t bytes); ///< For so many bytes in all, if the limit allows them.
    [[nodiscard]] std::span<const std::byte> first(std::size_t bytes) const { return std::span(buffer_).first(bytes); }
    [[nodiscard]] std::size_t room() const { return buffer_.size() - slack_bytes; }
    [[nodiscard]] Error too_long(std::string_view format) const;

    struct FreeLz4 {
        void operator()(LZ4F_dctx_s* context) const;
    };
    struct FreeZstd {
        void operator()(ZSTD_DCtx_s* context) const;
    };
    std::size_t bytes_max_;
    std::vector<std::byte> buffer_;
    std::unique_ptr<LZ4F_dctx_s, FreeLz4> lz4_; ///< Made when first needed.
    std::unique_ptr<ZSTD_DCtx_s, FreeZstd> zstd_;
};

} // namespace questlog
