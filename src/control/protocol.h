#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "log/event_log.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

/// What an operator asks a running server, and what it answers: one JSON object on one line each.
/// docs/formats/control.md describes it. Values only; server.h and client.h carry the lines.
namespace questlog::control {

inline constexpr std::int64_t protocol_version = 1;

struct Ping {};
struct CreateTopic {
    std::string topic;
    log::TopicOptions options;
    bool if_not_exists = false;
};
using Request = std::variant<Ping, CreateTopic>;

/// What a server says of itself.
struct ServerFacts {
    std::int64_t pid = 0;
    std::string url;     ///< Where it listens: "http://127.0.0.1:5000".
    std::string topic;   ///< The one that it appends to.
    std::string version; ///< Of questlog.
    TimestampMs since;   ///< When it began to serve.
    bool stopping = false;
};
struct TopicCreated {
    bool created = true; ///< False: it existed, and might.
};

/// A line, line break included. `reject` where the request cannot be written as one of the protocol's size.
Result<std::string> encode(const Request& request);
/// `reject` says what is wrong with the line and what to do; `version` is the server's questlog, for that sentence.
Result<Request> decode_request(std::string_view line, std::string_view version);

[[nodiscard]] std::string encode(const ServerFacts& facts);
[[nodiscard]] std::string encode(const TopicCreated& answer);
[[nodiscard]] std::string encode(const Error& error);
/// The answer; or the error that the server sent, of the same kind and with the same message.
Result<ServerFacts> decode_facts(std::string_view line);
Result<TopicCreated> decode_topic_created(std::string_view line);

} // namespace questlog::control
