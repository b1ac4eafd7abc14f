#include "log/record_batch.h"
#include "log/varint.h"

namespace questlog::log {

namespace {

std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Unsigned, so that a damaged delta wraps around instead of being undefined.
std::int64_t add(std::int64_t base, std::int64_t delta) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(base) + static_cast<std::uint64_t>(delta));
}

/// The body of a record, after its length. False if it does not parse.
bool decode_body(Offset base_offset, TimestampMs base_timestamp, std::span<const std::byte> body, Record& record) {
    VarintReader reader(body);
    reader.skip_byte(); // attributes
    record.timestamp = TimestampMs{add(base_timestamp.value, reader.take_long())};
    const std::int32_t offset_delta = reader.take_int();
    record.offset = Offset{add(base_offset.value, offset_delta)};
    const auto key = reader.take_bytes();
    record.key = key ? std::optional(text_of(*key)) : std::nullopt;
    const auto value = reader.take_bytes();
    record.value = value ? text_of(*value) : std::string_view();
    record.header_count = reader.take_int();
    record.header_bytes = reader.rest();
    return !reader.failed() && offset_delta >= 0 && record.header_count >= 0;
}

/// A whole record; its length through `used`. False if it does not parse.
bool decode(Offset base_offset, TimestampMs base_timestamp, std::span<const std::byte> bytes, Record& record,
            std::size_t& used) {
    VarintReader reader(bytes);
    const std::int32_t length = reader.take_int();
    const auto rest = reader.rest();
    if (reader.failed() || length < 0 || static_cast<std::size_t>(length) > rest.size()) return false;
    used = bytes.size() - rest.size() + static_cast<std::size_t>(length);
    return decode_body(base_offset, base_timestamp, rest.first(static_cast<std::size_t>(length)), record);
}

} // namespace

Result<Record> parse_record(Offset base_offset, TimestampMs base_timestamp, std::span<const std::byte> bytes,
                            std::size_t& used) {
    Record record;
    if (!decode(base_offset, base_timestamp, bytes, record, used)) return corrupt("a record does not parse");
    return record;
}

Result<std::vector<RecordHeader>> parse_headers(const Record& record) {
    std::vector<RecordHeader> headers;
    VarintReader reader(record.header_bytes);
    for (std::int32_t i = 0; i < record.header_count && !reader.failed(); ++i) {
        const auto key = reader.take_bytes();
        const auto value = reader.take_bytes();
        if (!key) break;
        headers.push_back({text_of(*key), value ? text_of(*value) : std::string_view()});
    }
    if (reader.failed() || headers.size() != static_cast<std::size_t>(record.header_count))
        return corrupt("the headers of record {} do not parse", record.offset);
    return headers;
}

std::optional<std::string_view> find_header(const Record& record, std::string_view key) {
    std::optional<std::string_view> found;
    VarintReader reader(record.header_bytes);
    for (std::int32_t i = 0; i < record.header_count && !reader.failed(); ++i) {
        const auto name = reader.take_bytes();
        const auto value = reader.take_bytes();
        if (name && text_of(*name) == key) found = value ? text_of(*value) : std::string_view();
    }
    return reader.failed() ? std::nullopt : found;
}

RecordCursor::RecordCursor(const BatchHeader& header, std::span<const std::byte> records)
    : header_(header), records_(records) {}

Result<bool> RecordCursor::next(Record& record) {
    if (seen_ == header_.record_count) {
        if (position_ != records_.size())
            return corrupt("batch {} has {} bytes after its last record", header_.base_offset,
                           records_.size() - position_);
        return false;
    }
    std::size_t used = 0;
    if (!decode(header_.base_offset, header_.base_timestamp, records_.subspan(position_), record, used))
        return corrupt("record {} of batch {} does not parse", seen_, header_.base_offset);
    if (record.offset >= header_.end_offset())
        return corrupt("record {} of batch {} has offset {}", seen_, header_.base_offset, record.offset);
    position_ += used;
    ++seen_;
    return true;
}

} // namespace questlog::log
