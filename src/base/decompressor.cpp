#include "base/decompressor.h"

#include "base/big_endian.h"
#include "base/snappy.h"

#include <algorithm>
#include <cstring>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace questlog {

namespace {

constexpr std::size_t first_room_bytes = 64 * 1024;
constexpr std::size_t likely_ratio = 8; // of events: what is guessed where the bytes do not tell

constexpr std::size_t zlib_bytes_max = std::size_t{1} << 30; // its counts have 32 bits

// xerial's framing: these 8 bytes, two 32-bit versions, and for each block its length, big-endian.
constexpr std::string_view xerial_magic("\x82SNAPPY\0", 8);
constexpr std::size_t xerial_header_bytes = 16;

/// What one call of a streaming library did.
struct Step {
    enum class Became : std::uint8_t { more, end, broken } became = Became::more;
    std::size_t taken = 0;
    std::size_t given = 0;
    std::string_view fault;
};

/// zlib's state while one stream is read.
class Inflate {
public:
    Inflate() { usable_ = inflateInit2(&state_, MAX_WBITS + 16) == Z_OK; } // 16: gzip's header and checksum
    ~Inflate() { inflateEnd(&state_); }
    Inflate(const Inflate&) = delete;
    Inflate& operator=(const Inflate&) = delete;

    Step step(std::span<const std::byte> from, std::span<std::byte> to) {
        if (!usable_) return {Step::Became::broken, 0, 0, "out of memory"};
        from = from.first(std::min(from.size(), zlib_bytes_max));
        to = to.first(std::min(to.size(), zlib_bytes_max));
        state_.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(from.data())); // zlib does not write there
        state_.avail_in = static_cast<uInt>(from.size());
        state_.next_out = reinterpret_cast<Bytef*>(to.data());
        state_.avail_out = static_cast<uInt>(to.size());
        const int code = inflate(&state_, Z_NO_FLUSH);
        Step done{Step::Became::more, from.size() - state_.avail_in, to.size() - state_.avail_out, {}};
        if (code == Z_STREAM_END) {
            done.became = Step::Became::end;
            inflateReset(&state_);
        } else if (code != Z_OK && code != Z_BUF_ERROR) {
            done.became = Step::Became::broken;
            done.fault = state_.msg != nullptr ? state_.msg : "it is none";
        }
        return done;
    }

private:
    z_stream state_{};
    bool usable_ = false;
};

} // namespace

void Decompressor::FreeLz4::operator()(LZ4F_dctx_s* context) const {
    LZ4F_freeDecompressionContext(context);
}
void Decompressor::FreeZstd::operator()(ZSTD_DCtx_s* context) const {
    ZSTD_freeDCtx(context);
}

Decompressor::Decompressor(std::size_t bytes_max) : bytes_max_(bytes_max), buffer_(slack_bytes) {}
Decompressor::~Decompressor() = default;

Error Decompressor::too_long(std::string_view format) const {
    return corrupt("the {} data would decompress to more than {} bytes, the limit", format, bytes_max_);
}

void Decompressor::make_room(std::size_t bytes) {
    const std::size_t wanted = std::min(bytes, bytes_max_);
    if (room() < wanted) buffer_.resize(wanted + slack_bytes);
}

/// Feeds `step`, which is given how much was taken so far and where to write, until all of the input is taken and a
/// member or frame has just ended.
template <class StepFunction> Result<std::span<const std::byte>>
Decompressor::stream(std::string_view format, std::size_t from_bytes, StepFunction step) {
    make_room(std::max(first_room_bytes, from_bytes * likely_ratio));
    std::size_t taken = 0;
    std::size_t given = 0;
    bool ended = false;
    while (!ended || taken < from_bytes) {
        if (given == room()) make_room(room() * 2);
        // At the limit one byte more is asked for: what needs it is too long.
        std::byte beyond{};
        const bool full = given == room();
        const Step done = step(taken, full ? std::span(&beyond, 1) : std::span(buffer_).subspan(given, room() - given));
        if (full && done.given > 0) return too_long(format);
        if (done.became == Step::Became::broken)
            return corrupt("the {} data does not decompress: {}", format, done.fault);
        ended = done.became == Step::Became::end;
        taken += done.taken;
        given += done.given;
        if (!ended && done.taken == 0 && done.given == 0) return corrupt("the {} data ends too early", format);
    }
    return first(given);
}

