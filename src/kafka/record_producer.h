#pragma once

#include "kafka/client.h"
#include "kafka/forwarding_setup.h"
#include "log/record_batch.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace questlog::kafka {

/// What Kafka said of a record that was sent.
struct Report {
    Partition partition;
    std::uint64_t number = 0;
    std::int64_t record = -1; ///< Kafka's offset; below 0: it does not say.
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
};

/// Sends records to one topic: idempotent, acknowledged by all replicas, each partition in order and without gaps, and
/// never given up. One thread, but for yield().
class RecordProducer {
public:
    static Result<std::unique_ptr<RecordProducer>> make(const ClientSettings& settings, const std::string& compression,
                                                        const ProducerLimits& limits, const std::string& topic);

    /// Sends a copy. RD_KAFKA_RESP_ERR__QUEUE_FULL: reports() makes room. `number` comes back in the report.
    Result<rd_kafka_resp_err_t> send(Partition partition, const log::Record& record, std::string_view origin,
                                     std::uint64_t number);

    /// Waits for reports until `wait` is over or yield() is called, and gives `take` all there are. What is wrong with
    /// the cluster, if anything is new, is in complaint().
    void reports(std::chrono::milliseconds wait, const std::function<void(const Report&)>& take);
    /// Ends a wait in reports(), or the next one. Any thread.
    void yield() { rd_kafka_queue_yield(queue_.get()); }

    /// What librdkafka gave up for; RD_KAFKA_RESP_ERR_NO_ERROR: nothing.
    [[nodiscard]] rd_kafka_resp_err_t fatal() const { return rd_kafka_fatal_error(client_->get(), nullptr, 0); }
    /// Takes the last complaint of connections; empty: there is none since.
    [[nodiscard]] std::string complaint();
    [[nodiscard]] const std::string& bootstrap() const { return client_->settings().bootstrap; }

private:
    RecordProducer(std::unique_ptr<Client> client, TopicHandle topic);

    std::unique_ptr<Client> client_; ///< First: it goes last.
    TopicHandle topic_;
    QueueHandle queue_;
    std::string complaint_;
};

} // namespace questlog::kafka
