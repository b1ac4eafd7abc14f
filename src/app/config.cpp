#include "app/config.h"

#include "app/events_section.h"
#include "app/jobs_section.h"
#include "app/toml_table.h"
#include "event/request_headers.h"
#include "http/listener.h"
#include "log/batch_codec.h"
#include "log/topic_metadata.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace questlog::app {
namespace {

Status parse_intake(TomlTable& intake, Config& config) {
    TRY(headers, intake.boolean("headers"));
    TRY(store_headers, intake.strings("store_headers"));
    CHECK_OK(intake.finish());
    take(headers, config.intake_headers);
    for (const std::string& header : store_headers)
        if (!event::is_secret_header(header))
            return intake.wrong("store_headers", fmt::format("header \"{}\" is stored by headers = true alone; only "
                                                             "Authorization, Proxy-Authorization and Cookie are not",
                                                             header));
    if (!store_headers.empty() && !config.intake_headers)
        return intake.wrong("store_headers", "store_headers in [intake] has no effect without headers = true; write it "
                                             "beside, or leave store_headers out");
    config.intake_store_headers = std::move(store_headers);
    return {};
}

/// When commits reach the disk: `sync`, and how often under "interval".
Status parse_sync(TomlTable& log, Config& config) {
    TRY(sync, log.string("sync"));
    TRY(interval, log.integer("sync_interval_ms", 1, limits::sync_interval_ms_max));
    if (sync == "interval")
        config.sync = log::Sync::interval;
    else if (sync == "never")
        config.sync = log::Sync::never;
    else if (sync && sync != "always")
        return log.wrong("sync",
                         fmt::format("sync \"{}\" is not known; write \"always\", \"interval\" or \"never\"", *sync));
    if (interval && config.sync != log::Sync::interval)
        return log.wrong("sync_interval_ms",
                         "sync_interval_ms in [log] has no effect without sync = \"interval\"; write it beside, or "
                         "leave sync_interval_ms out");
    if (interval) config.sync_interval = std::chrono::milliseconds{*interval};
    return {};
}

/// What of the log's past goes: -1, as Kafka has it, is without a limit.
Status parse_retention(TomlTable& log, Config& config) {
    TRY(bytes, log.integer("retention_bytes", -1, limits::retention_bytes_max));
    TRY(ms, log.integer("retention_ms", -1, limits::retention_ms_max));
    TRY(force, log.boolean("retention_force"));
    TRY(check_ms, log.integer("retention_check_ms", limits::retention_check_ms_min, limits::retention_check_ms_max));
    if (bytes && *bytes >= 0) config.retention.bytes = *bytes;
    if (ms && *ms >= 0) config.retention.ms = *ms;
    take(force, config.retention.force);
    if (check_ms) config.retention_check = std::chrono::milliseconds{*check_ms};
    return {};
}

Status parse_log(TomlTable& log, Config& config) {
    TRY(topic, log.string("topic"));
    if (topic)
        if (auto named = log::check_topic_name(*topic); !named.ok()) return log.wrong("topic", named.error().message);
    TRY(partitions, log.integer("partitions", 1, limits::partitions_max));
    TRY(segment_bytes, log.integer("segment_bytes", limits::segment_bytes_min, limits::segment_bytes_max));
    TRY(segment_ms, log.integer("segment_ms", limits::segment_ms_min, limits::segment_ms_max));
    TRY(compression, log.string("compression"));
    CHECK_OK(parse_sync(log, config));
    CHECK_OK(parse_retention(log, config));
    CHECK_OK(log.finish());
    take(topic, config.topic);
    if (partitions) config.partitions = static_cast<std::int32_t>(*partitions);
    take(segment_bytes, config.segment_bytes);
    config.segment_ms = segment_ms;
    if (compression) {
        const auto kind = log::parse_compression(*compression);
        if (!kind)
            return log.wrong("compression", fmt::format("compression \"{}\" is not known; write \"none\", \"lz4\" or "
                                                        "\"zstd\"",
                                                        *compression));
        config.compression = *kind;
    }
    return {};
}

Status parse_landing(TomlTable& landing, Config& config) {
    TRY(enabled, landing.boolean("enabled"));
    TRY(group, landing.string("group"));
    TRY(bytes, landing.integer("cut_bytes", limits::cut_bytes_min, limits::cut_bytes_max));
    TRY(ms, landing.integer("cut_ms", limits::cut_ms_min, limits::cut_ms_max));
    CHECK_OK(landing.finish());
    take(enabled, config.landing);
    take(group, config.landing_group);
    take(bytes, config.cut_limits.bytes);
    if (ms) config.cut_limits.time = std::chrono::milliseconds{*ms};
    return {};
}

Status parse_deduplication(TomlTable& deduplication, Config& config) {
    TRY(ms, deduplication.integer("window_ms", 0, limits::repeat_window_ms_max));
    TRY(ids, deduplication.integer("ids", 0, limits::repeat_ids_max));
    CHECK_OK(deduplication.finish());
    if (ms) config.repeats.time = std::chrono::milliseconds{*ms};
    take(ids, config.repeats.ids);
    return {};
}

Status parse_settings(TomlTable& root, const GivenSettings& given, Config& config) {
    TRY(server, root.table("server"));
    if (server) {
        TRY(listen, server->string("listen"));
        TRY(access_log, server->boolean("access_log"));
        CHECK_OK(server->finish());
        take(listen, config.listen);
        take(access_log, config.access_log);
        if (auto address = http::parse_listen_address(config.listen); !address.ok())
            return server->wrong("listen", address.error().message);
    }
    TRY(intake, root.table("intake"));
    if (intake) CHECK_OK(parse_intake(*intake, config));
    TRY(client_limits, root.table("limits"));
    if (client_limits) CHECK_OK(parse_limits(*client_limits, config.limits));
    TRY(log, root.table("log"));
    if (log) CHECK_OK(parse_log(*log, config));
    TRY(kafka, root.table("kafka"));
    if (kafka) {
        TRY(parsed, parse_kafka(*kafka, given.kafka));
        config.kafka = std::move(parsed);
    }
    TRY(lake, parse_lake(root, given.lake));
    config.lake = std::move(lake);
    TRY(spark, root.table("spark"));
    if (spark) {
        TRY(parsed, parse_spark(*spark));
        config.spark = std::move(parsed);
    }
    TRY(landing, root.table("landing"));
    if (landing) CHECK_OK(parse_landing(*landing, config));
    TRY(deduplication, root.table("deduplication"));
    if (deduplication) CHECK_OK(parse_deduplication(*deduplication, config));
    return {};
}

void declare_columns(Config& config) {
    for (auto& job : config.jobs)
        for (auto& output : job.outputs)
            output.table.declared = declared_columns(config.events, output.table.event_types());
}

} // namespace

