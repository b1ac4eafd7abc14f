#include "kafka/topic_text.h"

#include <algorithm>
#include <cstddef>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

namespace questlog::kafka {
namespace {

/// String.hashCode(), and what HashMap makes of it.
std::uint32_t java_hash(const std::string& ascii) {
    std::uint32_t hash = 0;
    for (const char c : ascii) hash = 31 * hash + static_cast<unsigned char>(c);
    return hash ^ (hash >> 16);
}

/// Puts what was put into a HashMap in this order, by name, into the order in which the map gives it back.
template <class Named> void order_as_hash_map(std::vector<Named>& all, std::size_t capacity) {
    while (all.size() > capacity * 3 / 4) capacity *= 2;
    const auto bucket = [&](const Named& one) { return java_hash(one.name) & (capacity - 1); };
    std::stable_sort(all.begin(), all.end(),
                     [&](const Named& one, const Named& other) { return bucket(one) < bucket(other); });
}

constexpr std::size_t capacity_initial = 16; // of a HashMap that was not told how much it is to hold

} // namespace

std::string description_text(const TopicDescription& topic) {
    std::vector<ConfigDescription> configs = topic.configs;
    order_as_hash_map(configs, capacity_initial);
    std::string set;
    for (const auto& config : configs)
        if (!config.is_default)
            set += fmt::format("{}{}={}", set.empty() ? "" : ",", config.name, config.value.value_or("null"));
    std::string text = fmt::format("Topic: {}{}\tPartitionCount: {}\tReplicationFactor: {}\tConfigs: {}\n", topic.name,
                                   topic.id.empty() ? "" : "\tTopicId: " + topic.id, topic.partitions.size(),
                                   topic.partitions.empty() ? 0 : topic.partitions.front().replicas.size(), set);
    for (const auto& partition : topic.partitions) {
        const std::string_view eligible = partition.no_eligible_others ? "" : "N/A";
        text +=
            fmt::format("\tTopic: {}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}\n",
                        topic.name, partition.id, partition.leader ? std::to_string(*partition.leader) : "none",
                        fmt::join(partition.replicas, ","), fmt::join(partition.in_sync, ","), eligible, eligible);
    }
    return text;
}

void order_as_kafka_topics(std::vector<TopicDescription>& topics) {
    order_as_hash_map(topics, 1); // of one that was
}

std::string collision_warning(const std::string& name) {
    if (name.find_first_of("._") == std::string::npos) return "";
    return "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. "
           "To "
           "avoid issues it is best to use either, but not both.\n";
}

} // namespace questlog::kafka
