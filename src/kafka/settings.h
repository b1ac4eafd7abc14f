#pragma once

#include "base/result.h"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace questlog::kafka {

/// Which cluster, and how it is spoken to.
struct ClientSettings {
    std::string bootstrap; ///< HOST:PORT, or several with commas. Empty: there is no cluster.
    /// librdkafka's own properties, by its names: TLS, SASL, buffers and times. What the promises hang on is not taken
    /// from here: see check_property().
    std::vector<std::pair<std::string, std::string>> properties;
    /// For each answer to a reader; then the cluster is one that does not answer.
    std::chrono::milliseconds patience{10'000};
    auto operator<=>(const ClientSettings&) const = default;
};

/// Of what is shipped to Kafka, for broker and network: compression.type of the producer.
inline constexpr const char* compression_default = "zstd";

/// HOST:PORT, or several with commas; `reject` for anything else.
Status check_bootstrap(std::string_view text);
/// `reject` where librdkafka does not know the property or does not take the value, and where questlog sets it itself.
/// What hangs on several properties, or on a file that one names, is found out when a client is made. The message never
/// has a secret's value.
Status check_property(const std::string& name, const std::string& value);
/// Whether the property's value may be shown to nobody: a password, or a private key.
[[nodiscard]] bool is_secret_property(std::string_view name);

} // namespace questlog::kafka