Config Config::builtin() {
    Config config;
    config.events = event::Catalogue::builtin();
    config.jobs = batch::builtin_jobs(config.topic);
    declare_columns(config);
    return config;
}

Result<Config> parse_config(std::string_view text, const std::string& file, const GivenSettings& given) {
    toml::table parsed;
    try {
        parsed = toml::parse(text, std::string_view(file));
    } catch (const toml::parse_error& error) { // the library's exceptions end here
        return reject("{}:{}:{}: {}", file, error.source().begin.line, error.source().begin.column,
                      error.description());
    }
    Config config;
    TomlTable root(parsed, file, "the file");
    if (given.kafka) config.kafka.client.bootstrap = *given.kafka;
    CHECK_OK(parse_settings(root, given, config));

    TRY(events, root.tables("event"));
    for (auto& table : events) {
        TRY(event, parse_event(table));
        CHECK_OK(check_event(table, event, config.events, config.limits.event));
        config.events.push_back(std::move(event));
    }
    if (config.events.empty()) config.events = event::Catalogue::builtin();

    TRY(jobs, root.tables("job"));
    config.jobs = batch::builtin_jobs(config.topic);
    const std::size_t builtin_count = config.jobs.size();
    for (auto& table : jobs) {
        TRY(job, parse_job(table, config.topic));
        const auto same = std::find_if(config.jobs.begin(), config.jobs.end(),
                                       [&](const batch::Job& other) { return other.name == job.name; });
        if (same == config.jobs.end()) {
            config.jobs.push_back(std::move(job));
        } else if (static_cast<std::size_t>(same - config.jobs.begin()) < builtin_count) {
            *same = std::move(job);
        } else {
            return table.wrong("name", fmt::format("job {} is declared twice; choose another name", job.name));
        }
    }
    CHECK_OK(root.finish());
    CHECK_OK(check_tables(config.jobs));
    declare_columns(config);
    return config;
}

std::vector<scan::TableDeclaration> declared_tables(const Config& config) {
    std::vector<scan::TableDeclaration> tables;
    for (const auto& job : config.jobs)
        for (const auto& output : job.outputs)
            if (!output.table.path.empty()) tables.push_back(output.table);
    return tables;
}

} // namespace questlog::app
