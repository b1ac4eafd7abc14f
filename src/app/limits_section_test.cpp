#include "app/config.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>

namespace questlog::app {
namespace {

Result<Config> with_limits(const std::string& lines) {
    return parse_config("[limits]\n" + lines, "questlog.toml");
}

/// Every key, and the least and the most that it may be.
const std::map<std::string, std::pair<std::int64_t, std::int64_t>> keys{
    {"request_line_bytes", {256, 65'536}},
    {"header_bytes", {1024, 131'072}},
    {"header_fields", {10, 1000}},
    {"body_bytes", {1024, 16'777'216}},
    {"unzipped_bytes", {1024, 16'777'216}},
    {"unzipped_ratio", {1, 1100}},
    {"event_bytes", {1024, 65'536}},
    {"json_depth", {1, 256}},
    {"header_timeout_ms", {100, 3'600'000}},
    {"body_timeout_ms", {100, 3'600'000}},
    {"body_bytes_per_second", {1, 1'048'576'000}},
    {"idle_timeout_ms", {100, 3'600'000}},
    {"send_timeout_ms", {100, 3'600'000}},
    {"connections", {1, 1'000'000}},
    {"commit_wait_ms", {100, 3'600'000}},
    {"landed_wait_ms", {100, 3'600'000}},
    {"forwarded_wait_ms", {100, 3'600'000}},
};

TEST(LimitsSection, EachKeyReachesItsStage) {
    std::string lines;
    std::int64_t number = 2'000;
    std::map<std::string, std::int64_t> set;
    for (const auto& [key, range] : keys) {
        set[key] = std::clamp(number, range.first, range.second);
        lines += fmt::format("{} = {}\n", key, set[key]);
        number += 7;
    }
    const auto config = with_limits(lines);
    ASSERT_TRUE(config.ok()) << config.error().message;
    http::ServerOptions server;
    config->limits.apply(server);
    collect::CollectorOptions collector;
    config->limits.apply(collector);
    const std::map<std::string, std::int64_t> reached{
        {"request_line_bytes", server.request_line_bytes_max},
        {"header_bytes", server.header_bytes_max},
        {"header_fields", server.header_fields_max},
        {"body_bytes", server.body_bytes_max},
        {"unzipped_bytes", collector.unzipped.bytes_max},
        {"unzipped_ratio", collector.unzipped.ratio_max},
        {"event_bytes", collector.event_limits.bytes_max},
        {"json_depth", collector.event_limits.depth_max},
        {"header_timeout_ms", server.header_timeout.count()},
        {"body_timeout_ms", server.body_timeout.count()},
        {"body_bytes_per_second", server.body_bytes_per_second_min},
        {"idle_timeout_ms", server.idle_timeout.count()},
        {"send_timeout_ms", server.send_timeout.count()},
        {"connections", server.connections_max},
        {"commit_wait_ms", collector.commit_wait_max.count()},
        {"landed_wait_ms", collector.landed_wait_max.count()},
        {"forwarded_wait_ms", collector.forwarded_wait_max.count()},
    };
    EXPECT_EQ(reached, set);
}

TEST(LimitsSection, WithoutItTheDefaultsAreTheNamedLimits) {
    const auto config = parse_config("", "questlog.toml");
    http::ServerOptions server;
    server.body_bytes_max = server.connections_max = 0;
    config->limits.apply(server);
    EXPECT_EQ(server.body_bytes_max, limits::body_bytes_max);
    EXPECT_EQ(server.connections_max, limits::connections_max);
    EXPECT_EQ(server.idle_timeout, limits::idle_timeout);
    EXPECT_EQ(config->limits.event.bytes_max, limits::event_bytes_max);
}

TEST(LimitsSection, RefusesWhatIsOutOfBoundsAtItsPlace) {
    for (const auto& [key, range] : keys) {
        EXPECT_TRUE(with_limits(fmt::format("{} = {}\n", key, range.first)).ok()) << key;
        EXPECT_TRUE(with_limits(fmt::format("{} = {}\n", key, range.second)).ok()) << key;
        for (const std::int64_t wrong : {range.first - 1, range.second + 1, std::int64_t{-1}}) {
            const auto config = with_limits(fmt::format("{} = {}\n", key, wrong));
            ASSERT_FALSE(config.ok()) << key;
            EXPECT_EQ(config.error().message,
                      fmt::format("questlog.toml:2:{}: {} in [limits] is {}; write a whole number from {} to {}",
                                  key.size() + 4, key, wrong, range.first, range.second));
        }
    }
    EXPECT_EQ(with_limits("body_byte = 5\n").error().message,
              "questlog.toml:2:1: unknown key body_byte in [limits]; did you mean body_bytes?");
}

TEST(LimitsSection, ConstantsThatFillAnEventAreToldByTheLimitThatIsSet) {
    const std::string event =
        "[[event]]\npath = \"/x\"\ntype = \"x\"\nset = { a = \"" + std::string(1'100, 'y') + "\" }\n";
    EXPECT_TRUE(with_limits("\n" + event).ok());
    const auto config = with_limits("event_bytes = 1024\n" + event);
    ASSERT_FALSE(config.ok());
    EXPECT_EQ(config.error().message.substr(0, 20), "questlog.toml:6:7: p");
    EXPECT_NE(config.error().message.find("1024 bytes"), std::string::npos) << config.error().message;
}

} // namespace
} // namespace questlog::app
