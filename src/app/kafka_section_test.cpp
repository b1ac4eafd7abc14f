#include "app/config.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace questlog::app {
namespace {

using Properties = std::vector<std::pair<std::string, std::string>>;

KafkaConfig parsed_kafka(std::string_view text, const std::optional<std::string>& kafka = std::nullopt) {
    auto config = parse_config(text, "questlog.toml", {.kafka = kafka});
    EXPECT_TRUE(config.ok()) << config.error().message;
    return config.ok() ? std::move(config).value().kafka : KafkaConfig{};
}

std::string refused_kafka(std::string_view text, const std::optional<std::string>& kafka = std::nullopt) {
    auto config = parse_config(text, "questlog.toml", {.kafka = kafka});
    if (config.ok()) return "accepted";
    EXPECT_EQ(exit_code_of(config.error().kind), 2);
    return config.error().message;
}

/// A file with these bytes, removed at the end.
class PasswordFile {
public:
    explicit PasswordFile(std::string_view bytes)
        : path_(std::filesystem::temp_directory_path() / ("questlog-password-" + std::to_string(getpid()))) {
        std::ofstream(path_, std::ios::binary) << bytes;
    }
    ~PasswordFile() { std::filesystem::remove(path_); }
    PasswordFile(const PasswordFile&) = delete;
    PasswordFile& operator=(const PasswordFile&) = delete;

