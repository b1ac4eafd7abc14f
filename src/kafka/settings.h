#pragma once

#include <string>
#include <utility>
#include <vector>

namespace questlog::kafka {

/// Which cluster, and how it is spoken to.
struct ClientSettings {
    std::string bootstrap; ///< HOST:PORT, or several with commas. Empty: there is no cluster.
    /// librdkafka's own properties, by its names: TLS, SASL, buffers and times. What the promises hang on is not taken
    /// from here: see make_client().
    std::vector<std::pair<std::string, std::string>> properties;
    auto operator<=>(const ClientSettings&) const = default;
};

/// Of what is shipped to Kafka, for broker and network: compression.type of the producer.
inline constexpr const char* compression_default = "zstd";

} // namespace questlog::kafka
