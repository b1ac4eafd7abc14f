#pragma once

#include "app/kafka_section.h"
#include "app/lake_section.h"
#include "app/limits_section.h"
#include "app/spark_section.h"
#include "base/compressor.h"
#include "base/limits.h"
#include "base/result.h"
#include "batch/cut_finder.h"
#include "batch/job.h"
#include "event/catalogue.h"
#include "log/event_log.h"
#include "log/retention.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace questlog::app {

/// What questlog.toml says, with the defaults where it is silent. docs/formats/config.md describes the file.
struct Config {
    std::string listen = "127.0.0.1:5000"; ///< HOST:PORT; port 0 takes any free one.
    bool access_log = false;               ///< One line a request on stderr, after its answer.

    bool intake_headers = false; ///< Values posted to /events are stored with their request's headers.
    std::vector<std::string> intake_store_headers; ///< Of the secret ones, those that are stored with them.

    ClientLimits limits;

    std::string topic = "game-events"; ///< The topic that `serve` appends to and that commands read.
    std::int32_t partitions = 1;       ///< Of the topic, where `serve` has to create it.
    std::int64_t segment_bytes = limits::segment_bytes_default; ///< Likewise. A segment is the unit of disk space.

    std::optional<std::int64_t> segment_ms;      ///< How old a segment becomes, of a topic that does not say itself.
    Compression compression = Compression::none; ///< Of what `serve` appends to a topic that does not say itself.

    log::RetentionLimits retention; ///< Of a topic that does not say itself.
    std::chrono::milliseconds retention_check = limits::retention_check_default; ///< How often `serve` looks.

    log::Sync sync = log::Sync::always;
    std::chrono::milliseconds sync_interval{1000}; ///< Under log::Sync::interval.

    KafkaConfig kafka; ///< The cluster that the topic is shipped to; by default none.

    LakeConfig lake; ///< Where the tables are.

    spark::Settings spark; ///< Of `batch --engine spark`.

    bool landing = true;         ///< `serve` lands the topic's events in continuous tables.
    std::string landing_group;   ///< Of Kafka's: processes of it share the topic's partitions. Empty: each lands all.
    batch::CutLimits cut_limits; ///< Also of `land`. A partition that is idle for as long is landed, too.

    event::RepeatWindow repeats; ///< Within which an event with the message id of another one is that one.

    std::vector<event::EventDeclaration> events; ///< The built-in game's where the file declares none.
    std::vector<batch::Job> jobs;                ///< The built-in ones, and the file's; the file's win by name.

    /// The configuration without a file.
    static Config builtin();
};

/// Reads the TOML text of `file` (its name is for errors). `reject` at file:line:column, with what to write instead.
/// What the command line says, which goes before the file.
struct GivenSettings {
    std::optional<std::string> kafka{}; ///< `bootstrap` in [kafka].
    std::optional<std::string> lake{};  ///< `root` in [lake].
};
Result<Config> parse_config(std::string_view text, const std::string& file, const GivenSettings& given = {});

/// The tables that SQL knows: every job's written outputs. Names are unique, which parse_config has checked.
std::vector<scan::TableDeclaration> declared_tables(const Config& config);

} // namespace questlog::app
