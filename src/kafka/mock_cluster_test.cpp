// The cluster that the other tests run against: what is put into it is what is read.
#include "kafka/mock_cluster.h"

namespace questlog::kafka {
namespace {

TEST(MockClusterTest, GivesBackWhatIsPutIntoIt) {
    MockCluster cluster;
    cluster.create("t", 2);
    EXPECT_TRUE(cluster.read("t", 0).empty());
    cluster.put("t", 1, {{-1, 1000, "a key", "one", {{"h", "1"}, {"h", "2"}}}, {-1, 1001, std::nullopt, "two", {}}});
    EXPECT_TRUE(cluster.read("t", 0).empty());
    const auto records = cluster.read("t", 1);
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].offset, 0);
    EXPECT_EQ(records[0].timestamp_ms, 1000);
    EXPECT_EQ(records[0].key, "a key");
    EXPECT_EQ(records[0].headers, (std::vector<std::pair<std::string, std::string>>{{"h", "1"}, {"h", "2"}}));
    EXPECT_EQ(records[1].offset, 1);
    EXPECT_EQ(records[1].value, "two");
    EXPECT_EQ(records[1].key, std::nullopt);
    EXPECT_EQ(cluster.watermarks("t", 1), (std::pair<std::int64_t, std::int64_t>(0, 2)));
}

TEST(MockClusterTest, SaysThatATopicIsMissingWhereItIsToldTo) {
    MockCluster cluster;
    cluster.answer_of_topic("missing", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    const auto client = std::move(Client::make(RD_KAFKA_CONSUMER, cluster.settings(), {})).value();
    const auto found = std::move(client->metadata("missing")).value();
    ASSERT_EQ(found->topic_cnt, 1);
    EXPECT_EQ(found->topics[0].err, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
}

TEST(ClientTest, WhatAPromiseHangsOnIsNotTakenFromASetting) {
    ClientSettings settings{"127.0.0.1:1", {{"acks", "0"}}};
    const auto refused = Client::make(RD_KAFKA_PRODUCER, settings, {});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::reject);
    EXPECT_NE(refused.error().message.find("[kafka.client] acks"), std::string::npos) << refused.error().message;
    settings.properties = {{"no.such.thing", "1"}};
    EXPECT_EQ(Client::make(RD_KAFKA_PRODUCER, settings, {}).error().kind, ErrorKind::reject);
}

} // namespace
} // namespace questlog::kafka
