#include "control/protocol.h"

#include "control/control_limits.h"
#include "control/json_object.h"
#include "event/json_string.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace questlog::control {
namespace {

constexpr std::string_view ping_command = "ping";
constexpr std::string_view create_command = "topic create";

std::string_view name_of(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::retry_later: return "retry_later";
    case ErrorKind::reject: return "reject";
    case ErrorKind::corrupt: return "corrupt";
    case ErrorKind::internal: return "internal";
    }
    return "internal";
}

ErrorKind error_kind_of(std::string_view name) {
    for (const auto kind : {ErrorKind::retry_later, ErrorKind::reject, ErrorKind::corrupt})
        if (name == name_of(kind)) return kind;
    return ErrorKind::internal;
}

Result<std::string> quoted_text(std::string_view text) {
    std::string out;
    if (!event::append_json_string(out, text)) return reject("\"{}\" is not valid UTF-8; write it in UTF-8", text);
    return out;
}

std::string line_of(std::string_view members) {
    return fmt::format("{{\"version\": {}, {}}}\n", protocol_version, members);
}

Result<std::string> members_of(const CreateTopic& request) {
    TRY(topic, quoted_text(request.topic));
    std::string configs;
    for (const auto& [name, value] : request.options.configs) {
        TRY(config, quoted_text(name + "=" + value));
        configs += (configs.empty() ? "" : ", ") + config;
    }
    return fmt::format(R"("command": "{}", "topic": {}, "partitions": {}, "if_not_exists": {}, "configs": [{}])",
                       create_command, topic, request.options.partitions, request.if_not_exists, configs);
}

/// An option that is passed over would do something else than was asked for.
Status check_members(const JsonObject& object, std::initializer_list<std::string_view> known) {
    for (const std::string& name : object.names())
        if (name != "version" && name != "command" && std::ranges::find(known, name) == known.end())
            return reject("the command takes no \"{}\"", name);
    return {};
}

Result<CreateTopic> decode_create(const JsonObject& object) {
    CHECK_OK(check_members(object, {"topic", "partitions", "if_not_exists", "configs"}));
    CreateTopic request;
    TRY(topic, object.string("topic"));
    request.topic = std::move(topic);
    if (object.has("partitions")) {
        TRY(partitions, object.integer("partitions"));
        request.options.partitions = static_cast<std::int32_t>(std::clamp<std::int64_t>(
            partitions, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()));
    }
    if (object.has("if_not_exists")) {
        TRY(if_not_exists, object.boolean("if_not_exists"));
        request.if_not_exists = if_not_exists;
    }
    if (!object.has("configs")) return request;
    TRY(configs, object.strings("configs"));
    for (const std::string& config : configs) {
        const std::size_t equals = config.find('=');
        if (equals == std::string::npos) return reject("the config \"{}\" is not name=value", config);
        request.options.configs.emplace_back(config.substr(0, equals), config.substr(equals + 1));
    }
    return request;
}

Result<Request> decode_command(const JsonObject& object, std::string_view version) {
    TRY(spoken, object.integer("version"));
    if (spoken != protocol_version)
        return reject(
            "this server (questlog {}) speaks version {} of the control protocol, and the request is of version "
            "{}: use the questlog that the server runs, or restart the server with yours",
            version, protocol_version, spoken);
    TRY(command, object.string("command"));
    if (command == ping_command) {
        CHECK_OK(check_members(object, {}));
        return Request(Ping{});
    }
    if (command == create_command) {
        TRY(request, decode_create(object));
        return Request(std::move(request));
    }
    return reject(
        "this server (questlog {}) does not know the command \"{}\"; it knows \"{}\" and \"{}\". Restart it with "
        "the questlog that you use",
        version, command, ping_command, create_command);
}

/// The object of an answer that reports no error.
Result<JsonObject> answered(std::string_view line) {
    auto parsed = JsonObject::parse(line);
    if (!parsed.ok())
        return internal("what answers at the control socket is no questlog server: {}", parsed.error().message);
    if (parsed->has("error")) {
        TRY(kind, parsed->string("error"));
        TRY(message, parsed->string("message"));
        return Error{error_kind_of(kind), message};
    }
    TRY(version, parsed->integer("version"));
    if (version != protocol_version)
        return internal(
            "the server answers by version {} of the control protocol, and this questlog reads version {}: use "
            "the questlog that the server runs",
            version, protocol_version);
    return parsed;
}

} // namespace

Result<std::string> encode(const Request& request) {
    std::string line;
    if (const auto* create = std::get_if<CreateTopic>(&request)) {
        TRY(members, members_of(*create));
        line = line_of(members);
    } else {
        line = line_of(fmt::format("\"command\": \"{}\"", ping_command));
    }
    if (line.size() > limits::control_line_bytes_max)
        return reject("a command to the server has at most {} bytes, this one has {}", limits::control_line_bytes_max,
                      line.size());
    return line;
}

Result<Request> decode_request(std::string_view line, std::string_view version) {
    const auto object = JsonObject::parse(line);
    if (!object.ok())
        return reject("{}; the control socket takes one such as {{\"version\": {}, \"command\": \"{}\"}}",
                      object.error().message, protocol_version, ping_command);
    return decode_command(*object, version);
}

std::string encode(const ServerFacts& facts) {
    return line_of(fmt::format(R"("pid": {}, "url": {}, "topic": {}, "questlog": {}, "since": {}, "stopping": {})",
                               facts.pid, event::json_string(facts.url), event::json_string(facts.topic),
                               event::json_string(facts.version), facts.since, facts.stopping));
}

std::string encode(const TopicCreated& answer) {
    return line_of(fmt::format("\"created\": {}", answer.created));
}

std::string encode(const Error& error) {
    // Half of the line at most, since each byte may become six.
    const std::string_view message = std::string_view(error.message).substr(0, limits::control_line_bytes_max / 12);
    return line_of(fmt::format("\"error\": \"{}\", \"message\": {}", name_of(error.kind), event::json_string(message)));
}

Result<ServerFacts> decode_facts(std::string_view line) {
    TRY(object, answered(line));
    TRY(pid, object.integer("pid"));
    TRY(url, object.string("url"));
    TRY(topic, object.string("topic"));
    TRY(version, object.string("questlog"));
    TRY(since, object.integer("since"));
    TRY(stopping, object.boolean("stopping"));
    return ServerFacts{pid, url, topic, version, TimestampMs{since}, stopping};
}

Result<TopicCreated> decode_topic_created(std::string_view line) {
    TRY(object, answered(line));
    TRY(created, object.boolean("created"));
    return TopicCreated{created};
}

} // namespace questlog::control
