#include "log/topic_metadata.h"

#include "base/crc32c.h"
#include "base/limits.h"
#include "log/batch_codec.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace questlog::log {

namespace {

constexpr std::size_t topic_name_bytes_max = 249;
constexpr std::string_view first_line = "questlog topic";
constexpr std::string_view checksum_key = "crc32c = ";
constexpr std::string_view segment_bytes_config = "segment.bytes";
constexpr std::string_view segment_ms_config = "segment.ms";
constexpr std::string_view compression_config = "compression.type";
constexpr std::string_view retention_bytes_config = "retention.bytes";
constexpr std::string_view retention_ms_config = "retention.ms";
constexpr std::string_view retention_force_config = "retention.force";

template <class Int> std::optional<Int> parse_int(std::string_view text) {
    Int value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Takes "key = value\n" from the front of `text`; nullopt if another line stands there.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view key) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    auto line = text.substr(0, end);
    if (!line.starts_with(key) || !line.substr(key.size()).starts_with(" = ")) return std::nullopt;
    text.remove_prefix(end + 1);
    return line.substr(key.size() + 3);
}

Result<std::int64_t> parse_segment_bytes(const std::string& value) {
    const auto bytes = parse_int<std::int64_t>(value);
    if (!bytes || *bytes < limits::segment_bytes_min || *bytes > limits::segment_bytes_max)
        return reject("segment.bytes={} is not a number of bytes from {} to {}", value, limits::segment_bytes_min,
                      limits::segment_bytes_max);
    return *bytes;
}

/// Kafka's names: "producer" is what the producer uses, here the server; "uncompressed" is none in any case.
Result<std::optional<Compression>> parse_compression_type(const std::string& value) {
    if (value == "producer") return std::optional<Compression>();
    if (value == "uncompressed") return std::optional(Compression::none);
    const auto kind = parse_compression(value);
    if (kind && *kind != Compression::none) return kind;
    return reject("compression.type={} is not known here; write producer, uncompressed, lz4 or zstd", value);
}

/// Kafka's: -1 is without a limit.
Result<std::int64_t> parse_retention(std::string_view key, const std::string& value, std::int64_t most,
                                     std::string_view unit) {
    const auto limit = parse_int<std::int64_t>(value);
    if (limit && *limit >= -1 && *limit <= most) return *limit;
    return reject("{}={} is not a number of {} from 0 to {}, or -1 for no limit", key, value, unit, most);
}

Result<bool> parse_retention_force(const std::string& value) {
    if (value == "true") return true;
    if (value == "false") return false;
    return reject("{}={} is not known; write true or false", retention_force_config, value);
}

/// Takes one config over into the topic. `reject` names it where it is unknown or its value wrong.
Status apply_config(Topic& topic, const std::string& key, const std::string& value) {
    if (key == segment_bytes_config) {
        TRY(bytes, parse_segment_bytes(value));
        topic.segment_bytes = bytes;
    } else if (key == segment_ms_config) {
        const auto ms = parse_int<std::int64_t>(value);
        if (!ms || *ms < limits::segment_ms_min || *ms > limits::segment_ms_max)
            return reject("segment.ms={} is not a number of milliseconds from {} to {}", value, limits::segment_ms_min,
                          limits::segment_ms_max);
        topic.settings.segment_ms = *ms;
    } else if (key == compression_config) {
        TRY(compression, parse_compression_type(value));
        topic.settings.compression = compression;
    } else if (key == retention_bytes_config) {
        TRY(bytes, parse_retention(key, value, limits::retention_bytes_max, "bytes"));
        topic.settings.retention_bytes = bytes;
    } else if (key == retention_ms_config) {
        TRY(ms, parse_retention(key, value, limits::retention_ms_max, "milliseconds"));
        topic.settings.retention_ms = ms;
    } else if (key == retention_force_config) {
        TRY(force, parse_retention_force(value));
        topic.settings.retention_force = force;
    } else {
        return reject("the topic config \"{}\" is not known here; the ones that are: {}, {}, {}, {}, {}, {}", key,
                      segment_bytes_config, segment_ms_config, compression_config, retention_bytes_config,
                      retention_ms_config, retention_force_config);
    }
    return {};
}

} // namespace

Status check_topic_name(std::string_view name) {
    const auto legal = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
               c == '-';
    };
    if (name.empty()) return reject("a topic's name cannot be empty");
    if (name.size() > topic_name_bytes_max)
        return reject("a topic's name has at most {} characters, this one has {}", topic_name_bytes_max, name.size());
    if (name == "." || name == "..") return reject("a topic cannot be named \"{}\"", name);
    if (!std::ranges::all_of(name, legal))
        return reject("the topic name \"{}\" has a character other than ASCII letters, digits, '.', '_' and '-'", name);
    return {};
}