Result<std::span<const std::byte>> Decompressor::gzip(std::span<const std::byte> from) {
    Inflate inflate;
    return stream("gzip", from.size(),
                  [&](std::size_t taken, std::span<std::byte> to) { return inflate.step(from.subspan(taken), to); });
}

Result<std::span<const std::byte>> Decompressor::lz4(std::span<const std::byte> from) {
    if (lz4_) {
        LZ4F_resetDecompressionContext(lz4_.get());
    } else {
        LZ4F_dctx* made = nullptr;
        if (LZ4F_isError(LZ4F_createDecompressionContext(&made, LZ4F_VERSION)) != 0)
            return internal("there is no memory to decompress lz4 data");
        lz4_.reset(made);
    }
    return stream("lz4", from.size(), [&](std::size_t taken, std::span<std::byte> to) {
        std::size_t from_bytes = from.size() - taken;
        std::size_t to_bytes = to.size();
        const std::size_t left =
            LZ4F_decompress(lz4_.get(), to.data(), &to_bytes, from.data() + taken, &from_bytes, nullptr);
        if (LZ4F_isError(left) != 0) return Step{Step::Became::broken, 0, 0, LZ4F_getErrorName(left)};
        return Step{left == 0 ? Step::Became::end : Step::Became::more, from_bytes, to_bytes, {}};
    });
}

/// In one call for all of it, and again with twice the room where that was too little: so the library needs no window
/// of its own, whose size the data would say.
Result<std::span<const std::byte>> Decompressor::zstd(std::span<const std::byte> from) {
    if (!zstd_) zstd_.reset(ZSTD_createDCtx());
    if (!zstd_) return internal("there is no memory to decompress zstd data");
    const unsigned long long told = ZSTD_getFrameContentSize(from.data(), from.size());
    const bool is_told = told != ZSTD_CONTENTSIZE_UNKNOWN && told != ZSTD_CONTENTSIZE_ERROR;
    if (is_told && told > bytes_max_) return too_long("zstd");
    make_room(is_told ? static_cast<std::size_t>(told) : std::max(first_room_bytes, from.size() * likely_ratio));
    while (true) {
        const std::size_t given = ZSTD_decompressDCtx(zstd_.get(), buffer_.data(), room(), from.data(), from.size());
        if (ZSTD_isError(given) == 0) return first(given);
        if (ZSTD_getErrorCode(given) != ZSTD_error_dstSize_tooSmall)
            return corrupt("the zstd data does not decompress: {}", ZSTD_getErrorName(given));
        if (room() >= bytes_max_) return too_long("zstd");
        make_room(std::max(room() * 2, first_room_bytes));
    }
}

Result<std::span<const std::byte>> Decompressor::snappy(std::span<const std::byte> from) {
    if (from.size() >= xerial_header_bytes && std::memcmp(from.data(), xerial_magic.data(), xerial_magic.size()) == 0)
        return snappy_blocks(from.subspan(xerial_header_bytes));
    const auto bytes = snappy_length(from);
    if (!bytes) return corrupt("the snappy data has no length");
    if (*bytes > bytes_max_) return too_long("snappy");
    make_room(*bytes);
    if (!snappy_decode(from, std::span(buffer_).first(*bytes))) return corrupt("the snappy data does not decompress");
    return first(*bytes);
}

Result<std::span<const std::byte>> Decompressor::snappy_blocks(std::span<const std::byte> blocks) {
    std::size_t given = 0;
    while (!blocks.empty()) {
        if (blocks.size() < sizeof(std::uint32_t)) return corrupt("the snappy data ends too early");
        const auto block_bytes = load_big_endian<std::uint32_t>(blocks.data());
        blocks = blocks.subspan(sizeof(std::uint32_t));
        if (block_bytes > blocks.size()) return corrupt("the snappy data ends too early");
        const auto block = blocks.first(block_bytes);
        blocks = blocks.subspan(block_bytes);
        const auto bytes = snappy_length(block);
        if (!bytes) return corrupt("a block of the snappy data has no length");
        if (*bytes > bytes_max_ - given) return too_long("snappy");
        if (given + *bytes > room()) make_room(std::max(given + *bytes, room() * 2));
        if (!snappy_decode(block, std::span(buffer_).subspan(given, *bytes)))
            return corrupt("a block of the snappy data does not decompress");
        given += *bytes;
    }
    return first(given);
}

} // namespace questlog
