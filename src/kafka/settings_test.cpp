#include "kafka/settings.h"

#include <gtest/gtest.h>
#include <initializer_list>
#include <string>
#include <utility>

namespace questlog::kafka {
namespace {

TEST(Settings, ABootstrapIsAddressesWithCommas) {
    for (const char* text : {"127.0.0.1:29092", "kafka1:9092,kafka2:9093", "[::1]:9092", "b-1.x.kafka.aws.com:9098"})
        EXPECT_TRUE(check_bootstrap(text).ok()) << text;
    for (const char* text : {"", "kafka", "kafka:", ":9092", "kafka:0", "kafka:65536", "kafka:+1", "kafka:9092x",
                             "::1:9092", "a:1,,b:2", "a:1, b:2", "a:1,", "SSL://a:1", "[]:1", "a b:1"}) {
        const auto checked = check_bootstrap(text);
        ASSERT_FALSE(checked.ok()) << text;
        EXPECT_EQ(checked.error().kind, ErrorKind::reject);
    }
}

std::string refused(const std::string& name, const std::string& value) {
    const auto checked = check_property(name, value);
    return checked.ok() ? "taken" : checked.error().message;
}

TEST(Settings, PropertiesAreLibrdkafkasOwnButForThoseThatPromisesHangOn) {
    EXPECT_EQ(refused("security.protocol", "SASL_SSL"), "taken");
    EXPECT_EQ(refused("sasl.password", "x\"y"), "taken");
    EXPECT_EQ(refused("socket.timeout.ms", "5000"), "taken");
    EXPECT_NE(refused("security.protocol", "TELNET").find("[kafka.client] security.protocol: Invalid value \"TELNET\""),
              std::string::npos);
    EXPECT_NE(refused("securityprotocol", "SSL").find("No such configuration property"), std::string::npos);
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, const char*>>{
             {"acks", "0"},
             {"delivery.timeout.ms", "5000"},
             {"partition.assignment.strategy", "cooperative-sticky"},
             {"allow.auto.create.topics", "true"},
             {"enabled_events", "0"},
             {"queue.buffering.max.messages", "1"}})
        EXPECT_NE(refused(name, value).find("questlog sets it by itself"), std::string::npos) << name;
    EXPECT_NE(refused("client.rack", std::string("a\0b", 3)).find("NUL"), std::string::npos);
}

TEST(Settings, ASecretsValueIsInNoMessage) {
    for (const char* name : {"sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem",
                             "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config"})
        EXPECT_TRUE(is_secret_property(name)) << name;
    for (const char* name : {"sasl.username", "security.protocol", "ssl.key.location"})
        EXPECT_FALSE(is_secret_property(name)) << name;
    EXPECT_EQ(refused("sasl.password", std::string("hunter2\0", 8)).find("hunter2"), std::string::npos);
}

} // namespace
} // namespace questlog::kafka
