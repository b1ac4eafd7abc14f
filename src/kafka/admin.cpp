#include "kafka/admin.h"

#include "kafka/client.h"

#include <algorithm>
#include <array>

namespace questlog::kafka {
namespace {

using NewTopicHandle = std::unique_ptr<rd_kafka_NewTopic_t, Calls<rd_kafka_NewTopic_destroy>>;
using ResourceHandle = std::unique_ptr<rd_kafka_ConfigResource_t, Calls<rd_kafka_ConfigResource_destroy>>;
using OptionsHandle = std::unique_ptr<rd_kafka_AdminOptions_t, Calls<rd_kafka_AdminOptions_destroy>>;

/// The client's error, in the words of the broker that has them.
Error told(const Client& client, rd_kafka_resp_err_t code, const char* words, std::string_view doing) {
    Error error = client.error(code, doing);
    if (words != nullptr && *words != '\0') error.message = words;
    return error;
}

/// What the cluster says of one topic. What the client complained of is about brokers.
Error of_topic(const Client& client, const rd_kafka_metadata_topic_t& topic) {
    const std::string words = fmt::format("cannot describe topic {}: {}", topic.topic, rd_kafka_err2str(topic.err));
    return told(client, topic.err, words.c_str(), "describe the topic");
}

Result<OptionsHandle> options(const Client& client, rd_kafka_admin_op_t operation) {
    OptionsHandle options(rd_kafka_AdminOptions_new(client.get(), operation));
    std::array<char, error_text_bytes> text{};
    if (rd_kafka_AdminOptions_set_request_timeout(options.get(), static_cast<int>(call_timeout.count()), text.data(),
                                                  text.size()) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return internal("Kafka's request timeout: {}", text.data());
    // A broker answers before the request is given up.
    if (operation == RD_KAFKA_ADMIN_OP_CREATETOPICS &&
        rd_kafka_AdminOptions_set_operation_timeout(options.get(), static_cast<int>(call_timeout.count() / 2),
                                                    text.data(), text.size()) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return internal("Kafka's operation timeout: {}", text.data());
    return options;
}

/// The answer to the one request whose answer comes to `queue`.
Result<EventHandle> answer(const Client& client, rd_kafka_queue_t* queue, const std::string& doing) {
    EventHandle event;
    AnswerWait wait(client, 2 * call_timeout);
    for (auto slice = wait.next(); event == nullptr && slice.count() > 0; slice = wait.next())
        event.reset(rd_kafka_queue_poll(queue, static_cast<int>(slice.count())));
    if (event == nullptr) return client.error(RD_KAFKA_RESP_ERR__TIMED_OUT, doing);
    if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return client.error(code, doing);
    return event;
}

TopicDescription described(const rd_kafka_metadata_topic_t& topic) {
    TopicDescription description;
    description.name = topic.topic;
    for (int i = 0; i < topic.partition_cnt; ++i) {
        const auto& from = topic.partitions[i];
        PartitionDescription partition;
        partition.id = from.id;
        if (from.leader >= 0) partition.leader = from.leader;
        partition.replicas.assign(from.replicas, from.replicas + from.replica_cnt);
        partition.in_sync.assign(from.isrs, from.isrs + from.isr_cnt);
        description.partitions.push_back(std::move(partition));
    }
    std::sort(description.partitions.begin(), description.partitions.end(),
              [](const auto& one, const auto& other) { return one.id < other.id; });
    return description;
}

std::vector<ConfigDescription> described(const rd_kafka_ConfigResource_t* resource) {
    std::vector<ConfigDescription> configs;
    std::size_t count = 0;
    const auto* const* entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (std::size_t i = 0; i < count; ++i) {
        ConfigDescription config;
        config.name = rd_kafka_ConfigEntry_name(entries[i]);
        if (const char* value = rd_kafka_ConfigEntry_value(entries[i])) config.value = value;
        config.is_default = rd_kafka_ConfigEntry_source(entries[i]) == RD_KAFKA_CONFIG_SOURCE_DEFAULT_CONFIG;
        configs.push_back(std::move(config));
    }
    return configs;
}

Result<NewTopicHandle> new_topic(const NewTopic& topic) {
    std::array<char, error_text_bytes> text{};
    NewTopicHandle handle(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication_factor,
                                                text.data(), text.size()));
    if (handle == nullptr) return reject("{}", text.data());
    for (const auto& [name, value] : topic.configs)
        if (const auto code = rd_kafka_NewTopic_set_config(handle.get(), name.c_str(), value.c_str());
            code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return reject("the topic config {}={}: {}", name, value, rd_kafka_err2str(code));
    return handle;
}

} // namespace

Result<Admin> Admin::make(const ClientSettings& settings) {
    // A consumer's requests make no topic.
    TRY(client, Client::make(RD_KAFKA_CONSUMER, settings, {}));
    return Admin(std::move(client));
}

Admin::Admin(std::unique_ptr<Client> client) : client_(std::move(client)) {}
Admin::Admin(Admin&& other) noexcept = default;
Admin& Admin::operator=(Admin&& other) noexcept = default;
Admin::~Admin() = default;

Result<bool> create_topic(const Client& client, const NewTopic& topic) {
    const std::string doing = "create topic " + topic.name;
    TRY(wanted, new_topic(topic));
    TRY(options, kafka::options(client, RD_KAFKA_ADMIN_OP_CREATETOPICS));
    const QueueHandle queue(rd_kafka_queue_new(client.get()));
    std::array<rd_kafka_NewTopic_t*, 1> topics{wanted.get()};
    rd_kafka_CreateTopics(client.get(), topics.data(), topics.size(), options.get(), queue.get());
    TRY(event, answer(client, queue.get(), doing));
    std::size_t count = 0;
    const auto* const* results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
    if (count != 1) return internal("cannot {}: Kafka answered for {} topics", doing, count);
    const auto code = rd_kafka_topic_result_error(results[0]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    if (code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return false;
    return told(client, code, rd_kafka_topic_result_error_string(results[0]), doing);
}

Result<bool> Admin::create(const NewTopic& topic) const {
    return create_topic(*client_, topic);
}

Result<std::vector<std::string>> Admin::list() const {
    TRY(metadata, client_->metadata(""));
    std::vector<std::string> names;
    for (int i = 0; i < metadata->topic_cnt; ++i) names.emplace_back(metadata->topics[i].topic);
    std::sort(names.begin(), names.end());
    return names;
}

Result<std::optional<TopicDescription>> Admin::describe(const std::string& topic) const {
    TRY(metadata, client_->metadata(topic));
    if (metadata->topic_cnt != 1)
        return internal("Kafka answered for {} topics, not for {}", metadata->topic_cnt, topic);
    const auto& found = metadata->topics[0];
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::optional<TopicDescription>{};
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return of_topic(*client_, found);
    std::vector<TopicDescription> one{described(found)};
    CHECK_OK(add_configs(one));
    return std::optional(std::move(one.front()));
}

Result<std::vector<TopicDescription>> Admin::describe_all() const {
    TRY(metadata, client_->metadata(""));
    std::vector<TopicDescription> all;
    for (int i = 0; i < metadata->topic_cnt; ++i) {
        const auto& found = metadata->topics[i];
        if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return of_topic(*client_, found);
        all.push_back(described(found));
    }
    std::sort(all.begin(), all.end(), [](const auto& one, const auto& other) { return one.name < other.name; });
    CHECK_OK(add_configs(all));
    return all;
}

Status Admin::add_configs(std::vector<TopicDescription>& topics) const {
    if (topics.empty()) return {};
    const std::string doing = topics.size() == 1 ? "read the configs of topic " + topics.front().name
                                                 : std::string("read the configs of topics");
    std::vector<ResourceHandle> owned;
    std::vector<rd_kafka_ConfigResource_t*> asked;
    for (const auto& topic : topics) {
        owned.emplace_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
        asked.push_back(owned.back().get());
    }
    TRY(options, kafka::options(*client_, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
    const QueueHandle queue(rd_kafka_queue_new(client_->get()));
    rd_kafka_DescribeConfigs(client_->get(), asked.data(), asked.size(), options.get(), queue.get());
    TRY(event, answer(*client_, queue.get(), doing));
    std::size_t count = 0;
    const auto* const* results =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = rd_kafka_ConfigResource_name(results[i]);
        if (const auto code = rd_kafka_ConfigResource_error(results[i]); code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return told(*client_, code, rd_kafka_ConfigResource_error_string(results[i]),
                        "read the configs of topic " + name);
        const auto topic =
            std::find_if(topics.begin(), topics.end(), [&](const auto& one) { return one.name == name; });
        if (topic != topics.end()) topic->configs = described(results[i]);
    }
    return {};
}

} // namespace questlog::kafka
