#include "kafka/topic_text.h"

#include <gtest/gtest.h>
#include <sstream>

namespace questlog::kafka {
namespace {

ConfigDescription set(std::string name, std::optional<std::string> value) {
    return {std::move(name), std::move(value), false};
}

TEST(TopicText, OfOneBrokerIsWhatKafkaTopicsPrints) {
    const TopicDescription topic{
        "game-events", "F2hbjghYTdC0uevB7P0PWw", {{0, 1, {1}, {1}, true}}, {{"segment.bytes", "1073741824", true}}};
    EXPECT_EQ(
        description_text(topic),
        "Topic: game-events\tTopicId: F2hbjghYTdC0uevB7P0PWw\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: \n"
        "\tTopic: game-events\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: \tLastKnownElr: \n");
}

TEST(TopicText, WhatOlderBrokersDoNotTellIsLeftOut) {
    const TopicDescription topic{"game-events", "", {{0, 1, {1}, {1}}}, {}};
    EXPECT_EQ(description_text(topic),
              "Topic: game-events\tPartitionCount: 1\tReplicationFactor: 1\tConfigs: \n"
              "\tTopic: game-events\tPartition: 0\tLeader: 1\tReplicas: 1\tIsr: 1\tElr: N/A\tLastKnownElr: N/A\n");
}

TEST(TopicText, ReplicasKeepTheirOrderAndALeaderMayBeMissing) {
    const TopicDescription topic{"t", "", {{0, 3, {3, 1, 2}, {1, 3}}, {1, std::nullopt, {1, 2, 3}, {}}}, {}};
    EXPECT_EQ(description_text(topic),
              "Topic: t\tPartitionCount: 2\tReplicationFactor: 3\tConfigs: \n"
              "\tTopic: t\tPartition: 0\tLeader: 3\tReplicas: 3,1,2\tIsr: 1,3\tElr: N/A\tLastKnownElr: N/A\n"
              "\tTopic: t\tPartition: 1\tLeader: none\tReplicas: 1,2,3\tIsr: \tElr: N/A\tLastKnownElr: N/A\n");
}

TEST(TopicText, ConfigsStandInTheOrderOfJavasHashMap) {
    // The configs that Kafka 3.9 has, and the order in which its kafka-topics printed those that were set.
    // segment.bytes and retention.ms share a bucket, in the broker's order.
    TopicDescription topic{"t", "", {}, {}};
    std::istringstream defaults(
        "compression.gzip.level compression.lz4.level compression.zstd.level delete.retention.ms file.delete.delay.ms "
        "flush.messages flush.ms follower.replication.throttled.replicas index.interval.bytes "
        "leader.replication.throttled.replicas local.retention.bytes local.retention.ms max.compaction.lag.ms "
        "message.downconversion.enable message.format.version message.timestamp.after.max.ms "
        "message.timestamp.before.max.ms message.timestamp.difference.max.ms message.timestamp.type "
        "min.cleanable.dirty.ratio min.compaction.lag.ms preallocate remote.log.copy.disable "
        "remote.log.delete.on.disable remote.storage.enable retention.bytes segment.index.bytes segment.jitter.ms "
        "segment.ms unclean.leader.election.enable");
    for (std::string name; defaults >> name;) topic.configs.push_back({name, "1", true});
    for (const auto& config :
         {set("max.message.bytes", "2000000"), set("cleanup.policy", "compact,delete"), set("segment.bytes", "1048576"),
          set("compression.type", "zstd"), set("min.insync.replicas", "1"), set("retention.ms", "3600000")})
        topic.configs.push_back(config);
    EXPECT_NE(description_text(topic).find(
                  "\tConfigs: compression.type=zstd,min.insync.replicas=1,cleanup.policy=compact,delete,"
                  "segment.bytes=1048576,retention.ms=3600000,max.message.bytes=2000000\n"),
              std::string::npos)
        << description_text(topic);
}

TEST(TopicText, SoDoTopics) {
    std::vector<TopicDescription> topics;
    std::istringstream sorted("adm-a.b adm-m1-11 adm-m2-22 adm-m3-33 adm-m4-44 adm-m5-55 adm-m6-66 adm-m7-77 adm-plain "
                              "fw-bench fw-bench1 fw-bench2 fw-bench3 fw-l fw-live fw-perf rd-test");
    for (std::string name; sorted >> name;) topics.push_back({name, "", {}, {}});
    order_as_kafka_topics(topics);
    std::string names;
    for (const auto& topic : topics) names += topic.name + " ";
    EXPECT_EQ(names,
              "fw-l adm-a.b adm-m3-33 fw-bench adm-m2-22 adm-m1-11 adm-m4-44 adm-m7-77 adm-m5-55 adm-m6-66 fw-live "
              "adm-plain rd-test fw-bench2 fw-bench3 fw-bench1 fw-perf "); // as kafka-topics printed them
}

TEST(TopicText, AConfigWithoutAValueIsNull) {
    EXPECT_NE(description_text({"t", "", {}, {set("secret", std::nullopt)}}).find("Configs: secret=null\n"),
              std::string::npos);
}

TEST(TopicText, NamesThatMayCollideAreWarnedOf) {
    EXPECT_EQ(collision_warning("game-events"), "");
    EXPECT_TRUE(collision_warning("game.events").starts_with("WARNING: Due to limitations in metric names"));
    EXPECT_EQ(collision_warning("game_events").back(), '\n');
}

} // namespace
} // namespace questlog::kafka
