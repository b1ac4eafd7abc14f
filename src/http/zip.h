#pragma once

#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <zlib.h>
#include <zstd.h>

/// For tests: zips as clients do.
namespace questlog::http {

inline std::string gzip(std::string_view text, int level = 6) {
    z_stream stream{};
    EXPECT_EQ(deflateInit2(&stream, level, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    std::string zipped(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
    stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(zipped.data());
    stream.avail_out = static_cast<uInt>(zipped.size());
    EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
    zipped.resize(stream.total_out);
    deflateEnd(&stream);
    return zipped;
}

/// Without `tells_size` the frame does not say how large it unzips, as a stream's does not.
inline std::string zstd(std::string_view text, bool tells_size = true) {
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, tells_size ? 1 : 0);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    std::string zipped(ZSTD_compressBound(text.size()), '\0');
    const std::size_t bytes = ZSTD_compress2(context, zipped.data(), zipped.size(), text.data(), text.size());
    EXPECT_EQ(ZSTD_isError(bytes), 0U);
    zipped.resize(bytes);
    ZSTD_freeCCtx(context);
    return zipped;
}

} // namespace questlog::http
