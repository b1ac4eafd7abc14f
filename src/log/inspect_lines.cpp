#include "log/inspect_lines.h"

#include "log/hole.h"

#include <chrono>
#include <fmt/chrono.h>

namespace questlog::log {

namespace {

std::string_view name_of(Codec codec) {
    switch (codec) {
    case Codec::none: return "none";
    case Codec::gzip: return "gzip";
    case Codec::snappy: return "snappy";
    case Codec::lz4: return "lz4";
    case Codec::zstd: return "zstd";
    }
    return "none";
}

std::string time_text(TimestampMs timestamp) {
    const auto seconds = timestamp.value / 1000 - (timestamp.value % 1000 < 0 ? 1 : 0);
    constexpr std::int64_t last_second_of_9999 = 253'402'300'799;
    if (seconds < 0 || seconds > last_second_of_9999) return fmt::format("{} ms", timestamp);
    return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<std::time_t>(seconds)),
                       timestamp.value - seconds * 1000);
}

/// Length of the UTF-8 character at the front of `text`; 0 where the bytes are none.
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool legal =
            !(first == 0xe0 && byte(1) < 0xa0) && !(first == 0xed && byte(1) > 0x9f); // overlong, surrogate
        return legal && continues(1) && continues(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool legal = !(first == 0xf0 && byte(1) < 0x90) && !(first == 0xf4 && byte(1) > 0x8f);
        return legal && continues(1) && continues(2) && continues(3) ? 4 : 0;
    }
    return 0;
}

/// `text` as a JSON string; bytes that are no UTF-8 become U+FFFD.
std::string quoted(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const auto length = utf8_length(text);
        const char c = text.front();
        if (length == 0)
            out += "\\ufffd";
        else if (c == '"' || c == '\\')
            out += {'\\', c};
        else if (static_cast<unsigned char>(c) < 0x20)
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
            out += text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out + "\"";
}

/// A record's headers, each by `append`, between commas.
template <class Append> std::string listed_headers(const Record& record, Append append) {
    std::string out;
    const auto headers = parse_headers(record);
    if (!headers.ok()) return out; // the batch's CRC was right: it was written so
    for (const RecordHeader& header : headers.value()) {
        if (!out.empty()) out += ", ";
        append(out, header);
    }
    return out;
}

std::string text_headers(const Record& record) {
    if (record.header_count == 0) return "none";
    return listed_headers(record, [](std::string& out, const RecordHeader& header) {
        out.append(header.key).append("=").append(quoted(header.value));
    });
}

std::string json_headers(const Record& record) {
    const std::string list = listed_headers(record, [](std::string& out, const RecordHeader& header) {
        out += fmt::format(R"({{"key": {}, "value": {}}})", quoted(header.key), quoted(header.value));
    });
    return "[" + list + "]";
}

class TextLines final : public InspectLines {
public:
    [[nodiscard]] std::string topic(const Topic& topic) const override {
        return fmt::format("topic {} id {} partitions {} segment.bytes {}", topic.name, topic.id, topic.partitions,
                           topic.segment_bytes);
    }
    [[nodiscard]] std::string partition(const InspectedPartition& partition) const override {
        const auto* state = partition.writer_alive ? "being written"
                            : partition.closed     ? "closed cleanly"
                                                   : "not closed cleanly";
        const auto start =
            partition.start > Offset{} ? fmt::format("begins at offset {}, ", partition.start) : std::string();
        return fmt::format("partition {}: {}durable end {}, {}, {} segment{} in {}", partition.partition, start,
                           partition.durable_end, state, partition.segments, partition.segments == 1 ? "" : "s",
                           partition.directory);
    }
    [[nodiscard]] std::string segment(const InspectedSegment& segment) const override {
        return fmt::format("  segment {} from offset {}, {} bytes", segment.path, segment.base, segment.bytes);
    }
    [[nodiscard]] std::string batch(const InspectedBatch& batch) const override {
        const auto& header = batch.header;
        if (is_hole(header))
            return fmt::format("    hole offsets {}..{} position {} bytes {}: given up by `questlog log repair`",
                               header.base_offset, header.end_offset().plus(-1), batch.position, header.bytes());
        return fmt::format("    batch offsets {}..{} count {} position {} bytes {} time {} .. {} codec {} crc ok{}",
                           header.base_offset, header.end_offset().plus(-1), header.record_count, batch.position,
                           header.bytes(), time_text(header.base_timestamp), time_text(header.max_timestamp),
                           name_of(header.codec), batch.durable ? "" : " (above the durable end)");
    }
    [[nodiscard]] std::string record(const Record& record) const override {
        return fmt::format("      {} {} key {} headers {} value {}", record.offset, time_text(record.timestamp),
                           record.key ? quoted(*record.key) : "null", text_headers(record), record.value);
    }
    [[nodiscard]] std::string fault(const InspectedFault& fault) const override {
        auto text = fmt::format("    {} at byte {} of {} (offset {}): {}", fault.damage ? "DAMAGED" : "torn batch",
                                fault.position, fault.path, fault.offset, fault.what);
        if (fault.next_batch >= 0) text += fmt::format("; a valid batch follows at byte {}", fault.next_batch);
        return text;
    }
};

