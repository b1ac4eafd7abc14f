#include "app/config.h"

#include <gtest/gtest.h>

namespace questlog::app {
namespace {

using Properties = spark::Settings::Properties;

spark::Settings parsed_spark(std::string_view text) {
    auto config = parse_config(text, "questlog.toml");
    EXPECT_TRUE(config.ok()) << config.error().message;
    return config.ok() ? std::move(config).value().spark : spark::Settings{};
}

std::string refused_spark(std::string_view text) {
    auto config = parse_config(text, "questlog.toml");
    if (config.ok()) return "accepted";
    EXPECT_EQ(exit_code_of(config.error().kind), 2);
    return config.error().message;
}

TEST(SparkSection, isTheLocalMachineWhereItIsSilent) {
    for (const char* text : {"", "[spark]\n"}) {
        const spark::Settings settings = parsed_spark(text);
        EXPECT_EQ(settings.master, "local[*]");
        EXPECT_EQ(settings.submit, "spark-submit");
        EXPECT_TRUE(settings.conf.empty() && settings.kafka.empty() && settings.packages.empty());
    }
}

TEST(SparkSection, saysHowSparkIsStarted) {
    const spark::Settings settings = parsed_spark(R"([spark]
master = "yarn"
submit = "/opt/spark/bin/spark-submit"
packages = ["a:b:1"]
jars = ["x.jar", "y.jar"]
[spark.conf]
spark.executor.memory = "4g"
"spark.ui.enabled" = false
[spark.kafka]
"ssl.keystore.location" = "/k.p12"
)");
    EXPECT_EQ(settings.master, "yarn");
    EXPECT_EQ(settings.submit, "/opt/spark/bin/spark-submit");
    EXPECT_EQ(settings.packages, std::vector<std::string>{"a:b:1"});
    EXPECT_EQ(settings.jars.size(), 2U);
    EXPECT_EQ(settings.conf, (Properties{{"spark.executor.memory", "4g"}, {"spark.ui.enabled", "false"}}));
    EXPECT_EQ(settings.kafka, (Properties{{"ssl.keystore.location", "/k.p12"}}));
}

TEST(SparkSection, refusesWhatItDoesNotKnow) {
    EXPECT_NE(refused_spark("[spark]\nmaser = \"yarn\"\n").find("questlog.toml:2:1"), std::string::npos);
    EXPECT_NE(refused_spark("[spark]\nmaster = \"\"\n").find("local[*]"), std::string::npos);
    EXPECT_NE(refused_spark("[spark]\nsubmit = \"\"\n").find("spark-submit"), std::string::npos);
    EXPECT_NE(refused_spark("[spark.conf]\n\"spark.submit.deployMode\" = \"cluster\"\n").find("deployMode"),
              std::string::npos);
}

} // namespace
} // namespace questlog::app
