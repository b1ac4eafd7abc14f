#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

/// Kafka's variable-length integers: zig-zag, seven bits a byte, the lowest first. Inline: they are most of the work of
/// writing and walking records.
namespace questlog::log {

inline constexpr std::size_t varint_bytes_max = 10;

/// Writes `value` and returns one past its last byte. At most varint_bytes_max bytes are touched.
inline std::byte* put_varint(std::byte* to, std::int64_t value) {
    auto rest = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
    while (rest >= 0x80) {
        *to++ = static_cast<std::byte>(rest | 0x80);
        rest >>= 7;
    }
    *to++ = static_cast<std::byte>(rest);
    return to;
}

[[nodiscard]] inline std::size_t varint_bytes(std::int64_t value) {
    auto rest = (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
    std::size_t bytes = 1;
    for (; rest >= 0x80; rest >>= 7) ++bytes;
    return bytes;
}

/// Takes varints from the front of bytes that need not be well formed. After a failure `failed()` stays true and every
/// value is 0, so that a caller checks once at the end of a group.
class VarintReader {
public:
    explicit VarintReader(std::span<const std::byte> bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    std::int64_t take_long() {
        if (at_ != end_ && std::to_integer<unsigned>(*at_) < 0x80) { // most are one byte long
            const auto byte = std::to_integer<std::int64_t>(*at_++);
            return byte >> 1 ^ -(byte & 1);
        }
        std::uint64_t value = 0;
        for (unsigned shift = 0; at_ != end_ && shift < 64; shift += 7) {
            const auto byte = std::to_integer<std::uint64_t>(*at_++);
            value |= (byte & 0x7f) << shift;
            if (byte < 0x80) return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
        }
        return fail();
    }

    std::int32_t take_int() {
        const std::int64_t value = take_long();
        using Limits = std::numeric_limits<std::int32_t>;
        if (value < Limits::min() || value > Limits::max()) return static_cast<std::int32_t>(fail());
        return static_cast<std::int32_t>(value);
    }

    /// A length and that many bytes; nullopt where the length is -1 (null) or anything is wrong.
    std::optional<std::span<const std::byte>> take_bytes() {
        const std::int32_t length = take_int();
        if (length == -1) return std::nullopt;
        if (length < 0 || length > end_ - at_) {
            fail();
            return std::nullopt;
        }
        const std::span<const std::byte> bytes(at_, static_cast<std::size_t>(length));
        at_ += length;
        return bytes;
    }

    void skip_byte() {
        if (at_ == end_)
            fail();
        else
            ++at_;
    }

    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] const std::byte* position() const { return at_; }
    [[nodiscard]] std::span<const std::byte> rest() const { return {at_, static_cast<std::size_t>(end_ - at_)}; }

private:
    std::int64_t fail() {
        failed_ = true;
        at_ = end_;
        return 0;
    }

    const std::byte* at_;
    const std::byte* end_;
    bool failed_ = false;
};

} // namespace questlog::log