class JsonLines final : public InspectLines {
public:
    [[nodiscard]] std::string topic(const Topic& topic) const override {
        return fmt::format(R"({{"kind": "topic", "name": {}, "id": {}, "partitions": {}, "segment_bytes": {}}})",
                           quoted(topic.name), quoted(topic.id), topic.partitions, topic.segment_bytes);
    }
    [[nodiscard]] std::string partition(const InspectedPartition& partition) const override {
        return fmt::format(
            R"({{"kind": "partition", "partition": {}, "directory": {}, "start": {}, "durable_end": {}, "closed": {}, )"
            R"("writer_alive": {}, "segments": {}}})",
            partition.partition, quoted(partition.directory), partition.start, partition.durable_end, partition.closed,
            partition.writer_alive, partition.segments);
    }
    [[nodiscard]] std::string segment(const InspectedSegment& segment) const override {
        return fmt::format(R"({{"kind": "segment", "path": {}, "base_offset": {}, "bytes": {}}})", quoted(segment.path),
                           segment.base, segment.bytes);
    }
    [[nodiscard]] std::string batch(const InspectedBatch& batch) const override {
        const auto& header = batch.header;
        if (is_hole(header))
            return fmt::format(
                R"({{"kind": "hole", "base_offset": {}, "last_offset": {}, "position": {}, "bytes": {}}})",
                header.base_offset, header.end_offset().plus(-1), batch.position, header.bytes());
        return fmt::format(R"({{"kind": "batch", "base_offset": {}, "last_offset": {}, "count": {}, "position": {}, )"
                           R"("bytes": {}, "base_timestamp": {}, "max_timestamp": {}, "codec": "{}", "crc": {}, )"
                           R"("crc_ok": true, "durable": {}}})",
                           header.base_offset, header.end_offset().plus(-1), header.record_count, batch.position,
                           header.bytes(), header.base_timestamp, header.max_timestamp, name_of(header.codec),
                           header.crc, batch.durable);
    }
    [[nodiscard]] std::string record(const Record& record) const override {
        return fmt::format(
            R"({{"kind": "record", "offset": {}, "timestamp": {}, "key": {}, "headers": {}, "value": {}}})",
            record.offset, record.timestamp, record.key ? quoted(*record.key) : "null", json_headers(record),
            quoted(record.value));
    }
    [[nodiscard]] std::string fault(const InspectedFault& fault) const override {
        return fmt::format(
            R"({{"kind": "{}", "path": {}, "position": {}, "offset": {}, "what": {}, "next_batch": {}}})",
            fault.damage ? "damage" : "torn", quoted(fault.path), fault.position, fault.offset, quoted(fault.what),
            fault.next_batch >= 0 ? fmt::to_string(fault.next_batch) : "null");
    }
};

} // namespace

std::unique_ptr<InspectLines> make_text_lines() {
    return std::make_unique<TextLines>();
}
std::unique_ptr<InspectLines> make_json_lines() {
    return std::make_unique<JsonLines>();
}

} // namespace questlog::log
