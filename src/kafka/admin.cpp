#include "kafka/admin.h"

#include "kafka/client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <map>

namespace questlog::kafka {
namespace {

using NewTopicHandle = std::unique_ptr<rd_kafka_NewTopic_t, Calls<rd_kafka_NewTopic_destroy>>;
using ResourceHandle = std::unique_ptr<rd_kafka_ConfigResource_t, Calls<rd_kafka_ConfigResource_destroy>>;
using TopicsHandle = std::unique_ptr<rd_kafka_TopicCollection_t, Calls<rd_kafka_TopicCollection_destroy>>;
using OptionsHandle = std::unique_ptr<rd_kafka_AdminOptions_t, Calls<rd_kafka_AdminOptions_destroy>>;

/// The client's error, in the words of the broker that has them.
Error told(const Client& client, rd_kafka_resp_err_t code, const char* words, std::string_view doing) {
    Error error = client.error(code, doing);
    if (words != nullptr && *words != '\0') error.message = words;
    return error;
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

/// As Kafka writes it, which is in the URL's base64; librdkafka writes it in MIME's. Empty: the topic has none.
std::string text(const rd_kafka_Uuid_t* id) {
    if (rd_kafka_Uuid_most_significant_bits(id) == 0 && rd_kafka_Uuid_least_significant_bits(id) == 0) return "";
    std::string text = rd_kafka_Uuid_base64str(id);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

std::vector<std::int32_t> ids(const rd_kafka_Node_t* const* nodes, std::size_t count) {
    std::vector<std::int32_t> ids;
    std::transform(nodes, nodes + count, std::back_inserter(ids), rd_kafka_Node_id);
    return ids;
}

TopicDescription described(const rd_kafka_TopicDescription_t* topic) {
    TopicDescription description;
    description.name = rd_kafka_TopicDescription_name(topic);
    description.id = text(rd_kafka_TopicDescription_topic_id(topic));
    std::size_t count = 0;
    const auto* const* partitions = rd_kafka_TopicDescription_partitions(topic, &count);
    for (std::size_t i = 0; i < count; ++i) {
        PartitionDescription partition;
        partition.id = rd_kafka_TopicPartitionInfo_partition(partitions[i]);
        const auto* leader = rd_kafka_TopicPartitionInfo_leader(partitions[i]);
        if (leader != nullptr && rd_kafka_Node_id(leader) >= 0) partition.leader = rd_kafka_Node_id(leader);
        std::size_t nodes = 0;
        const auto* const* replicas = rd_kafka_TopicPartitionInfo_replicas(partitions[i], &nodes);
        partition.replicas = ids(replicas, nodes);
        const auto* const* in_sync = rd_kafka_TopicPartitionInfo_isr(partitions[i], &nodes);
        partition.in_sync = ids(in_sync, nodes);
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

/// The configs of topics, or of brokers, by name; for each a request where they are brokers. `doing`, before the name,
/// is what fails.
Result<std::map<std::string, std::vector<ConfigDescription>>> describe_configs(const Client& client,
                                                                               rd_kafka_ResourceType_t type,
                                                                               const std::vector<std::string>& names,
                                                                               const std::string& doing) {
    std::vector<ResourceHandle> owned;
    std::vector<rd_kafka_ConfigResource_t*> asked;
    for (const auto& name : names) {
        owned.emplace_back(rd_kafka_ConfigResource_new(type, name.c_str()));
        asked.push_back(owned.back().get());
    }
    TRY(options, kafka::options(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
    const QueueHandle queue(rd_kafka_queue_new(client.get()));
    rd_kafka_DescribeConfigs(client.get(), asked.data(), asked.size(), options.get(), queue.get());
    TRY(event, answer(client, queue.get(), doing + (names.size() == 1 ? " " + names.front() : "s")));
    std::size_t count = 0;
    const auto* const* results =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event.get()), &count);
    std::map<std::string, std::vector<ConfigDescription>> configs;
    for (std::size_t i = 0; i < count; ++i) {
        const std::string name = rd_kafka_ConfigResource_name(results[i]);
        if (const auto code = rd_kafka_ConfigResource_error(results[i]); code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return told(client, code, rd_kafka_ConfigResource_error_string(results[i]), doing + " " + name);
        configs[name] = described(results[i]);
    }
    return configs;
}

/// A broker that is up.
std::optional<std::int32_t> any_leader(const std::vector<TopicDescription>& topics) {
    for (const auto& topic : topics)
        for (const auto& partition : topic.partitions)
            if (partition.leader) return partition.leader;
    return std::nullopt;
}

const ConfigDescription* find(const std::vector<ConfigDescription>& configs, std::string_view name) {
    const auto found = std::find_if(configs.begin(), configs.end(), [&](const auto& one) { return one.name == name; });
    return found == configs.end() ? nullptr : &*found;
}

std::optional<std::size_t> number_of(const std::vector<ConfigDescription>& configs, std::string_view name) {
    const auto* config = find(configs, name);
    std::size_t number = 0;
    if (config == nullptr || !config->value) return std::nullopt;
    const char* end = config->value->data() + config->value->size();
    if (std::from_chars(config->value->data(), end, number).ptr != end) return std::nullopt;
    return number;
}

/// Whether the broker answers the request by which kafka-topics asks for eligible leaders. librdkafka does not ask it.
/// Brokers of KRaft do that have the request's limit among their configs.
bool tells_eligible_leaders(const std::vector<ConfigDescription>& broker) {
    const auto* roles = find(broker, "process.roles");
    return roles != nullptr && !roles->value.value_or("").empty() &&
           find(broker, "max.request.partition.size.limit") != nullptr;
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

Result<std::vector<TopicDescription>> describe_topics(const Client& client, const std::vector<std::string>& names) {
    const std::string doing = names.size() == 1 ? "describe topic " + names.front() : std::string("describe topics");
    std::vector<const char*> asked;
    for (const auto& name : names) asked.push_back(name.c_str());
    const TopicsHandle topics(rd_kafka_TopicCollection_of_topic_names(asked.data(), asked.size()));
    TRY(options, kafka::options(client, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS));
    const QueueHandle queue(rd_kafka_queue_new(client.get()));
    rd_kafka_DescribeTopics(client.get(), topics.get(), options.get(), queue.get());
    TRY(event, answer(client, queue.get(), doing));
    std::size_t count = 0;
    const auto* const* results =
        rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(event.get()), &count);
    std::vector<TopicDescription> found;
    for (std::size_t i = 0; i < count; ++i) {
        const auto* error = rd_kafka_TopicDescription_error(results[i]);
        const auto code = rd_kafka_error_code(error);
        if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) continue;
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
            const std::string words = fmt::format("cannot describe topic {}: {}",
                                                  rd_kafka_TopicDescription_name(results[i]), rd_kafka_err2str(code));
            return told(client, code, words.c_str(), doing);
        }
        found.push_back(described(results[i]));
    }
    return found;
}

Result<std::optional<TopicDescription>> Admin::describe(const std::string& topic) const {
    TRY(found, describe_topics(*client_, {topic}));
    if (found.empty()) return std::optional<TopicDescription>{};
    CHECK_OK(add_configs(found));
    add_eligible_leaders(found);
    return std::optional(std::move(found.front()));
}

Result<std::vector<TopicDescription>> Admin::describe_all() const {
    TRY(names, list());
    TRY(found, describe_topics(*client_, names));
    CHECK_OK(add_configs(found));
    add_eligible_leaders(found);
    return found;
}

Status Admin::add_configs(std::vector<TopicDescription>& topics) const {
    if (topics.empty()) return {};
    std::vector<std::string> names;
    for (const auto& topic : topics) names.push_back(topic.name);
    TRY(configs, describe_configs(*client_, RD_KAFKA_RESOURCE_TOPIC, names, "read the configs of topic"));
    for (auto& topic : topics) topic.configs = std::move(configs[topic.name]);
    return {};
}

void Admin::add_eligible_leaders(std::vector<TopicDescription>& topics) const {
    const auto broker = any_leader(topics);
    if (!broker) return;
    const std::string name = std::to_string(*broker);
    auto configs = describe_configs(*client_, RD_KAFKA_RESOURCE_BROKER, {name}, "read the configs of broker");
    // One who may not read them is told less, and no more is missing.
    if (!configs.ok() || !tells_eligible_leaders((*configs)[name])) return;
    for (auto& topic : topics) {
        const auto in_sync_min = number_of(topic.configs, "min.insync.replicas");
        for (auto& partition : topic.partitions)
            partition.no_eligible_others = in_sync_min && partition.in_sync.size() >= *in_sync_min;
    }
}

} // namespace questlog::kafka
