#pragma once

#include "base/strong.h"

#include <cstdint>
#include <string_view>

namespace questlog::log {

/// MurmurHash2 of 32 bits with the seed of Kafka's clients (org.apache.kafka.common.utils.Utils.murmur2).
[[nodiscard]] std::uint32_t murmur2(std::string_view bytes);

/// The partition of a record with this key, of `partitions` (1 or more): the one that Kafka's Java client, kafka-python
/// and librdkafka's murmur2 partitioners choose. It stays the same as long as the number of partitions does.
[[nodiscard]] Partition partition_of_key(std::string_view key, std::int32_t partitions);

} // namespace questlog::log
