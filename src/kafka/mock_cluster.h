#pragma once

#include "kafka/client.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// For tests: a Kafka cluster in this process, librdkafka's own mock. It keeps 5 MB or 100,000 records of a partition,
/// checks no sequence numbers of producers, has of the Admin API only the description of topics, and makes a topic of 4
/// partitions of each that somebody asks for.
namespace questlog::kafka {

/// Kafka's numbers of its requests.
enum class Api : std::int16_t { produce = 0, fetch = 1, list_offsets = 2, metadata = 3, init_producer_id = 22 };

/// A record as it lies in a topic, or is to be put there.
struct StoredRecord {
    std::int64_t offset = -1; ///< Given by the broker.
    std::int64_t timestamp_ms = 0;
    std::optional<std::string> key;
    std::string value;
    std::vector<std::pair<std::string, std::string>> headers;

    [[nodiscard]] std::string header(std::string_view name) const {
        for (const auto& [key_of, value_of] : headers)
            if (key_of == name) return value_of;
        return {};
    }
};

class MockCluster {
public:
    explicit MockCluster(int brokers = 1) {
        std::array<char, 512> text{};
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        rd_kafka_conf_set_log_cb(conf, nullptr);
        handle_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size());
        EXPECT_NE(handle_, nullptr) << text.data();
        cluster_ = rd_kafka_mock_cluster_new(handle_, brokers);
        EXPECT_NE(cluster_, nullptr);
        rd_kafka_mock_set_controller_id(cluster_, 1);
        versions(Api::produce, 0, 9); // from 10 on a refusal names the leader: a SEGV of the mock's where there is none
    }
    ~MockCluster() {
        rd_kafka_mock_cluster_destroy(cluster_);
        rd_kafka_destroy(handle_);
    }
    MockCluster(const MockCluster&) = delete;
    MockCluster& operator=(const MockCluster&) = delete;

    [[nodiscard]] ClientSettings settings() const { return {rd_kafka_mock_cluster_bootstraps(cluster_), {}}; }

