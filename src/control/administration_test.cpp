#include "control/administration.h"
#include "io/sim_env.h"

#include <gtest/gtest.h>

namespace questlog::control {
namespace {

class AdministrationTest : public testing::Test {
protected:
    std::string create(const std::string& name, std::int32_t partitions = 1, bool if_not_exists = false) {
        return administration_.answer(*encode(Request(CreateTopic{name, {partitions, {}}, if_not_exists})));
    }

    io::SimEnv sim_{1};
    log::Topics topics_{sim_.env(), "/data/log"};
    Administration administration_{
        sim_.env(), "/data/log", {1, "http://127.0.0.1:1", "game-events", "0.1.0", TimestampMs{5}}};
};

TEST_F(AdministrationTest, ACreatedTopicIsThereWhenTheAnswerIsAndSurvivesAPowerCut) {
    EXPECT_EQ(create("raids", 3), encode(TopicCreated{true}));
    sim_.power_cut();
    const auto found = topics_.find("raids");
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->partitions, 3);
}

TEST_F(AdministrationTest, AnExistingTopicIsLeftAsItIs) {
    ASSERT_EQ(create("raids", 3), encode(TopicCreated{true}));
    EXPECT_EQ(create("raids", 5, true), encode(TopicCreated{false}));
    EXPECT_EQ(create("raids", 5), encode(reject("Topic 'raids' already exists.")));
    EXPECT_EQ(topics_.find("raids")->partitions, 3);
}

TEST_F(AdministrationTest, TheLogsOwnChecksHold) {
    for (const std::string name : {"../etc", "", "a b"}) EXPECT_FALSE(decode_topic_created(create(name)).ok()) << name;
    EXPECT_NE(create("t", 0).find("1 to 1024 partitions"), std::string::npos);
    EXPECT_NE(create("t", 1025).find("1 to 1024 partitions"), std::string::npos);
    EXPECT_TRUE(topics_.list()->empty());
}

TEST_F(AdministrationTest, AStoppingServerRefusesCommandsAndSaysSo) {
    EXPECT_FALSE(decode_facts(administration_.answer(*encode(Request(Ping{}))))->stopping);
    administration_.stop();
    EXPECT_EQ(create("raids"), Administration::refusal());
    EXPECT_EQ(decode_topic_created(create("raids")).error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(topics_.list()->empty());
    EXPECT_TRUE(decode_facts(administration_.answer(*encode(Request(Ping{}))))->stopping);
}

/// Whatever operation fails: what was answered with "created" is there, what was not can be created after it.
TEST_F(AdministrationTest, ACreationIsNeverHalf) {
    for (std::int64_t n = 0;; ++n) {
        const std::string name = fmt::format("raids-{}", n);
        sim_.fail_operation(n, io::SimEnv::Fault::io_error);
        const auto answer = decode_topic_created(create(name, 2));
        const bool failed = sim_.fault_happened();
        sim_.fail_nothing();
        if (answer.ok()) {
            sim_.power_cut();
            ASSERT_TRUE(topics_.find(name).ok()) << n;
        } else {
            const auto again = decode_topic_created(create(name, 2, true));
            ASSERT_TRUE(again.ok()) << n << ": " << again.error().message;
            ASSERT_EQ(topics_.find(name)->partitions, 2) << n;
        }
        if (!failed) break;
    }
}

} // namespace
} // namespace questlog::control
