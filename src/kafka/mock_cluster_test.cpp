// The cluster that the other tests run against: what is put into it is what is read.
#include "kafka/mock_cluster.h"

#include <array>

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

TEST(ClientTest, WhatIsOnlyTunedIsTakenFromASettingFirst) {
    const ClientSettings settings{"127.0.0.1:1", {{"queued.min.messages", "5"}, {"max.partition.fetch.bytes", "7000"}}};
    const auto client =
        std::move(Client::make(RD_KAFKA_CONSUMER, settings,
                               {{"queued.min.messages", "7"}, {"fetch.message.max.bytes", "9000"}, {"linger.ms", "3"}}))
            .value();
    const auto value_of = [&](const char* name) {
        std::array<char, 64> text{};
        std::size_t size = text.size();
        EXPECT_EQ(rd_kafka_conf_get(rd_kafka_conf(client->get()), name, text.data(), &size), RD_KAFKA_CONF_OK);
        return std::string(text.data());
    };
    EXPECT_EQ(value_of("queued.min.messages"), "5");
    EXPECT_EQ(value_of("fetch.message.max.bytes"), "7000"); // the other name of the same property
    EXPECT_EQ(value_of("linger.ms"), "3");
}

} // namespace
} // namespace questlog::kafka
