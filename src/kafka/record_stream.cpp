#include "kafka/record_stream.h"

#include "base/big_endian.h"
#include "base/crc32c.h"
#include "base/limits.h"

#include <algorithm>

namespace questlog::kafka {
namespace {

constexpr std::size_t batch_bytes_wanted = 256 * 1024;
constexpr std::int64_t batch_offsets_max = 1'000'000;

std::string_view text_of(const void* bytes, std::size_t size) {
    return bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(bytes), size);
}

TimestampMs time_of(const rd_kafka_message_t& message) {
    rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    const std::int64_t time = rd_kafka_message_timestamp(&message, &type);
    return TimestampMs{type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? 0 : time};
}

/// What it takes up in a batch at most.
std::size_t bytes_max_of(const rd_kafka_message_t& message, std::span<const log::RecordHeader> headers) {
    constexpr std::size_t numbers = 50; // lengths, time and offset, ten bytes each at most
    std::size_t bytes = numbers + message.key_len + message.len;
    for (const auto& [name, value] : headers) bytes += numbers + name.size() + value.size();
    return bytes;
}

} // namespace

std::uint32_t fingerprint(const rd_kafka_message_t& message) {
    std::array<std::byte, 12> sums{};
    store_big_endian(sums.data(), time_of(message).value);
    const std::string_view value = text_of(message.payload, message.len);
    store_big_endian(sums.data() + 8, crc32c(std::as_bytes(std::span(value))));
    return crc32c(sums);
}

std::optional<Origin> origin_of(const rd_kafka_message_t& message) {
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
    const void* value = nullptr;
    std::size_t size = 0;
    if (rd_kafka_header_get_last(headers, origin_header, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return std::nullopt;
    return parse_origin(text_of(value, size));
}

Status RecordStream::begin(Offset at, std::optional<OriginsSeen> seen) {
    CHECK_OK(messages_->seek(at));
    at_ = at;
    leaves_out_ = seen.has_value();
    seen_ = std::move(seen).value_or(OriginsSeen{});
    return {};
}

Result<std::optional<std::uint32_t>> RecordStream::fingerprint_at(Offset offset) {
    CHECK_OK(messages_->seek(offset));
    TRY(message, messages_->next(offset.plus(1)));
    const auto found = message == nullptr ? std::nullopt : std::optional(fingerprint(*message));
    messages_->rest();
    return found;
}

Status RecordStream::read(Offset to, log::BatchBuilder& batch) {
    const Offset first = at_;
    const Offset last = std::min(to, first.plus(batch_offsets_max));
    while (batch.bytes() < batch_bytes_wanted) {
        TRY(message, messages_->next(last));
        if (message == nullptr) {
            at_ = last;
            break;
        }
        const Offset offset{message->offset};
        const auto headers = headers_of(*message);
        if (!batch.empty() && batch.bytes() + bytes_max_of(*message, headers) > limits::batch_bytes_max) {
            messages_->take_back(); // alone it may be small enough
            at_ = offset;
            break;
        }
        if (at_ == first) witness_ = {offset, fingerprint(*message)};
        at_ = offset.plus(1);
        if (is_repeat(*message)) continue;
        batch.skip_to(offset);
        std::optional<std::string_view> key;
        if (message->key != nullptr) key = text_of(message->key, message->key_len);
        batch.add(time_of(*message), text_of(message->payload, message->len), key, headers);
    }
    batch.skip_to(at_);
    return {};
}

Status RecordStream::pass(Offset to) {
    while (at_ < to) {
        TRY(message, messages_->next(to));
        if (message == nullptr) {
            at_ = to;
            return {};
        }
        at_ = Offset{message->offset}.plus(1);
        (void)is_repeat(*message);
    }
    return {};
}

/// The record is there for the second time.
bool RecordStream::is_repeat(const rd_kafka_message_t& message) {
    if (!leaves_out_) return false;
    const auto origin = origin_of(message);
    return origin && !seen_.see(*origin);
}

std::span<const log::RecordHeader> RecordStream::headers_of(const rd_kafka_message_t& message) {
    headers_.clear();
    rd_kafka_headers_t* headers = nullptr;
    if (!with_headers_ || rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i)
        headers_.push_back({name, text_of(value, size)});
    return headers_;
}

} // namespace questlog::kafka
