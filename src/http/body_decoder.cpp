#include "http/body_decoder.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

namespace questlog::http {
namespace {

constexpr int gzip_only = 16 + 15; ///< zlib's windowBits: gzip's wrapper, any window.
constexpr std::uint32_t zstd_magic = 0xfd2fb528;
constexpr std::uint32_t skippable_magic = 0x184d2a50; ///< And the fifteen numbers after it.

Refusal damaged(std::string_view what) {
    return Refusal{400, fmt::format("the body is not what its Content-Encoding says: {}", what)};
}

Refusal out_of_memory() {
    return Refusal{503, "there is no memory to unzip the body in: try again in a second"};
}

/// A frame of today's format, or one to be skipped; the library might read formats of its past too.
bool begins_frame(std::string_view bytes) {
    std::uint32_t magic = 0;
    if (bytes.size() < sizeof magic) return false;
    for (std::size_t i = sizeof magic; i-- > 0;) magic = magic << 8 | static_cast<unsigned char>(bytes[i]);
    return magic == zstd_magic || (magic & ~std::uint32_t{15}) == skippable_magic;
}

} // namespace

struct BodyDecoder::Libraries {
    Libraries() { gzip_ready = inflateInit2(&gzip, gzip_only) == Z_OK; }
    ~Libraries() {
        if (gzip_ready) inflateEnd(&gzip);
        ZSTD_freeDCtx(zstd);
    }
    Libraries(const Libraries&) = delete;
    Libraries& operator=(const Libraries&) = delete;

    z_stream gzip{};
    bool gzip_ready = false;
    ZSTD_DCtx* zstd = ZSTD_createDCtx();
};

/// Where one body's result goes. One byte more than is allowed, so that too much is told from just enough.
struct BodyDecoder::Room {
    char* begin;
    std::size_t allowed;
    bool by_ratio; ///< Which of the limits `allowed` is.
    std::size_t used = 0;

    [[nodiscard]] char* end() const { return begin + used; }
    [[nodiscard]] std::size_t left() const { return allowed + 1 - used; }
};

BodyDecoder::BodyDecoder(Limits limits) : limits_(limits) {}
BodyDecoder::~BodyDecoder() = default;

std::optional<Refusal> BodyDecoder::decode(ContentCoding coding, std::string_view body, std::string_view& plain) {
    plain = body;
    if (coding == ContentCoding::identity || body.empty()) return std::nullopt;
    if (!libraries_) {
        libraries_ = std::make_unique<Libraries>();
        buffer_ = std::make_unique_for_overwrite<char[]>(limits_.bytes_max + 1 + body_padding_bytes);
    }
    const bool by_ratio = body.size() * limits_.ratio_max < limits_.bytes_max;
    Room room{buffer_.get(), by_ratio ? body.size() * limits_.ratio_max : limits_.bytes_max, by_ratio};
    auto refusal = coding == ContentCoding::gzip   ? decode_gzip(body, room)
                   : coding == ContentCoding::zstd ? decode_zstd(body, room)
                                                   : std::optional(damaged("it is neither gzip nor zstd"));
    if (refusal) return refusal;
    if (room.used > room.allowed) return too_large(room);
    std::memset(room.end(), 0, body_padding_bytes);
    plain = {room.begin, room.used};
    return std::nullopt;
}

Refusal BodyDecoder::too_large(const Room& room) const {
    if (room.by_ratio)
        return Refusal{413, fmt::format("the body unzips to more than {} times its size: send it less zipped, or as it "
                                        "is",
                                        limits_.ratio_max)};
    return Refusal{413, fmt::format("the body unzips to more than {} bytes: send it in parts", limits_.bytes_max)};
}

std::optional<Refusal> BodyDecoder::decode_gzip(std::string_view body, Room& room) {
    z_stream& stream = libraries_->gzip;
    if (!libraries_->gzip_ready) return out_of_memory();
    while (!body.empty()) {
        if (inflateReset(&stream) != Z_OK) return out_of_memory();
        stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(body.data())); // zlib only reads it
        stream.avail_in = static_cast<uInt>(body.size());
        stream.next_out = reinterpret_cast<Bytef*>(room.end());
        stream.avail_out = static_cast<uInt>(room.left());
        const int result = inflate(&stream, Z_FINISH);
        room.used = room.allowed + 1 - stream.avail_out;
        if (room.used > room.allowed) return too_large(room);
        if (result == Z_MEM_ERROR) return out_of_memory();
        if (result == Z_BUF_ERROR && stream.avail_in == 0) return damaged("the gzip stream is cut off");
        if (result != Z_STREAM_END)
            return damaged(fmt::format("gzip: {}", stream.msg != nullptr ? stream.msg : "not a gzip stream"));
        body.remove_prefix(body.size() - stream.avail_in); // another member may follow
    }
    return std::nullopt;
}

std::optional<Refusal> BodyDecoder::decode_zstd(std::string_view body, Room& room) {
    if (libraries_->zstd == nullptr) return out_of_memory();
    while (!body.empty()) {
        if (!begins_frame(body)) return damaged("zstd: not a zstd frame");
        const unsigned long long claimed = ZSTD_getFrameContentSize(body.data(), body.size());
        const bool tells_size = claimed != ZSTD_CONTENTSIZE_UNKNOWN && claimed != ZSTD_CONTENTSIZE_ERROR;
        if (tells_size && claimed > room.allowed - room.used) return too_large(room); // before any work
        const std::size_t frame = ZSTD_findFrameCompressedSize(body.data(), body.size());
        if (ZSTD_isError(frame) != 0)
            return damaged(ZSTD_getErrorCode(frame) == ZSTD_error_srcSize_wrong
                               ? "the zstd frame is cut off"
                               : fmt::format("zstd: {}", ZSTD_getErrorName(frame)));
        const std::size_t written = ZSTD_decompressDCtx(libraries_->zstd, room.end(), room.left(), body.data(), frame);
        if (ZSTD_isError(written) != 0) {
            const ZSTD_ErrorCode error = ZSTD_getErrorCode(written);
            if (error == ZSTD_error_dstSize_tooSmall) return too_large(room);
            if (error == ZSTD_error_memory_allocation) return out_of_memory();
            return damaged(fmt::format("zstd: {}", ZSTD_getErrorName(written)));
        }
        room.used += written;
        if (room.used > room.allowed) return too_large(room);
        body.remove_prefix(frame);
    }
    return std::nullopt;
}

} // namespace questlog::http