    [[nodiscard]] std::string path() const { return path_.string(); }
    [[nodiscard]] std::string section(std::string_view more = "") const {
        return "[kafka]\nbootstrap = \"k:9092\"\nsasl_password_file = \"" + path() + "\"\n" + std::string(more);
    }

private:
    std::filesystem::path path_;
};

TEST(KafkaSection, WithoutItThereIsNoCluster) {
    const KafkaConfig config = parsed_kafka("");
    EXPECT_FALSE(config.enabled());
    EXPECT_EQ(config.ack, Ack::disk);
    EXPECT_EQ(config.compression, "zstd");
    EXPECT_FALSE(config.spool_bytes_max);
    EXPECT_TRUE(config.client.properties.empty());
}

TEST(KafkaSection, EverySettingIsRead) {
    const KafkaConfig config = parsed_kafka(R"(
[kafka]
bootstrap = "kafka1:9092,kafka2:9092"
ack = "kafka"
compression = "lz4"
spool_bytes_max = 1073741824
[kafka.client]
"security.protocol" = "SASL_SSL"
sasl.username = "moe"
"sasl.password" = "secret"
"socket.timeout.ms" = 5000
"enable.ssl.certificate.verification" = true
)");
    EXPECT_TRUE(config.enabled());
    EXPECT_EQ(config.client.bootstrap, "kafka1:9092,kafka2:9092");
    EXPECT_EQ(config.ack, Ack::kafka);
    EXPECT_EQ(config.compression, "lz4");
    EXPECT_EQ(config.spool_bytes_max, 1'073'741'824);
    EXPECT_EQ(config.client.properties, (Properties{{"security.protocol", "SASL_SSL"},
                                                    {"sasl.username", "moe"},
                                                    {"sasl.password", "secret"},
                                                    {"socket.timeout.ms", "5000"},
                                                    {"enable.ssl.certificate.verification", "true"}}));
}

TEST(KafkaSection, TheCommandLinesClusterGoesBeforeTheFiles) {
    EXPECT_EQ(parsed_kafka("[kafka]\nbootstrap = \"file:9092\"\n", "line:9092").client.bootstrap, "line:9092");
    EXPECT_EQ(parsed_kafka("", "line:9092").client.bootstrap, "line:9092");
    const KafkaConfig config =
        parsed_kafka("[kafka]\nack = \"kafka\"\n[kafka.client]\nclient.rack = \"a\"\n", "line:9092");
    EXPECT_EQ(config.client.bootstrap, "line:9092");
    EXPECT_EQ(config.ack, Ack::kafka);
    EXPECT_EQ(config.client.properties, (Properties{{"client.rack", "a"}}));
}

TEST(KafkaSection, WithoutAClusterTheRestMeansNothingButAckKafkaIsRefused) {
    EXPECT_FALSE(
        parsed_kafka("[kafka]\nack = \"disk\"\ncompression = \"gzip\"\nsasl_password_file = \"/no/such\"\n").enabled());
    EXPECT_EQ(refused_kafka("[kafka]\nack = \"kafka\"\n"),
              "questlog.toml:2:7: ack = \"kafka\" needs a cluster; write bootstrap = \"HOST:PORT\" in [kafka], or "
              "--kafka HOST:PORT");
}

TEST(KafkaSection, ThePasswordMayLieInAFile) {
    for (const char* bytes : {"se cret", "se cret\n", "se cret\r\n"}) {
        const PasswordFile file(bytes);
        EXPECT_EQ(parsed_kafka(file.section()).client.properties, (Properties{{"sasl.password", "se cret"}})) << bytes;
    }
    EXPECT_EQ(parsed_kafka(PasswordFile("a\n\n").section()).client.properties, (Properties{{"sasl.password", "a\n"}}));
    const PasswordFile file("hunter2");
    EXPECT_NE(refused_kafka(file.section("[kafka.client]\nsasl.password = \"x\"\n"))
                  .find("questlog.toml:3:22: sasl_password_file and sasl.password in [kafka.client] say the same"),
              std::string::npos);
    EXPECT_NE(refused_kafka(PasswordFile("\n").section()).find("is empty"), std::string::npos);
    EXPECT_EQ(refused_kafka("[kafka]\nbootstrap = \"k:1\"\nsasl_password_file = \"/no/such\"\n"),
              "questlog.toml:3:22: cannot read sasl_password_file /no/such: No such file or directory");
    EXPECT_NE(refused_kafka("[kafka]\nbootstrap = \"k:1\"\nsasl_password_file = \"/\"\n")
                  .find("cannot read sasl_password_file /"),
              std::string::npos);
}

TEST(KafkaSection, MistakesAreToldWhereTheyStand) {
    struct Mistake {
        const char* text;
        const char* message_part;
    };
    const Mistake refusals[] = {
        {"[kafka]\nbootstrap = \"kafka\"\n", "questlog.toml:2:13: \"kafka\" is no address of a Kafka broker"},
        {"[kafka]\nbootstrap = [\"kafka:1\"]\n", "questlog.toml:2:13: bootstrap in [kafka] is an array"},
        {"[kafka]\nbootstap = \"kafka:1\"\n", "did you mean bootstrap?"},
        {"[kafka]\nack = \"all\"\n", "questlog.toml:2:7: ack \"all\" is not known; write \"disk\" or \"kafka\""},
        {"[kafka]\ncompression = \"zip\"\n", "questlog.toml:2:15: compression \"zip\" is not known"},
        {"[kafka]\nspool_bytes_max = 5\n", "questlog.toml:2:19: spool_bytes_max in [kafka] is 5; write a whole number"},
        {"[kafka.client]\n\"no.such\" = 1\n", "questlog.toml:2:13: [kafka.client] no.such: No such configuration"},
        {"[kafka.client]\nclient.rack = \"a\"\nsecurity.protocol = \"X\"\n",
         "questlog.toml:3:21: [kafka.client] secur"},
        {"[kafka.client]\nlinger.ms = 1.5\n", "questlog.toml:2:13: linger.ms in client of [kafka] is a float"},
        {"[kafka.client]\nacks = 1\n", "questlog.toml:2:8: [kafka.client] acks: questlog sets it by itself"},
        {"[kafka.client]\n\"a.b\" = 1\na.b = 1\n", "questlog.toml:3:7: a.b is there twice"},
        {"[kafka.client]\ncompression.type = \"lz4\"\n", "questlog.toml:2:20: compression.type is set by compression"},
    };
    for (const auto& refusal : refusals)
        EXPECT_NE(refused_kafka(refusal.text).find(refusal.message_part), std::string::npos)
            << refusal.text << "\n-> " << refused_kafka(refusal.text);
}

} // namespace
} // namespace questlog::app
