#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace questlog {

/// Big-endian integers in byte buffers, as Kafka's formats have them. The caller has checked the bounds.
template <std::integral Int> [[nodiscard]] inline Int load_big_endian(const std::byte* from) {
    std::make_unsigned_t<Int> value = 0;
    for (std::size_t i = 0; i < sizeof(Int); ++i)
        value = static_cast<std::make_unsigned_t<Int>>((value << 7 << 1) | std::to_integer<std::uint8_t>(from[i]));
    return static_cast<Int>(value);
}

template <std::integral Int> inline void store_big_endian(std::byte* to, Int value) {
    auto rest = static_cast<std::make_unsigned_t<Int>>(value);
    for (std::size_t i = sizeof(Int); i-- > 0;) {
        to[i] = static_cast<std::byte>(rest & 0xff);
        rest = static_cast<std::make_unsigned_t<Int>>(rest >> 7 >> 1);
    }
}

} // namespace questlog