    void create(const std::string& topic, int partitions, int replicas = 1) {
        expect(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, replicas));
    }
    /// Which versions of the request it knows.
    void versions(Api api, std::int16_t first, std::int16_t last) {
        expect(rd_kafka_mock_set_apiversion(cluster_, static_cast<std::int16_t>(api), first, last));
    }
    /// Connections are cut and refused. Nothing that is stored is lost.
    void down() { expect(rd_kafka_mock_broker_set_down(cluster_, -1)); }
    void up() { expect(rd_kafka_mock_broker_set_up(cluster_, -1)); }
    /// Of every answer from now on.
    void round_trip(std::chrono::milliseconds time) {
        expect(rd_kafka_mock_broker_set_rtt(cluster_, -1, static_cast<int>(time.count())));
    }
    /// The broker, from 1 on, that leads the partition; -1: none does, and nothing can be written to it.
    void lead(const std::string& topic, int partition, std::int32_t broker) {
        expect(rd_kafka_mock_partition_set_leader(cluster_, topic.c_str(), partition, broker));
    }
    /// The next requests of the kind are answered so, one each, and not done. RD_KAFKA_RESP_ERR__TRANSPORT: the
    /// connection is cut instead.
    void answer_next(Api api, const std::vector<rd_kafka_resp_err_t>& answers) {
        rd_kafka_mock_push_request_errors_array(cluster_, static_cast<std::int16_t>(api), answers.size(),
                                                answers.data());
    }
    void forget_answers(Api api) { rd_kafka_mock_clear_request_errors(cluster_, static_cast<std::int16_t>(api)); }
    /// What the cluster answers who asks for the topic, which is made where it is missing; RD_KAFKA_RESP_ERR_NO_ERROR:
    /// what is true.
    void answer_of_topic(const std::string& topic, rd_kafka_resp_err_t answer) {
        rd_kafka_mock_topic_set_error(cluster_, topic.c_str(), answer);
    }

    /// Puts records into a partition, as a program of somebody else does. All are stored when it returns.
    void put(const std::string& topic, int partition, const std::vector<StoredRecord>& records,
             const std::string& codec = "none") {
        const auto client = make(RD_KAFKA_PRODUCER,
                                 {{"linger.ms", "0"}, {"message.max.bytes", "33554432"}, {"compression.codec", codec}});
        const auto handle = std::move(client->topic(topic)).value();
        for (const StoredRecord& record : records) {
            rd_kafka_headers_t* headers = rd_kafka_headers_new(record.headers.size());
            for (const auto& [name, value] : record.headers)
                rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                                    static_cast<ssize_t>(value.size()));
            std::string value = record.value;
            std::string key = record.key.value_or("");
            void* const key_bytes = record.key ? key.data() : nullptr;
            expect(rd_kafka_producev(client->get(), RD_KAFKA_V_RKT(handle.get()), RD_KAFKA_V_PARTITION(partition),
                                     RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                     RD_KAFKA_V_VALUE(value.data(), value.size()),
                                     RD_KAFKA_V_KEY(key_bytes, key.size()), RD_KAFKA_V_TIMESTAMP(record.timestamp_ms),
                                     RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END));
        }
        expect(rd_kafka_flush(client->get(), wait_ms));
    }

    /// Where a partition begins and ends.
    [[nodiscard]] std::pair<std::int64_t, std::int64_t> watermarks(const std::string& topic, int partition) const {
        const auto client = make(RD_KAFKA_CONSUMER, {});
        std::pair<std::int64_t, std::int64_t> found{-1, -1};
        expect(rd_kafka_query_watermark_offsets(client->get(), topic.c_str(), partition, &found.first, &found.second,
                                                wait_ms));
        return found;
    }

    /// Every record that a partition holds, in order.
    [[nodiscard]] std::vector<StoredRecord> read(const std::string& topic, int partition) const {
        const auto [low, high] = watermarks(topic, partition);
        std::vector<StoredRecord> records;
        if (low >= high) return records;
        const auto client = make(RD_KAFKA_CONSUMER, {{"fetch.wait.max.ms", "5"}});
        const auto handle = std::move(client->topic(topic)).value();
        EXPECT_EQ(rd_kafka_consume_start(handle.get(), partition, low), 0);
        while (records.empty() || records.back().offset < high - 1) {
            const MessageHandle message(rd_kafka_consume(handle.get(), partition, wait_ms));
            if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
                ADD_FAILURE() << "reading stops after " << records.size() << " records";
                break;
            }
            records.push_back(stored(*message));
        }
        rd_kafka_consume_stop(handle.get(), partition);
        return records;
    }

private:
    static constexpr int wait_ms = 20'000;

    static void expect(rd_kafka_resp_err_t code) {
        EXPECT_EQ(code, RD_KAFKA_RESP_ERR_NO_ERROR) << rd_kafka_err2str(code);
    }

    [[nodiscard]] std::unique_ptr<Client> make(rd_kafka_type_t type, const std::vector<Property>& properties) const {
        auto client = Client::make(type, settings(), properties);
        EXPECT_TRUE(client.ok()) << client.error().message;
        return std::move(client).value();
    }

    static StoredRecord stored(const rd_kafka_message_t& message) {
        StoredRecord record;
        record.offset = message.offset;
        record.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
        if (message.key != nullptr) record.key.emplace(static_cast<const char*>(message.key), message.key_len);
        record.value.assign(static_cast<const char*>(message.payload), message.len);
        rd_kafka_headers_t* headers = nullptr;
        if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return record;
        const char* name = nullptr;
        const void* value = nullptr;
        std::size_t bytes = 0;
        for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &bytes) == 0; ++i)
            record.headers.emplace_back(name, std::string(static_cast<const char*>(value), bytes));
        return record;
    }

    rd_kafka_t* handle_ = nullptr;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;
};

} // namespace questlog::kafka
