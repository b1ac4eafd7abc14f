#include "app/kafka_section.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace questlog::app {
namespace {

constexpr const char* password_property = "sasl.password";
constexpr std::int64_t spool_bytes_least = 1024 * 1024; // less would stop intake at every short outage
constexpr std::int64_t spool_bytes_most = std::int64_t{1} << 60;

Status parse_client(TomlTable& client, kafka::ClientSettings& settings) {
    TRY(properties, client.scalars());
    for (auto& [name, text, at] : properties) {
        if (name == "compression.type" || name == "compression.codec")
            return reject("{}: {} is set by compression in [kafka]; write it there", at, name);
        if (auto taken = kafka::check_property(name, text); !taken.ok())
            return reject("{}: {}", at, taken.error().message);
        settings.properties.emplace_back(std::move(name), std::move(text));
    }
    return {};
}

Status parse_compression(const TomlTable& table, const std::optional<std::string>& given, std::string& compression) {
    if (!given) return {};
    constexpr std::array known{"zstd", "lz4", "gzip", "snappy", "none"};
    if (std::find(known.begin(), known.end(), *given) == known.end())
        return table.wrong("compression", fmt::format("compression \"{}\" is not known; write \"zstd\", \"lz4\", "
                                                      "\"gzip\", \"snappy\" or \"none\"",
                                                      *given));
    compression = *given;
    return {};
}

/// What the file holds but for the line break at its end.
Result<std::string> read_password(const TomlTable& table, const std::string& path) {
    std::error_code fault;
    const bool is_directory = std::filesystem::is_directory(path, fault);
    std::ifstream file(path, std::ios::binary);
    if (is_directory || !file)
        return table.wrong("sasl_password_file", fmt::format("cannot read sasl_password_file {}: {}", path,
                                                             std::strerror(is_directory ? EISDIR : errno)));
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    if (text.empty()) return table.wrong("sasl_password_file", fmt::format("sasl_password_file {} is empty", path));
    if (auto taken = kafka::check_property(password_property, text); !taken.ok())
        return table.wrong("sasl_password_file", fmt::format("sasl_password_file {}: {}", path, taken.error().message));
    return text;
}

Status parse_password_file(const TomlTable& table, const std::string& path, KafkaConfig& config) {
    const auto& properties = config.client.properties;
    if (std::any_of(properties.begin(), properties.end(),
                    [](const auto& property) { return property.first == password_property; }))
        return table.wrong("sasl_password_file", "sasl_password_file and sasl.password in [kafka.client] say the same; "
                                                 "leave one out");
    if (!config.enabled()) return {}; // nothing would be done with it
    TRY(password, read_password(table, path));
    config.client.properties.emplace_back(password_property, std::move(password));
    return {};
}

} // namespace

Result<KafkaConfig> parse_kafka(TomlTable& table, const std::optional<std::string>& bootstrap) {
    TRY(own_bootstrap, table.string("bootstrap"));
    TRY(ack, table.string("ack"));
    TRY(compression, table.string("compression"));
    TRY(spool_bytes_max, table.integer("spool_bytes_max", spool_bytes_least, spool_bytes_most));
    TRY(password_file, table.string("sasl_password_file"));
    TRY(client, table.table("client"));
    CHECK_OK(table.finish());

    KafkaConfig config;
    if (own_bootstrap)
        if (auto checked = kafka::check_bootstrap(*own_bootstrap); !checked.ok())
            return table.wrong("bootstrap", checked.error().message);
    config.client.bootstrap = bootstrap ? *bootstrap : own_bootstrap.value_or("");
    if (ack && *ack != "disk" && *ack != "kafka")
        return table.wrong("ack", fmt::format("ack \"{}\" is not known; write \"disk\" or \"kafka\"", *ack));
    if (ack == "kafka" && !config.enabled())
        return table.wrong("ack", "ack = \"kafka\" needs a cluster; write bootstrap = \"HOST:PORT\" in [kafka], or "
                                  "--kafka HOST:PORT");
    config.ack = ack == "kafka" ? Ack::kafka : Ack::disk;
    CHECK_OK(parse_compression(table, compression, config.compression));
    config.spool_bytes_max = spool_bytes_max;
    if (client) CHECK_OK(parse_client(*client, config.client));
    if (password_file) CHECK_OK(parse_password_file(table, *password_file, config));
    return config;
}

} // namespace questlog::app
