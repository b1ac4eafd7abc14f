#pragma once

#include "base/result.h"
#include "base/strong.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// Kafka's RecordBatch v2 (magic 2), byte for byte: docs/formats/log.md. Big-endian; CRC32C from attributes to the end.
namespace questlog::log {

inline constexpr std::size_t batch_header_bytes = 61;
inline constexpr std::int64_t record_bytes_min = 7; ///< Every field of an empty record at one byte each.

struct RecordHeader {
    std::string_view key;
    std::string_view value;
};

/// One event as it lies in a batch. The views point into the batch's bytes.
struct Record {
    Offset offset;
    TimestampMs timestamp;
    std::optional<std::string_view> key;
    std::string_view value;
    std::int32_t header_count = 0;
    std::span<const std::byte> header_bytes; ///< Encoded; parse_headers() reads them.
};

enum class Codec : std::uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

struct BatchHeader {
    Offset base_offset;
    std::int32_t batch_length = 0; ///< Bytes after this field; the batch is batch_length + 12 bytes long.
    std::uint32_t crc = 0;
    Codec codec = Codec::none;
    std::int32_t last_offset_delta = 0;
    TimestampMs base_timestamp;
    TimestampMs max_timestamp;
    std::int32_t record_count = 0;

    [[nodiscard]] std::int64_t bytes() const { return std::int64_t{batch_length} + 12; }
    [[nodiscard]] Offset end_offset() const { return base_offset.plus(last_offset_delta + 1); }
};

/// Builds one batch in a buffer that is reused from commit to commit, and first made when it is needed. One thread.
class BatchBuilder {
public:
    /// Begins an empty batch whose first record will have offset `base`.
    void begin(Offset base);
    /// Appends one record at next_offset(). The value is copied; without data it is null.
    void add(TimestampMs timestamp, std::string_view value, std::optional<std::string_view> key = std::nullopt,
             std::span<const RecordHeader> headers = {});
    [[nodiscard]] bool empty() const { return count_ == 0; }
    [[nodiscard]] std::int32_t count() const { return count_; }
    [[nodiscard]] std::size_t bytes() const { return used_; } ///< Of the whole batch, header included.
    [[nodiscard]] Offset next_offset() const { return base_.plus(next_); }
    /// The offsets from next_offset() to here, which is no less, have no records; also at the end of the batch.
    void skip_to(Offset offset) { next_ = static_cast<std::int32_t>(offset.minus(base_)); }
    /// Completes header and CRC of a batch that is not empty. The span is valid until the next begin(), and followed by
    /// at least 64 readable bytes.
    [[nodiscard]] std::span<const std::byte> seal();
    /// Of a batch that is not empty and stays within the process, without completing it: what parse_batch_header()
    /// would say, but for the CRC, and its records, as seal() gives them.
    [[nodiscard]] BatchHeader header() const;
    [[nodiscard]] std::span<const std::byte> records() const;
    void shrink(std::size_t bytes_max); ///< Forgets the batch; gives the buffer back where it is larger.

private:
    std::byte* reserve(std::size_t more);

    std::vector<std::byte> buffer_; ///< Its size is the room; the first used_ bytes are the batch.
    std::size_t used_ = batch_header_bytes;
    Offset base_{};
    TimestampMs base_timestamp_{};
    TimestampMs max_timestamp_{};
    std::int32_t count_ = 0;
    std::int32_t next_ = 0; ///< Offset delta of the next record.
};

/// Reads and checks the 61 header bytes: magic, lengths and counts in range. Does not check the CRC. `corrupt` says
/// which field is wrong.
Result<BatchHeader> parse_batch_header(std::span<const std::byte> bytes);
/// Says in the header of a whole batch, whose records were replaced, how long they are and what they are compressed
/// with, and gives it its CRC.
void reseal_batch(std::span<std::byte> batch, Codec codec);
/// True if the CRC of a whole batch's bytes is right.
[[nodiscard]] bool batch_crc_ok(std::span<const std::byte> batch);

/// Walks the records of one batch, uncompressed (BatchDecompressor does that), whose CRC is right. next() is false
/// after the last record; a record that does not parse is an error (`corrupt`).
class RecordCursor {
public:
    RecordCursor(const BatchHeader& header, std::span<const std::byte> records);
    Result<bool> next(Record& record);
    /// Bytes from the start of the records to the record that next() gives next.
    [[nodiscard]] std::uint32_t position() const { return static_cast<std::uint32_t>(position_); }

private:
    BatchHeader header_;
    std::span<const std::byte> records_;
    std::size_t position_ = 0;
    std::int32_t seen_ = 0;
};

/// The record that starts at `bytes` (which may go on beyond it); its length in bytes through `used`.
Result<Record> parse_record(Offset base_offset, TimestampMs base_timestamp, std::span<const std::byte> bytes,
                            std::size_t& used);
Result<std::vector<RecordHeader>> parse_headers(const Record& record);
/// The value of the record's last header of that name; nullopt: it has none, or its headers do not parse.
[[nodiscard]] std::optional<std::string_view> find_header(const Record& record, std::string_view key);

} // namespace questlog::log
