#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace questlog {

/// CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes`; the checksum of "123456789" is 0xe3069283. Uses the CPU's
/// instruction, in three streams for long inputs, where there is one.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes);

[[nodiscard]] inline std::uint32_t crc32c(std::string_view text) {
    return crc32c(std::as_bytes(std::span(text)));
}

/// The same by table, for machines without the instruction and as the test's second opinion.
[[nodiscard]] std::uint32_t crc32c_portable(std::span<const std::byte> bytes);

} // namespace questlog
