#pragma once

#include <librdkafka/rdkafka.h>
#include <string>

/// What Kafka or librdkafka says of a record that was not taken, and what follows from it.
namespace questlog::kafka {

/// Another producer may do better.
[[nodiscard]] bool is_of_the_producer(rd_kafka_resp_err_t code);
/// It follows from another error, which says more.
[[nodiscard]] bool is_consequence(rd_kafka_resp_err_t code);
/// What a person does about one that is neither, a clause.
[[nodiscard]] std::string cure_of(rd_kafka_resp_err_t code, const std::string& topic);

} // namespace questlog::kafka
