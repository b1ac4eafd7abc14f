#pragma once

#include <cstddef>
#include <optional>
#include <span>

/// Reading Google's snappy format, a raw block: its length as a varint, then literals and copies of what came before.
/// Written out here because the format is two pages, and only what other producers wrote has it.
namespace questlog {

/// How many bytes the block decompresses to, as it says; nullopt where it does not begin as one.
[[nodiscard]] std::optional<std::size_t> snappy_length(std::span<const std::byte> block);

/// Decompresses into `to`, which is snappy_length(block) long. False where the block is no snappy of that length; no
/// byte outside of `to` is touched whatever it holds.
[[nodiscard]] bool snappy_decode(std::span<const std::byte> block, std::span<std::byte> to);

} // namespace questlog
