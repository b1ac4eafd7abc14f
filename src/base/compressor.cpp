#include "base/compressor.h"

#include <lz4frame.h>
#include <zstd.h>

namespace questlog {

namespace {

constexpr int zstd_level = 3; // Kafka's default

LZ4F_preferences_t lz4_preferences() {
    LZ4F_preferences_t preferences{};
    preferences.frameInfo.blockSizeID = LZ4F_max64KB;
    preferences.frameInfo.blockMode = LZ4F_blockIndependent; // Kafka's Java client reads no other
    preferences.autoFlush = 1;
    return preferences;
}

void make_room(std::vector<std::byte>& to, std::size_t bytes) {
    if (to.size() < bytes) to.resize(bytes);
}

} // namespace

void Compressor::FreeLz4::operator()(LZ4F_cctx_s* context) const {
    LZ4F_freeCompressionContext(context);
}
void Compressor::FreeZstd::operator()(ZSTD_CCtx_s* context) const {
    ZSTD_freeCCtx(context);
}

Compressor::Compressor(Compression kind) : kind_(kind) {
    if (kind == Compression::lz4) {
        LZ4F_cctx* made = nullptr;
        if (LZ4F_isError(LZ4F_createCompressionContext(&made, LZ4F_VERSION)) == 0) lz4_.reset(made);
    } else if (kind == Compression::zstd) {
        zstd_.reset(ZSTD_createCCtx());
        if (zstd_) ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_compressionLevel, zstd_level);
    }
}

Compressor::~Compressor() = default;

std::size_t Compressor::compress(std::span<const std::byte> from, std::vector<std::byte>& to, std::size_t at) {
    if (from.empty()) return 0;
    if (lz4_) return compress_lz4(from, to, at);
    if (!zstd_) return 0;
    const std::size_t shorter = from.size() - 1;
    make_room(to, at + shorter);
    const std::size_t bytes = ZSTD_compress2(zstd_.get(), to.data() + at, shorter, from.data(), from.size());
    return ZSTD_isError(bytes) != 0 ? 0 : bytes;
}

std::size_t Compressor::compress_lz4(std::span<const std::byte> from, std::vector<std::byte>& to, std::size_t at) {
    const LZ4F_preferences_t preferences = lz4_preferences();
    make_room(to, at + LZ4F_compressFrameBound(from.size(), &preferences));
    std::byte* const begin = to.data() + at;
    std::byte* const limit = to.data() + to.size();
    std::byte* out = begin;
    const auto wrote = [&](std::size_t bytes) {
        if (LZ4F_isError(bytes) != 0) return false;
        out += bytes;
        return true;
    };
    const auto left = [&] { return static_cast<std::size_t>(limit - out); };
    if (!wrote(LZ4F_compressBegin(lz4_.get(), out, left(), &preferences)) ||
        !wrote(LZ4F_compressUpdate(lz4_.get(), out, left(), from.data(), from.size(), nullptr)) ||
        !wrote(LZ4F_compressEnd(lz4_.get(), out, left(), nullptr)))
        return 0;
    const auto bytes = static_cast<std::size_t>(out - begin);
    return bytes < from.size() ? bytes : 0;
}

} // namespace questlog
