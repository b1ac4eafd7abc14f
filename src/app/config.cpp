#include "app/config.h"

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

template <class T> void take(const std::optional<T>& from, T& to) {
    if (from) to = *from;
}

Result<event::ColumnType> column_type(const TomlTable& table, std::string_view key, const std::string& text) {
    for (const auto type :
         {event::ColumnType::boolean, event::ColumnType::bigint, event::ColumnType::double_, event::ColumnType::string})
        if (event::type_name(type) == text) return type;
    return table.wrong(key, fmt::format("type \"{}\" is not known; write \"string\", \"bigint\", \"double\" or "
                                        "\"boolean\"",
                                        text));
}

Result<event::FieldDeclaration> parse_field(TomlTable& fields, const std::string& name) {
    event::FieldDeclaration field;
    field.name = name;
    if (auto text = fields.string(name); text.ok() && text.value()) { // price = "double"
        TRY(type, column_type(fields, name, *text.value()));
        field.type = type;
        return field;
    }
    TRY(details, fields.table(name)); // price = { type = "double", required = true }
    TRY(type_text, details->string("type"));
    TRY(required, details->boolean("required"));
    CHECK_OK(details->finish());
    if (type_text) {
        TRY(type, column_type(*details, "type", *type_text));
        field.type = type;
    }
    take(required, field.required);
    return field;
}

Result<event::EventDeclaration> parse_event(TomlTable& table) {
    event::EventDeclaration event;
    TRY(path, table.string("path"));
    if (!path) return table.missing("path", "path = \"/purchase_a_sword\"");
    TRY(type, table.string("type"));
    if (!type) return table.missing("type", "type = \"purchase_sword\"");
    TRY(methods, table.strings("methods"));
    TRY(reply, table.string("reply"));
    TRY(content_type, table.string("content_type"));
    TRY(store_headers, table.strings("store_headers"));
    TRY(constants, table.table("set"));
    TRY(fields, table.table("fields"));
    TRY(on_mismatch, table.string("on_mismatch"));
    TRY(key, table.string("key"));
    CHECK_OK(table.finish());

    event.path = *path;
    event.type = *type;
    event.methods = methods.empty() ? std::vector<std::string>{"GET", "POST"} : std::move(methods);
    event.reply = reply.value_or("ok\n");
    take(content_type, event.content_type);
    if (key && key->empty())
        return table.wrong("key", "key is empty; name a field, as key = \"player\", or leave it out");
    take(key, event.key);
    event.store_headers = std::move(store_headers);
    if (on_mismatch == "keep")
        event.on_mismatch = event::OnMismatch::keep;
    else if (on_mismatch && on_mismatch != "reject")
        return table.wrong("on_mismatch",
                           fmt::format("on_mismatch \"{}\" is not known; write \"reject\" or \"keep\"", *on_mismatch));
    if (on_mismatch && !fields)
        return table.wrong("on_mismatch", "on_mismatch has no effect without fields; declare some, or leave it out");
    if (constants) {
        for (const auto& name : constants->keys()) {
            TRY(json, constants->json(name));
            event.constants.emplace_back(name, std::move(json));
        }
    }
    if (fields) {
        for (const auto& name : fields->keys()) {
            TRY(field, parse_field(*fields, name));
            event.fields.push_back(std::move(field));
        }
    }
    return event;
}

/// Whether a catalogue takes the event beside those before it. The error stands at the key that is wrong: the one
/// without which the declaration would be right.
Status check_event(const TomlTable& table, const event::EventDeclaration& event,
                   const std::vector<event::EventDeclaration>& before, const event::EventLimits& limits) {
    const auto checked = event::Catalogue::make({event}, limits);
    if (checked.ok()) {
        const bool is_taken = std::any_of(before.begin(), before.end(), [&](const event::EventDeclaration& other) {
            return other.path == event.path;
        });
        if (is_taken)
            return table.wrong("path",
                               fmt::format("path \"{}\" is declared twice; give each [[event]] its own", event.path));
        const auto other_key = std::find_if(before.begin(), before.end(), [&](const event::EventDeclaration& other) {
            return other.type == event.type && other.key != event.key;
        });
        if (other_key == before.end()) return {};
        return table.wrong(
            event.key.empty() ? "type" : "key",
            fmt::format("events of type \"{}\" have {} by path \"{}\"; give every [[event]] of a type the "
                        "same key",
                        event.type, other_key->key.empty() ? "no key" : fmt::format("the key \"{}\"", other_key->key),
                        other_key->path));
    }
    const auto right_without = [&](auto forget) {
        event::EventDeclaration other = event;
        forget(other);
        return event::Catalogue::make({other}, limits).ok();
    };
    std::string_view key = "path";
    if (right_without([](auto& other) { other.methods = {"GET"}; })) key = "methods";
    if (right_without([](auto& other) { other.type = "x"; })) key = "type";
    if (right_without([](auto& other) { other.fields.clear(); })) key = "fields";
    if (right_without([](auto& other) { other.constants.clear(); })) key = "set";
    if (right_without([](auto& other) { other.key.clear(); })) key = "key";
    if (right_without([](auto& other) { other.store_headers.clear(); })) key = "store_headers";
    if (right_without([](auto& other) { other.content_type = "text/plain"; })) key = "content_type";
    return table.wrong(key, checked.error().message);
}

/// The columns that the catalogue promises for events of `types`: event_type, constants and declared fields.
event::Schema declared_columns(const std::vector<event::EventDeclaration>& events,
                               const std::optional<std::vector<std::string>>& types) {
    event::Schema columns;
    for (const auto& event : events) {
        if (types && std::find(types->begin(), types->end(), event.type) == types->end()) continue;
        columns = event::merge(columns, {{"event_type", event::ColumnType::string}});
        for (const auto& [name, json] : event.constants) {
            const char first = json.front();
            const bool is_number = first != '"' && first != 't' && first != 'f';
            const auto number =
                json.find_first_of(".eE") == std::string::npos ? event::ColumnType::bigint : event::ColumnType::double_;
            const auto other = first == '"' ? event::ColumnType::string : event::ColumnType::boolean;
            columns = event::merge(columns, {{name, is_number ? number : other}});
        }
        for (const auto& field : event.fields) columns = event::merge(columns, {{field.name, field.type}});
    }
    return columns;
}

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
    TRY(bytes, landing.integer("cut_bytes", limits::cut_bytes_min, limits::cut_bytes_max));
    TRY(ms, landing.integer("cut_ms", limits::cut_ms_min, limits::cut_ms_max));
    CHECK_OK(landing.finish());
    take(enabled, config.landing);
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

Status parse_settings(TomlTable& root, Config& config) {
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
    TRY(lake, root.table("lake"));
    if (lake) {
        TRY(lake_root, lake->string("root"));
        CHECK_OK(lake->finish());
        if (lake_root && lake_root->empty())
            return lake->wrong("root", "root is empty; write a folder, as root = \"lake\"");
        take(lake_root, config.lake_root);
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

Result<Config> parse_config(std::string_view text, const std::string& file) {
    toml::table parsed;
    try {
        parsed = toml::parse(text, std::string_view(file));
    } catch (const toml::parse_error& error) { // the library's exceptions end here
        return reject("{}:{}:{}: {}", file, error.source().begin.line, error.source().begin.column,
                      error.description());
    }
    Config config;
    TomlTable root(parsed, file, "the file");
    CHECK_OK(parse_settings(root, config));

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
