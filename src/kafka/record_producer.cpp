#include "kafka/record_producer.h"

#include "kafka/origin.h"

#include <algorithm>
#include <array>
#include <utility>

namespace questlog::kafka {
namespace {

constexpr std::size_t headers_usual = 4;

using Headers = std::unique_ptr<rd_kafka_headers_t, Calls<rd_kafka_headers_destroy>>;

Status add_header(rd_kafka_headers_t* headers, std::string_view name, std::string_view value) {
    const auto code = rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                                          static_cast<ssize_t>(value.size()));
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return internal("a header is refused: {}", rd_kafka_err2str(code));
    return {};
}

} // namespace

RecordProducer::RecordProducer(std::unique_ptr<Client> client, TopicHandle topic)
    : client_(std::move(client)), topic_(std::move(topic)), queue_(rd_kafka_queue_get_main(client_->get())) {}

Result<std::unique_ptr<RecordProducer>> RecordProducer::make(const ClientSettings& settings,
                                                             const std::string& compression,
                                                             const ProducerLimits& limits, const std::string& topic) {
    const std::string records = std::to_string(limits.records_max);
    const std::string kib = std::to_string(std::max<std::int64_t>(1, limits.bytes_max / 1024));
    const std::string batch = std::to_string(limits.batch_bytes_max);
    const std::vector<Property> own{
        {"enable.idempotence", "true"},
        {"acks", "all"},
        {"enable.gapless.guarantee", "true"}, // a batch that is refused stops all after it
        {"max.in.flight.requests.per.connection", "5"},
        {"message.timeout.ms", "0"},
        {"allow.auto.create.topics", "false"}, // a topic that was deleted is missed, not made anew
        {"enabled_events", "1"},               // RD_KAFKA_EVENT_DR
        {"compression.type", compression},
        {"queue.buffering.max.messages", records},
        {"queue.buffering.max.kbytes", kib},
        {"batch.size", batch},
        // Times and sizes, no promise. docs/decisions/0017-kafka-forwarder.md has the figures.
        {"linger.ms", "0.5"},
        {"batch.num.messages", "20000"},
        {"socket.nagle.disable", "true"},
        {"retry.backoff.ms", "50"},
        {"topic.metadata.propagation.max.ms", "10000"},
    };
    TRY(client, Client::make(RD_KAFKA_PRODUCER, settings, own));
    TRY(handle, client->topic(topic));
    return std::unique_ptr<RecordProducer>(new RecordProducer(std::move(client), std::move(handle)));
}

Result<rd_kafka_resp_err_t> RecordProducer::send(Partition partition, const log::Record& record,
                                                 std::string_view origin, std::uint64_t number) {
    Headers headers(rd_kafka_headers_new(headers_usual));
    if (record.header_count > 0) {
        TRY(own, log::parse_headers(record));
        for (const auto& [name, value] : own) CHECK_OK(add_header(headers.get(), name, value));
    }
    CHECK_OK(add_header(headers.get(), origin_header, origin));
    const std::string_view key = record.key.value_or(std::string_view());
    const char* const key_bytes = record.key ? key.data() : nullptr;
    const auto code = rd_kafka_producev(
        client_->get(), RD_KAFKA_V_RKT(topic_.get()), RD_KAFKA_V_PARTITION(partition.value),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_VALUE(const_cast<char*>(record.value.data()), record.value.size()), // NOLINT: it is copied
        RD_KAFKA_V_KEY(key_bytes, key.size()), RD_KAFKA_V_TIMESTAMP(record.timestamp.value),
        RD_KAFKA_V_HEADERS(headers.get()), RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(number)), // NOLINT: a number
        RD_KAFKA_V_END);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) (void)headers.release(); // the message's now
    return code;
}

void RecordProducer::reports(std::chrono::milliseconds wait, const std::function<void(const Report&)>& take) {
    std::array<const rd_kafka_message_t*, 512> messages{};
    while (true) {
        const EventHandle event(rd_kafka_queue_poll(queue_.get(), static_cast<int>(wait.count())));
        if (event == nullptr) return;
        wait = {};
        if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_ERROR)
            complaint_ = rd_kafka_event_error_string(event.get());
        if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
        while (const std::size_t count = rd_kafka_event_message_array(event.get(), messages.data(), messages.size()))
            for (std::size_t i = 0; i < count; ++i) {
                const rd_kafka_message_t& message = *messages[i];
                take({Partition{message.partition}, reinterpret_cast<std::uint64_t>(message._private), // NOLINT
                      message.offset, message.err});
            }
    }
}

std::string RecordProducer::complaint() {
    if (std::string told = client_->complaint(); !told.empty()) {
        client_->forget_complaint();
        complaint_ = std::move(told);
    }
    return std::exchange(complaint_, {});
}

} // namespace questlog::kafka
