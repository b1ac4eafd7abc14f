#include "log/record_batch.h"

#include "base/big_endian.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "log/varint.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace questlog::log {

namespace {

// Positions of the header's fields; docs/formats/log.md has the table.
namespace at {
constexpr std::size_t base_offset = 0;
constexpr std::size_t batch_length = 8;
constexpr std::size_t leader_epoch = 12;
constexpr std::size_t magic = 16;
constexpr std::size_t crc = 17;
constexpr std::size_t attributes = 21;
constexpr std::size_t last_offset_delta = 23;
constexpr std::size_t base_timestamp = 27;
constexpr std::size_t max_timestamp = 35;
constexpr std::size_t producer_id = 43;
constexpr std::size_t producer_epoch = 51;
constexpr std::size_t base_sequence = 53;
constexpr std::size_t record_count = 57;
} // namespace at

constexpr std::int8_t magic_v2 = 2;
constexpr std::size_t length_field_end = 12;
constexpr std::size_t first_buffer_bytes = 16 * 1024;
constexpr std::size_t slack_bytes = 64; // readable after the batch
constexpr int codec_bits = 7;           // of the attributes

/// Without data it is Kafka's null.
std::byte* put_bytes(std::byte* to, std::string_view bytes) {
    if (bytes.data() == nullptr) return put_varint(to, -1);
    to = put_varint(to, static_cast<std::int64_t>(bytes.size()));
    if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    return to + bytes.size();
}

std::size_t sized_bytes(std::string_view bytes) {
    return varint_bytes(static_cast<std::int64_t>(bytes.size())) + bytes.size();
}

} // namespace

void BatchBuilder::begin(Offset base) {
    used_ = batch_header_bytes;
    base_ = base;
    count_ = 0;
    next_ = 0;
}

std::byte* BatchBuilder::reserve(std::size_t more) {
    const std::size_t needed = used_ + more + slack_bytes;
    if (buffer_.size() < needed) buffer_.resize(std::max({buffer_.size() * 2, needed, first_buffer_bytes}));
    return buffer_.data() + used_;
}

void BatchBuilder::shrink(std::size_t bytes_max) {
    if (buffer_.size() > bytes_max) std::vector<std::byte>().swap(buffer_);
    begin(base_);
}

void BatchBuilder::add(TimestampMs timestamp, std::string_view value, std::optional<std::string_view> key,
                       std::span<const RecordHeader> headers) {
    if (count_ == 0) base_timestamp_ = max_timestamp_ = timestamp;
    max_timestamp_ = std::max(max_timestamp_, timestamp);
    // Times that are further apart than an int64 tells wrap around, and back as they are read.
    const auto timestamp_delta = static_cast<std::int64_t>(static_cast<std::uint64_t>(timestamp.value) -
                                                           static_cast<std::uint64_t>(base_timestamp_.value));

    std::size_t body = 1 + varint_bytes(timestamp_delta) + varint_bytes(next_) + (key ? sized_bytes(*key) : 1) +
                       sized_bytes(value) + varint_bytes(static_cast<std::int64_t>(headers.size()));
    for (const auto& header : headers) body += sized_bytes(header.key) + sized_bytes(header.value);

    std::byte* to = reserve(body + varint_bytes_max);
    to = put_varint(to, static_cast<std::int64_t>(body));
    *to++ = std::byte{0}; // attributes: none are defined for records
    to = put_varint(to, timestamp_delta);
    to = put_varint(to, next_);
    to = key ? put_bytes(to, *key) : put_varint(to, -1);
    to = put_bytes(to, value);
    to = put_varint(to, static_cast<std::int64_t>(headers.size()));
    for (const auto& header : headers) to = put_bytes(put_bytes(to, header.key), header.value);

    used_ = static_cast<std::size_t>(to - buffer_.data());
    ++count_;
    ++next_;
}

