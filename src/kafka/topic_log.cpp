#include "kafka/topic_log.h"

#include "kafka/client.h"
#include "kafka/partition_reader.h"

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <fmt/format.h>

namespace questlog::kafka {
namespace {

constexpr std::chrono::milliseconds poll_first{5};
constexpr std::chrono::milliseconds poll_longest{100};

/// What tells the logs of topics apart, in the form of the embedded log's: of the cluster's id and the topic's name.
std::string log_id_of(std::string_view cluster, std::string_view topic) {
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const auto uuid =
        boost::uuids::name_generator_sha1(boost::uuids::ns::url())(fmt::format("kafka://{}/{}", cluster, topic));
    std::string text;
    std::uint32_t bits = 0;
    int held = 0;
    for (const std::uint8_t byte : uuid) {
        bits = bits << 8 | byte;
        for (held += 8; held >= 6; held -= 6) text += digits[bits >> (held - 6) & 63];
    }
    text += digits[bits << (6 - held) & 63];
    if (text.front() == '-') text.front() = 'A'; // so that no command takes it for an option
    return text;
}

class TopicReader final : public log::LogReader {
public:
    TopicReader(io::Env env, const ReaderOptions& options, log::Topic topic)
        : env_(env), topic_(std::move(topic)), options_(options) {}

    Status open() {
        TRY(asker, Client::make(RD_KAFKA_CONSUMER, options_.client, {{"isolation.level", "read_committed"}}));
        asker_ = std::move(asker);
        CHECK_OK(open_embedded());
        for (Partition i{0}; i.value < topic_.partitions; ++i.value) {
            std::optional<LocalPart> local;
            if (embedded_ && i.value < embedded_->topic().partitions)
                local = LocalPart{&embedded_->partition(i), embedded_->topic(), i};
            partitions_.push_back(std::make_unique<PartitionReader>(
                std::make_unique<TopicPartition>(env_, *asker_, topic_.name, i,
                                                 TopicPartition::Options{options_.directory, options_.cache_bytes_max,
                                                                         options_.as_they_lie, options_.with_headers,
                                                                         options_.stop}),
                local));
        }
        return {};
    }

    [[nodiscard]] const log::Topic& topic() const override { return topic_; }

    PartitionReader& partition(Partition partition) override {
        return *partitions_.at(static_cast<std::size_t>(partition.value));
    }

    [[nodiscard]] bool ascends_in_time() const override { return false; }

    Result<bool> wait_beyond(std::span<const Offset> ends, std::chrono::milliseconds limit) override {
        if (ends.size() != partitions_.size())
            return internal("{} ends were given for {} partitions", ends.size(), partitions_.size());
        const auto deadline = env_.clock.monotonic() + limit;
        auto pause = poll_first;
        while (true) {
            for (std::size_t i = 0; i < ends.size(); ++i) {
                if (ends[i].value == INT64_MAX) continue;
                TRY(end, partitions_[i]->end_offset());
                if (end > ends[i]) return true;
            }
            const auto now = env_.clock.monotonic();
            if (now >= deadline) return false;
            env_.clock.sleep(std::min(pause, std::chrono::ceil<std::chrono::milliseconds>(deadline - now)));
            pause = std::min(pause * 2, poll_longest);
        }
    }

private:
    Status open_embedded() {
        if (options_.embedded == nullptr) return {};
        TRY(exists, options_.embedded->exists(topic_.name));
        if (!exists) return {};
        TRY(topic, options_.embedded->find(topic_.name));
        TRY(reader, options_.embedded->open(topic, {}));
        embedded_ = std::move(reader);
        return {};
    }

    io::Env env_;
    log::Topic topic_;
    const ReaderOptions& options_;
    std::unique_ptr<Client> asker_;
    std::unique_ptr<log::LogReader> embedded_;
    std::vector<std::unique_ptr<PartitionReader>> partitions_;
};

class ClusterTopics final : public log::TopicSource {
public:
    ClusterTopics(io::Env env, ReaderOptions options, std::shared_ptr<Client> client)
        : env_(env), options_(std::move(options)), client_(std::move(client)) {}

