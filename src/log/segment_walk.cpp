#include "log/segment_walk.h"

#include "base/big_endian.h"

#include <algorithm>
#include <cstring>

namespace questlog::log {

namespace {

constexpr std::int64_t first_tail_bytes = 64 * 1024;

Look fault_of(std::string text) {
    Look look;
    look.what = Look::What::fault;
    look.fault = std::move(text);
    return look;
}

} // namespace

Result<Look> look_at_header(FileWindow& window, std::int64_t position, Offset expected) {
    TRY(bytes, window.at(position, batch_header_bytes));
    if (bytes.empty()) return Look{};
    auto parsed = parse_batch_header(bytes);
    if (!parsed.ok()) return fault_of(parsed.error().message);
    if (parsed->base_offset != expected)
        return fault_of(fmt::format("baseOffset is {} where {} follows", parsed->base_offset, expected));
    Look look;
    look.what = Look::What::batch;
    look.header = *parsed;
    look.bytes = bytes.first(batch_header_bytes);
    return look;
}

Result<Look> look_at_batch(FileWindow& window, std::int64_t position, Offset expected) {
    TRY(look, look_at_header(window, position, expected));
    if (look.what != Look::What::batch) return look;
    const auto size = static_cast<std::size_t>(look.header.bytes());
    TRY(bytes, window.at(position, size));
    if (bytes.size() < size)
        return fault_of(fmt::format("the batch has {} bytes and the file ends after {}", size, bytes.size()));
    if (!batch_crc_ok(bytes.first(size))) return fault_of("the batch's CRC is wrong");
    look.bytes = bytes.first(size);
    return look;
}

Result<std::optional<BatchHeader>> find_last_batch(io::File& file, Offset end) {
    TRY(file_bytes, file.size());
    constexpr auto batch_bytes_max = static_cast<std::int64_t>(limits::batch_bytes_max);
    const std::int64_t tail_bytes_max = std::min(file_bytes, batch_bytes_max);
    std::optional<BatchHeader> found;
    std::vector<std::byte> tail;
    std::int64_t seen = 0; // shorter batches were looked for
    for (std::int64_t bytes = std::min(first_tail_bytes, tail_bytes_max);;
         bytes = std::min(bytes * 8, tail_bytes_max)) {
        tail.resize(static_cast<std::size_t>(bytes));
        TRY(got, file.read_at(file_bytes - bytes, tail));
        if (got < tail.size()) return found; // the file became shorter
        for (std::int64_t length = std::max(seen, std::int64_t{batch_header_bytes}); length <= bytes; ++length) {
            const auto batch = std::span(tail).last(static_cast<std::size_t>(length));
            if (batch[magic_position] != std::byte{2}) continue;
            const auto header = parse_batch_header(batch);
            if (!header.ok() || header->bytes() != length || !batch_crc_ok(batch)) continue;
            if (header->end_offset() == end) return std::optional(*header);
            if (!found) found = *header;
        }
        if (bytes == tail_bytes_max) return found;
        seen = bytes + 1;
    }
}

Result<std::int64_t> end_of_nonzero(FileWindow& window, std::int64_t position) {
    std::int64_t end = position;
    while (true) {
        TRY(bytes, window.at(position, 1));
        if (bytes.empty()) return end;
        const auto nonzero = std::find_if(bytes.rbegin(), bytes.rend(), [](std::byte b) { return b != std::byte{0}; });
        if (nonzero != bytes.rend()) end = position + (bytes.rend() - nonzero);
        position += static_cast<std::int64_t>(bytes.size());
    }
}

Result<std::int64_t> find_batch_after(FileWindow& window, std::int64_t position, std::int64_t end, Offset expected) {
    for (std::int64_t at = position + 1; at < end; ++at) {
        TRY(bytes, window.at(at, batch_header_bytes));
        if (bytes.size() < batch_header_bytes) break;
        if (bytes[magic_position] != std::byte{2}) continue;
        // The bytes between bound the offsets between.
        const auto base = Offset{load_big_endian<std::int64_t>(bytes.data())};
        if (base < expected || base.minus(expected) > (at - position) * offsets_per_byte_max) continue;
        TRY(look, look_at_batch(window, at, base));
        if (look.what == Look::What::batch) return at;
    }
    return -1;
}

} // namespace questlog::log