std::span<const std::byte> BatchBuilder::seal() {
    std::byte* header = buffer_.data();
    store_big_endian(header + at::base_offset, base_.value);
    store_big_endian(header + at::batch_length, static_cast<std::int32_t>(used_ - length_field_end));
    store_big_endian(header + at::leader_epoch, std::int32_t{0});
    store_big_endian(header + at::magic, magic_v2);
    store_big_endian(header + at::attributes, std::int16_t{0});
    store_big_endian(header + at::last_offset_delta, next_ - 1);
    store_big_endian(header + at::base_timestamp, base_timestamp_.value);
    store_big_endian(header + at::max_timestamp, max_timestamp_.value);
    store_big_endian(header + at::producer_id, std::int64_t{-1});
    store_big_endian(header + at::producer_epoch, std::int16_t{-1});
    store_big_endian(header + at::base_sequence, std::int32_t{-1});
    store_big_endian(header + at::record_count, count_);
    const std::span<const std::byte> batch(header, used_);
    store_big_endian(header + at::crc, crc32c(batch.subspan(at::attributes)));
    return batch;
}

BatchHeader BatchBuilder::header() const {
    BatchHeader header;
    header.base_offset = base_;
    header.batch_length = static_cast<std::int32_t>(used_ - length_field_end);
    header.last_offset_delta = next_ - 1;
    header.base_timestamp = base_timestamp_;
    header.max_timestamp = max_timestamp_;
    header.record_count = count_;
    return header;
}

std::span<const std::byte> BatchBuilder::records() const {
    return std::span(buffer_).first(used_).subspan(batch_header_bytes);
}

Result<BatchHeader> parse_batch_header(std::span<const std::byte> bytes) {
    if (bytes.size() < batch_header_bytes)
        return corrupt("{} bytes where a batch header has {}", bytes.size(), batch_header_bytes);
    const std::byte* from = bytes.data();
    const auto magic = load_big_endian<std::int8_t>(from + at::magic);
    if (magic != magic_v2) return corrupt("magic is {}, not {}", magic, magic_v2);

    BatchHeader header;
    header.base_offset = Offset{load_big_endian<std::int64_t>(from + at::base_offset)};
    header.batch_length = load_big_endian<std::int32_t>(from + at::batch_length);
    header.crc = load_big_endian<std::uint32_t>(from + at::crc);
    header.last_offset_delta = load_big_endian<std::int32_t>(from + at::last_offset_delta);
    header.base_timestamp = TimestampMs{load_big_endian<std::int64_t>(from + at::base_timestamp)};
    header.max_timestamp = TimestampMs{load_big_endian<std::int64_t>(from + at::max_timestamp)};
    header.record_count = load_big_endian<std::int32_t>(from + at::record_count);
    const int codec = load_big_endian<std::int16_t>(from + at::attributes) & codec_bits;

    if (header.bytes() < static_cast<std::int64_t>(batch_header_bytes) ||
        header.bytes() > static_cast<std::int64_t>(limits::batch_bytes_max))
        return corrupt("batchLength is {}", header.batch_length);
    if (header.last_offset_delta < 0) return corrupt("lastOffsetDelta is {}", header.last_offset_delta);
    if (header.base_offset.value < 0 ||
        header.base_offset.value > std::numeric_limits<std::int64_t>::max() - header.last_offset_delta - 1)
        return corrupt("baseOffset is {}", header.base_offset);
    if (codec > static_cast<int>(Codec::zstd)) return corrupt("the compression codec is {}", codec);
    header.codec = static_cast<Codec>(codec);
    const std::int64_t record_room = header.bytes() - static_cast<std::int64_t>(batch_header_bytes);
    const bool too_many = header.codec == Codec::none && header.record_count > record_room / record_bytes_min;
    if (header.record_count < 0 || header.record_count - 1 > header.last_offset_delta || too_many)
        return corrupt("recordCount is {}", header.record_count);
    return header;
}

void reseal_batch(std::span<std::byte> batch, Codec codec) {
    std::byte* header = batch.data();
    const int attributes = load_big_endian<std::int16_t>(header + at::attributes) & ~codec_bits;
    store_big_endian(header + at::batch_length, static_cast<std::int32_t>(batch.size() - length_field_end));
    store_big_endian(header + at::attributes, static_cast<std::int16_t>(attributes | static_cast<int>(codec)));
    store_big_endian(header + at::crc, crc32c(batch.subspan(at::attributes)));
}

bool batch_crc_ok(std::span<const std::byte> batch) {
    if (batch.size() < batch_header_bytes) return false;
    return load_big_endian<std::uint32_t>(batch.data() + at::crc) == crc32c(batch.subspan(at::attributes));
}

} // namespace questlog::log
