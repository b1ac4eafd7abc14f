#include "kafka/partition_stream.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::kafka {
namespace {

constexpr std::chrono::milliseconds wait_slice{100};

/// At the end of a partition the broker is not to keep the answer back for long; in its midst it never does.
/// librdkafka stands still for a second when more has arrived than it is to hold: answers are small, so that few of
/// them are ahead of what is read, and only their bytes are limited (docs/decisions/0018-kafka-reader.md).
const std::vector<Property> reader_properties{
    {"auto.offset.reset", "error"},        {"check.crcs", "true"},
    {"enable.auto.commit", "false"},       {"enable.auto.offset.store", "false"},
    {"enable.partition.eof", "true"},      {"fetch.message.max.bytes", "131072"},
    {"fetch.queue.backoff.ms", "10"},      {"fetch.wait.max.ms", "50"},
    {"isolation.level", "read_committed"}, {"queued.max.messages.kbytes", "32768"},
    {"queued.min.messages", "10000000"},
};

} // namespace

Result<std::unique_ptr<PartitionStream>> PartitionStream::open(const ClientSettings& settings, const std::string& topic,
                                                               Partition partition, std::function<bool()> stop) {
    TRY(client, Client::make(RD_KAFKA_CONSUMER, settings, reader_properties));
    TRY(handle, client->topic(topic));
    return std::unique_ptr<PartitionStream>(
        new PartitionStream(std::move(client), std::move(handle), topic, partition, std::move(stop)));
}

PartitionStream::~PartitionStream() {
    stop();
}

void PartitionStream::stop() {
    drop_messages();
    if (started_) rd_kafka_consume_stop(topic_.get(), partition_.value);
    started_ = false;
}

void PartitionStream::drop_messages() {
    if (given_ != nullptr) rd_kafka_message_destroy(given_);
    given_ = nullptr;
    for (; message_at_ < message_count_; ++message_at_) rd_kafka_message_destroy(messages_[message_at_]);
    message_at_ = message_count_ = 0;
}

Status PartitionStream::seek(Offset offset) {
    if (started_ && position_ == offset) return {};
    stop();
    if (rd_kafka_consume_start(topic_.get(), partition_.value, offset.value) != 0)
        return client_->error(rd_kafka_last_error(), doing());
    started_ = true;
    position_ = offset;
    return {};
}

Result<const rd_kafka_message_t*> PartitionStream::next(Offset to) {
    auto waited = std::chrono::milliseconds::zero();
    while (position_ < to) {
        if (given_ != nullptr) rd_kafka_message_destroy(given_);
        given_ = nullptr;
        if (message_at_ == message_count_) {
            if (stop_ && stop_()) return retry_later("stopped");
            CHECK_OK(fetch());
            if (message_count_ > 0) continue;
            waited += wait_slice;
            if (waited >= client_->settings().patience) return client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT, doing());
            continue;
        }
        rd_kafka_message_t* message = messages_[message_at_];
        const Offset offset{message->offset};
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && offset >= to) {
            position_ = std::max(position_, offset); // it is given when more is asked for
            return static_cast<const rd_kafka_message_t*>(nullptr);
        }
        ++message_at_;
        given_ = message;
        if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            position_ = std::max(position_, offset);
            continue;
        }
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            const Error error = error_of(*message);
            waited += wait_slice;
            if (error.kind != ErrorKind::retry_later || waited >= client_->settings().patience) return error;
            continue; // it goes on by itself, or is told again
        }
        if (offset < position_) continue; // a batch that begins before the offset that was asked for
        position_ = offset.plus(1);
        return static_cast<const rd_kafka_message_t*>(message);
    }
    return static_cast<const rd_kafka_message_t*>(nullptr);
}

void PartitionStream::take_back() {
    position_ = Offset{given_->offset};
    given_ = nullptr;
    --message_at_;
}

Status PartitionStream::fetch() {
    message_at_ = message_count_ = 0;
    auto count = rd_kafka_consume_batch(topic_.get(), partition_.value, 0, messages_.data(), messages_.size());
    if (count == 0) { // what is there, without waiting for as many; then for one
        messages_[0] = rd_kafka_consume(topic_.get(), partition_.value, static_cast<int>(wait_slice.count()));
        if (messages_[0] != nullptr) count = 1;
        rd_kafka_poll(client_->get(), 0); // complaints are told
    }
    if (count < 0) return client_->error(rd_kafka_last_error(), doing());
    message_count_ = static_cast<std::size_t>(count);
    return {};
}

std::string PartitionStream::doing() const {
    return fmt::format("read topic {} [{}]", name_, partition_);
}

Error PartitionStream::error_of(const rd_kafka_message_t& message) const {
    if (message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE || message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
        return reject(
            "offset {} of topic {} [{}] is not in Kafka {} any more: it has expired, or the topic was deleted "
            "and made anew",
            position_, name_, partition_, client_->settings().bootstrap);
    return client_->error(message.err, doing());
}

} // namespace questlog::kafka
