#pragma once

#include "io/env.h"
#include "log/event_log.h"

#include <string>
#include <string_view>

/// A topic's metadata file: text that a person can read, with a checksum. docs/formats/log.md describes it.
namespace questlog::log {

inline constexpr int topic_format_version = 1;

/// Kafka's rule for names. `reject` says what is wrong.
Status check_topic_name(std::string_view name);

/// Kafka's text form of a random UUID: 22 characters of URL-safe base64, never beginning with '-', so that no shell
/// command takes it for an option.
[[nodiscard]] std::string make_topic_id(io::Entropy& entropy);

/// The topic that `options` ask for. `reject` names the option that is wrong.
Result<Topic> plan_topic(const std::string& name, const TopicOptions& options, io::Entropy& entropy);

[[nodiscard]] std::string encode_topic(const Topic& topic);
/// `corrupt` if a byte is wrong; `reject` if a newer version of the program wrote it. `path` is for the message.
Result<Topic> decode_topic(std::string_view text, const std::string& path);

} // namespace questlog::log