std::string make_topic_id(io::Entropy& entropy) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    std::string text;
    do {
        std::array<std::byte, 16> uuid{};
        entropy.fill(uuid);
        uuid[6] = (uuid[6] & std::byte{0x0f}) | std::byte{0x40}; // version 4: random
        uuid[8] = (uuid[8] & std::byte{0x3f}) | std::byte{0x80}; // variant of RFC 4122
        text.clear();
        unsigned bits = 0;
        unsigned held = 0;
        for (const auto byte : uuid) {
            bits = (bits << 8 | std::to_integer<unsigned>(byte)) & 0xffffU;
            for (held += 8; held >= 6; held -= 6) text.push_back(alphabet[bits >> (held - 6) & 63U]);
        }
        text.push_back(alphabet[bits << (6 - held) & 63U]);
    } while (text.front() == '-');
    return text;
}

Result<Topic> plan_topic(const std::string& name, const TopicOptions& options, io::Entropy& entropy) {
    CHECK_OK(check_topic_name(name));
    if (options.partitions < 1 || options.partitions > limits::partitions_max)
        return reject("a topic has 1 to {} partitions, not {}", limits::partitions_max, options.partitions);
    Topic topic{name, make_topic_id(entropy), options.partitions, limits::segment_bytes_default, options.configs};
    std::ranges::sort(topic.configs);
    for (std::size_t i = 0; i < topic.configs.size(); ++i) {
        const auto& [key, value] = topic.configs[i];
        if (i > 0 && topic.configs[i - 1].first == key) return reject("the topic config \"{}\" is given twice", key);
        CHECK_OK(apply_config(topic, key, value));
    }
    return topic;
}

std::string encode_topic(const Topic& topic) {
    auto text = fmt::format("{}\nversion = {}\nname = {}\nid = {}\npartitions = {}\nsegment_bytes = {}\n", first_line,
                            topic_format_version, topic.name, topic.id, topic.partitions, topic.segment_bytes);
    for (const auto& [key, value] : topic.configs) text += fmt::format("config {} = {}\n", key, value);
    return text + fmt::format("{}{:08x}\n", checksum_key, crc32c(text));
}

Result<Topic> decode_topic(std::string_view text, const std::string& path) {
    const auto damaged = [&](std::string_view what) {
        return corrupt("{} is damaged: {}; restore it from a backup", path, what);
    };
    const auto checksum_at = text.rfind(checksum_key);
    if (checksum_at == std::string_view::npos) return damaged("it has no checksum");
    const auto covered = text.substr(0, checksum_at);
    if (text.substr(checksum_at) != fmt::format("{}{:08x}\n", checksum_key, crc32c(covered)))
        return damaged("its checksum is wrong");

    auto rest = covered;
    if (!rest.starts_with(first_line)) return damaged("it is no topic's metadata");
    rest.remove_prefix(std::min(rest.size(), first_line.size() + 1));
    const auto version = parse_int<int>(take_line(rest, "version").value_or(""));
    if (!version) return damaged("it has no version");
    if (*version != topic_format_version)
        return reject(
            "{} has format version {}, and this questlog reads version {}: use the newer questlog that wrote it", path,
            *version, topic_format_version);
    Topic topic;
    topic.name = take_line(rest, "name").value_or("");
    topic.id = take_line(rest, "id").value_or("");
    topic.partitions = parse_int<std::int32_t>(take_line(rest, "partitions").value_or("")).value_or(0);
    topic.segment_bytes = parse_int<std::int64_t>(take_line(rest, "segment_bytes").value_or("")).value_or(0);
    while (rest.starts_with("config ")) {
        const auto name_end = rest.find(" = ");
        if (name_end == std::string_view::npos) break;
        const auto key = rest.substr(7, name_end - 7);
        rest.remove_prefix(7);
        const auto value = take_line(rest, key);
        if (!value) break;
        const auto& [name, text_value] = topic.configs.emplace_back(key, *value);
        if (name == segment_bytes_config) continue; // segment_bytes has said it
        if (const auto applied = apply_config(topic, name, text_value); !applied.ok())
            return applied.error().within(path);
    }
    if (!check_topic_name(topic.name).ok() || topic.id.empty() || topic.partitions < 1 || topic.segment_bytes < 1 ||
        !rest.empty())
        return damaged("a field is missing or out of range");
    return topic;
}

} // namespace questlog::log
