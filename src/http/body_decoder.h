#pragma once

#include "http/refusal.h"
#include "http/server.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>

namespace questlog::http {

/// Unzips request bodies: gzip (RFC 1952) and zstd (RFC 8878), also several members or frames one after the other.
/// Allocates at the first body only. One thread.
///
/// The result is written straight into one buffer of the greatest size that is allowed, so there is no window to
/// allocate, whatever a body claims; its pages cost memory only once a body has filled them.
class BodyDecoder {
public:
    struct Limits {
        std::size_t bytes_max; ///< Of the result.
        std::size_t ratio_max; ///< Of the result's size to the body's.
    };

    explicit BodyDecoder(Limits limits);
    ~BodyDecoder();
    BodyDecoder(const BodyDecoder&) = delete;
    BodyDecoder& operator=(const BodyDecoder&) = delete;

    /// What `body` was before it was zipped, through `plain`: followed by at least 64 readable bytes, valid until the
    /// next call; `body` itself where it is empty or `coding` is identity. A refusal: 413 as soon as a limit is passed,
    /// 400 where the body is cut off, damaged, or followed by anything else.
    [[nodiscard]] std::optional<Refusal> decode(ContentCoding coding, std::string_view body, std::string_view& plain);

private:
    struct Libraries;
    struct Room;

    [[nodiscard]] std::optional<Refusal> decode_gzip(std::string_view body, Room& room);
    [[nodiscard]] std::optional<Refusal> decode_zstd(std::string_view body, Room& room);
    [[nodiscard]] Refusal too_large(const Room& room) const;

    Limits limits_;
    std::unique_ptr<Libraries> libraries_; ///< Made at the first zipped body.
    std::unique_ptr<char[]> buffer_;
};

} // namespace questlog::http
