#pragma once

#include "app/toml_table.h"
#include "kafka/settings.h"

#include <cstdint>
#include <optional>
#include <string>

namespace questlog::app {

/// When an event is answered for with 200.
enum class Ack : std::uint8_t {
    disk,  ///< Its commit is synced on this node.
    kafka, ///< And Kafka's in-sync replicas have it, too.
};

/// [kafka] of questlog.toml: the cluster that the log is shipped to. docs/formats/config.md
struct KafkaConfig {
    kafka::ClientSettings client; ///< No cluster where its bootstrap is empty: then all else means nothing.
    Ack ack = Ack::disk;
    std::string compression = kafka::compression_default; ///< Of what is shipped: compression.type of the producer.
    std::optional<std::int64_t> spool_bytes_max;          ///< More than this not yet shipped: intake answers 503.

    [[nodiscard]] bool enabled() const { return !client.bootstrap.empty(); }
};

/// Reads the table. `bootstrap` goes before the table's own. Properties are looked at one by one; Client::make finds
/// out whether they fit each other.
Result<KafkaConfig> parse_kafka(TomlTable& table, const std::optional<std::string>& bootstrap);

} // namespace questlog::app
