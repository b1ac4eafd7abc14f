// What a cluster says of its topics. The mock cluster describes them, and tells no configs.
#include "kafka/admin.h"
#include "kafka/mock_cluster.h"

#include <algorithm>
#include <set>

namespace questlog::kafka {
namespace {

std::unique_ptr<Client> connect(const MockCluster& cluster) {
    return std::move(Client::make(RD_KAFKA_CONSUMER, cluster.settings(), {})).value();
}

TEST(AdminTest, ATopicIsDescribedWithItsIdLeadersAndReplicas) {
    MockCluster cluster(3);
    cluster.create("t", 2, 3);
    cluster.lead("t", 0, 2);
    cluster.lead("t", 1, -1);
    const auto found = describe_topics(*connect(cluster), {"t"});
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->size(), 1U);
    const auto& topic = found->front();
    EXPECT_EQ(topic.name, "t");
    ASSERT_EQ(topic.partitions.size(), 2U);
    EXPECT_EQ(topic.partitions[0].leader, 2);
    EXPECT_EQ(topic.partitions[1].leader, std::nullopt);
    for (const auto& partition : topic.partitions) {
        EXPECT_EQ(std::set(partition.replicas.begin(), partition.replicas.end()), (std::set{1, 2, 3}));
        EXPECT_EQ(partition.in_sync.size(), 3U);
        EXPECT_FALSE(partition.no_eligible_others) << "nobody was asked";
    }
}

TEST(AdminTest, AnIdIsWrittenAsKafkaWritesIt) {
    MockCluster cluster;
    std::vector<std::string> names(8);
    for (std::size_t i = 0; i < names.size(); ++i) cluster.create(names[i] = "t" + std::to_string(i), 1);
    const auto found = describe_topics(*connect(cluster), names);
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->size(), names.size());
    std::set<std::string> ids;
    std::string all;
    for (std::size_t i = 0; i < names.size(); ++i) {
        EXPECT_EQ((*found)[i].name, names[i]) << "in the order in which they were named";
        EXPECT_EQ((*found)[i].id.size(), 22U);
        ids.insert((*found)[i].id);
        all += (*found)[i].id;
    }
    EXPECT_EQ(ids.size(), names.size());
    EXPECT_EQ(all.find_first_of("+/="), std::string::npos) << "these are MIME's";
}

TEST(AdminTest, ABrokerOfBeforeTopicIdsTellsNone) {
    MockCluster cluster;
    cluster.versions(Api::metadata, 0, 9); // 10 has the id
    cluster.create("t", 1);
    const auto found = describe_topics(*connect(cluster), {"t"});
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().id, "");
    EXPECT_EQ(found->front().partitions.size(), 1U);
}

TEST(AdminTest, WhatIsNotThereIsLeftOutAndARefusalIsTold) {
    MockCluster cluster;
    cluster.create("t", 1);
    cluster.answer_of_topic("missing", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    const auto client = connect(cluster);
    const auto found = describe_topics(*client, {"missing", "t"});
    ASSERT_TRUE(found.ok()) << found.error().message;
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().name, "t");
    cluster.answer_of_topic("secret", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    const auto refused = describe_topics(*client, {"t", "secret"});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::reject);
    EXPECT_EQ(refused.error().message, "cannot describe topic secret: Broker: Topic authorization failed");
}

TEST(AdminTest, OfNoTopicsNoneAreDescribed) {
    MockCluster cluster;
    const auto found = describe_topics(*connect(cluster), {});
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_TRUE(found->empty());
}

} // namespace
} // namespace questlog::kafka
