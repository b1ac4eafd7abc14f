#include "base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace questlog {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78; // Castagnoli, bit-reversed

constexpr std::array<std::uint32_t, 256> make_byte_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? polynomial : 0);
        table[i] = crc;
    }
    return table;
}
constexpr auto byte_table = make_byte_table();

std::uint32_t update_portable(std::uint32_t crc, const std::byte* data, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
        crc = (crc >> 8) ^ byte_table[(crc ^ std::to_integer<std::uint32_t>(data[i])) & 0xff];
    return crc;
}

#if defined(__x86_64__)

/// The CRC register after `lane_bytes` zero bytes, as four tables of one look-up per register byte: what combines the
/// three streams below. Linear over GF(2), so that it can be tabulated byte by byte.
constexpr std::size_t lane_bytes = 1024;
using ShiftTable = std::array<std::array<std::uint32_t, 256>, 4>;

ShiftTable make_shift_table() {
    std::array<std::uint32_t, 32> column{}; // the image of each bit
    for (std::size_t bit = 0; bit < 32; ++bit) {
        std::uint32_t crc = std::uint32_t{1} << bit;
        for (std::size_t i = 0; i < lane_bytes; ++i) crc = (crc >> 8) ^ byte_table[crc & 0xff];
        column[bit] = crc;
    }
    ShiftTable table{};
    for (std::size_t byte = 0; byte < 4; ++byte)
        for (std::size_t value = 0; value < 256; ++value)
            for (std::size_t bit = 0; bit < 8; ++bit)
                if ((value >> bit & 1) != 0) table[byte][value] ^= column[byte * 8 + bit];
    return table;
}

std::uint32_t shift_by_lane(const ShiftTable& table, std::uint32_t crc) {
    return table[0][crc & 0xff] ^ table[1][crc >> 8 & 0xff] ^ table[2][crc >> 16 & 0xff] ^ table[3][crc >> 24];
}

std::uint64_t load_word(const std::byte* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

__attribute__((target("sse4.2"))) std::uint32_t update_sse42(std::uint32_t crc, const std::byte* data,
                                                             std::size_t size) {
    // The instruction takes three cycles but one can start each cycle: three independent lanes hide the latency.
    static const ShiftTable shift = make_shift_table();
    while (size >= 3 * lane_bytes) {
        std::uint64_t one = crc;
        std::uint64_t two = 0;
        std::uint64_t three = 0;
        for (std::size_t i = 0; i < lane_bytes; i += 8) {
            one = _mm_crc32_u64(one, load_word(data + i));
            two = _mm_crc32_u64(two, load_word(data + lane_bytes + i));
            three = _mm_crc32_u64(three, load_word(data + 2 * lane_bytes + i));
        }
        crc = shift_by_lane(shift, static_cast<std::uint32_t>(one)) ^ static_cast<std::uint32_t>(two);
        crc = shift_by_lane(shift, crc) ^ static_cast<std::uint32_t>(three);
        data += 3 * lane_bytes;
        size -= 3 * lane_bytes;
    }
    std::uint64_t wide = crc;
    for (; size >= 8; size -= 8, data += 8) wide = _mm_crc32_u64(wide, load_word(data));
    crc = static_cast<std::uint32_t>(wide);
    for (; size > 0; --size, ++data) crc = _mm_crc32_u8(crc, std::to_integer<std::uint8_t>(*data));
    return crc;
}

#endif

} // namespace

std::uint32_t crc32c_portable(std::span<const std::byte> bytes) {
    return ~update_portable(~std::uint32_t{0}, bytes.data(), bytes.size());
}

std::uint32_t crc32c(std::span<const std::byte> bytes) {
#if defined(__x86_64__)
    static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
    if (has_instruction) return ~update_sse42(~std::uint32_t{0}, bytes.data(), bytes.size());
#endif
    return crc32c_portable(bytes);
}

} // namespace questlog
