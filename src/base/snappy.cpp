#include "base/snappy.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace questlog {

namespace {

constexpr std::size_t length_bytes_max = 5;

/// The block's length, and how many bytes that took.
struct Preamble {
    std::size_t length = 0;
    std::size_t bytes = 0;
};

std::optional<Preamble> read_preamble(std::span<const std::byte> block) {
    std::uint64_t length = 0;
    for (std::size_t i = 0; i < std::min(block.size(), length_bytes_max); ++i) {
        const auto byte = std::to_integer<std::uint64_t>(block[i]);
        length |= (byte & 0x7f) << (7 * i);
        if (byte >= 0x80) continue;
        if (length > UINT32_MAX) return std::nullopt;
        return Preamble{static_cast<std::size_t>(length), i + 1};
    }
    return std::nullopt;
}

/// Takes little-endian numbers from the front of bytes. Sets `failed` where there are too few.
class Reader {
public:
    explicit Reader(std::span<const std::byte> bytes) : rest_(bytes) {}

    std::size_t number(std::size_t bytes) {
        std::size_t value = 0;
        const auto from = take(bytes);
        for (std::size_t i = 0; i < from.size(); ++i) value |= std::to_integer<std::size_t>(from[i]) << (8 * i);
        return value;
    }
    std::span<const std::byte> take(std::size_t bytes) {
        if (bytes > rest_.size()) {
            failed = true;
            return {};
        }
        const auto taken = rest_.first(bytes);
        rest_ = rest_.subspan(bytes);
        return taken;
    }
    [[nodiscard]] bool empty() const { return rest_.empty(); }

    bool failed = false;

private:
    std::span<const std::byte> rest_;
};

/// `length` bytes from `distance` before `at`. They may overlap with what is being written: then they repeat.
bool copy_within(std::span<std::byte> to, std::size_t at, std::size_t distance, std::size_t length) {
    if (distance == 0 || distance > at || length > to.size() - at) return false;
    std::byte* out = to.data() + at;
    const std::byte* from = out - distance;
    if (distance >= length)
        std::memcpy(out, from, length);
    else
        for (std::size_t i = 0; i < length; ++i) out[i] = from[i];
    return true;
}

} // namespace

std::optional<std::size_t> snappy_length(std::span<const std::byte> block) {
    const auto preamble = read_preamble(block);
    return preamble ? std::optional(preamble->length) : std::nullopt;
}

bool snappy_decode(std::span<const std::byte> block, std::span<std::byte> to) {
    const auto preamble = read_preamble(block);
    if (!preamble || preamble->length != to.size()) return false;
    Reader reader(block.subspan(preamble->bytes));
    std::size_t at = 0;
    while (!reader.empty()) {
        const std::size_t tag = reader.number(1);
        const std::size_t size = tag >> 2;
        if ((tag & 3) == 0) { // a literal; its length less one is in the tag, or in the 1 to 4 bytes after it
            const std::size_t length = (size < 60 ? size : reader.number(size - 59)) + 1;
            const auto literal = reader.take(length);
            if (reader.failed || literal.size() > to.size() - at) return false;
            if (!literal.empty()) std::memcpy(to.data() + at, literal.data(), literal.size());
            at += literal.size();
            continue;
        }
        std::size_t length = size + 1;
        std::size_t distance = 0;
        if ((tag & 3) == 1) { // 4 to 11 bytes from up to 2 KiB before
            length = (size & 7) + 4;
            distance = (tag >> 5) << 8 | reader.number(1);
        } else {
            distance = reader.number((tag & 3) == 2 ? 2 : 4);
        }
        if (reader.failed || !copy_within(to, at, distance, length)) return false;
        at += length;
    }
    return at == to.size();
}

} // namespace questlog
