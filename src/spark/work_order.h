#pragma once

#include "base/result.h"
#include "batch/engine.h"
#include "event/json_node.h"
#include "spark/settings.h"

#include <string>
#include <vector>

/// What the program in Spark is told and what it answers: docs/formats/spark.md. Pure.
namespace questlog::spark {

/// Where the topic is.
struct Source {
    std::string bootstrap;
    Settings::Properties client; ///< librdkafka's.
};

/// What Spark's Kafka source is given: the properties of the Java client, with the prefix `kafka.`. `reject` where a
/// property of the C client that decides how to be let in has no counterpart, naming it.
Result<Settings::Properties> kafka_options(const Source& source, const Settings::Properties& own);

/// The arguments of spark-submit.
[[nodiscard]] std::vector<std::string> submit_arguments(const Settings& settings, const std::string& job,
                                                        const std::string& program_folder, const std::string& socket);

/// One line of JSON each.
[[nodiscard]] std::string order_line(const batch::Engine::Order& order, const Settings::Properties& kafka);
[[nodiscard]] std::string write_line(const batch::Engine::Table& table, const std::string& folder_uri);
[[nodiscard]] std::string take_line(const batch::Engine::Table& table, std::int64_t rows);

/// `internal` where an answer is not as it should be.
Result<scan::RangeCensus> census_of(const event::JsonNode& answer);
Result<batch::Engine::Written> written_of(const event::JsonNode& answer);
/// A SELECT for DuckDB of the rows.
Result<std::string> select_of(const event::JsonNode& answer, const scan::Relation& relation);

/// A folder as Spark names it: what has a scheme as it is, and a path of this machine as an absolute file: URI.
[[nodiscard]] std::string uri_of(const std::string& folder);

} // namespace questlog::spark