    [[nodiscard]] std::unique_ptr<ClusterTopics> with(std::unique_ptr<log::TopicSource> embedded) const {
        ReaderOptions options = options_;
        options.embedded = std::move(embedded);
        return std::make_unique<ClusterTopics>(env_, std::move(options), client_);
    }

    Result<std::vector<std::string>> names() override {
        std::vector<std::string> names;
        for (const std::string& name : options_.topics) {
            TRY(there, exists(name));
            if (there) names.push_back(name);
        }
        return names;
    }

    Result<std::vector<log::Topic>> list() override {
        std::vector<log::Topic> topics;
        TRY(found, names());
        for (const std::string& name : found) {
            TRY(topic, find(name));
            topics.push_back(std::move(topic));
        }
        return topics;
    }

    Result<bool> exists(const std::string& name) override {
        TRY(partitions, client_->partitions(name, options_.client.patience));
        return partitions > 0;
    }

    Result<log::Topic> find(const std::string& name) override {
        TRY(partitions, client_->partitions(name, options_.client.patience));
        if (partitions == 0)
            return reject(
                "topic '{}' does not exist in Kafka {}; make it with: questlog --kafka {} topic create --topic "
                "{}",
                name, options_.client.bootstrap, options_.client.bootstrap, name);
        std::unique_ptr<char, void (*)(char*)> cluster(
            rd_kafka_clusterid(client_->get(), static_cast<int>(options_.client.patience.count())),
            [](char* text) { rd_kafka_mem_free(nullptr, text); });
        if (cluster == nullptr) return client_->error(RD_KAFKA_RESP_ERR__TIMED_OUT, "ask for the cluster's id");
        log::Topic topic;
        topic.name = name;
        topic.id = log_id_of(cluster.get(), name);
        topic.partitions = partitions;
        return topic;
    }

    Result<std::unique_ptr<log::LogReader>> open(const log::Topic& topic,
                                                 const std::function<void(const std::string&)>& /*told*/) override {
        auto reader = std::make_unique<TopicReader>(env_, options_, topic);
        CHECK_OK(reader->open());
        return std::unique_ptr<log::LogReader>(std::move(reader));
    }

private:
    io::Env env_;
    ReaderOptions options_;
    std::shared_ptr<Client> client_;
};

} // namespace

Result<std::unique_ptr<log::TopicSource>> open_topics(io::Env env, ReaderOptions options) {
    TRY(client, Client::make(RD_KAFKA_CONSUMER, options.client, {}));
    return std::unique_ptr<log::TopicSource>(
        std::make_unique<ClusterTopics>(env, std::move(options), std::move(client)));
}

Result<std::unique_ptr<log::TopicSource>> with_embedded(const log::TopicSource& topics,
                                                        std::unique_ptr<log::TopicSource> embedded) {
    const auto* const cluster = dynamic_cast<const ClusterTopics*>(&topics);
    if (cluster == nullptr) return internal("these are no topics of Kafka");
    return std::unique_ptr<log::TopicSource>(cluster->with(std::move(embedded)));
}

Result<std::vector<Offset>> arrived_below(log::LogReader& reader, const std::vector<Offset>& ends,
                                          const log::Topic& embedded) {
    auto* const topic = dynamic_cast<TopicReader*>(&reader);
    if (topic == nullptr) return internal("this is no reader of Kafka");
    std::vector<Offset> arrived(static_cast<std::size_t>(embedded.partitions));
    for (std::size_t i = 0; i < std::min(arrived.size(), ends.size()); ++i) {
        const Partition number{static_cast<std::int32_t>(i)};
        TRY(last, topic->partition(number).last_of(embedded, ends[i]));
        if (last) arrived[i] = last->plus(1);
    }
    return arrived;
}

} // namespace questlog::kafka
