#pragma once

#include "kafka/admin.h"

#include <string>
#include <vector>

namespace questlog::kafka {

/// The topic as kafka-topics --describe of Kafka 3.9 prints it, but for what librdkafka does not ask: N/A for eligible
/// leader replicas where there may be some, as for a broker that does not tell them, and nothing of replicas that are
/// being moved.
[[nodiscard]] std::string description_text(const TopicDescription& topic);

/// The order in which it prints several, which are sorted by name before: that of Java's HashMap.
void order_as_kafka_topics(std::vector<TopicDescription>& topics);

/// What it prints first when it creates a topic of this name; mostly nothing.
[[nodiscard]] std::string collision_warning(const std::string& name);

} // namespace questlog::kafka
