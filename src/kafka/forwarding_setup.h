#pragma once

#include "kafka/request_size.h"
#include "kafka/settings.h"

#include <chrono>
#include <cstdint>
#include <string>

/// What is forwarded, and how: librdkafka stays out of sight of those who say it.
namespace questlog::kafka {

/// The topic that is forwarded, and where to.
struct ForwardedTopic {
    std::string name;
    std::int32_t partitions = 1; ///< Of the one that is made where there is none.
    std::string log_id;
    std::int32_t log_partitions = 1;
    std::string checkpoint_path; ///< For what is told to a person.
};

struct ProducerLimits {
    std::int64_t records_max = 200'000;          ///< In flight, and copied.
    std::int64_t bytes_max = 64LL * 1024 * 1024; ///< Likewise.
    std::int64_t batch_bytes_max = 1'000'000;    ///< Of one request, uncompressed. One record goes in any case.
};

struct ForwardingTuning {
    std::string compression = compression_default;
    ProducerLimits limits{};
    std::chrono::milliseconds silence_max{3'000}; ///< Without an acknowledgement of what is in flight: unreachable.
    std::chrono::milliseconds stop_wait{3'000};   ///< For what is in flight.
    /// A partition that nothing was sent to for so long is begun anew, by one record alone: a broker forgets what it
    /// knows of a producer, after a day by default.
    std::chrono::milliseconds proof_age_max{60'000};
    /// Requests that were made smaller, because Kafka took none as large, are tried in full size again after so long.
    std::chrono::milliseconds request_regrow{60'000};
};

/// What one go at forwarding leaves to the next.
struct Experience {
    RequestSize request;
    int tries = 0; ///< Producers that broke, since anything was acknowledged.
};

} // namespace questlog::kafka
