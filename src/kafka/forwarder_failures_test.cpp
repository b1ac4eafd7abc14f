// What a forwarder does about a cluster that fails, refuses, or is another one than before.
#include "kafka/forwarded_log.h"

namespace questlog::kafka {
namespace {

class ForwarderFailuresTest : public testing::Test {
protected:
    ForwarderFailuresTest() { cluster_.create("game-events", 1); }

    void expect_all(std::int64_t end) {
        log_.await(end);
        EXPECT_EQ(log_.taken(cluster_.read("game-events", 0)), numbers(end));
    }

    MockCluster cluster_;
    ForwardedLog log_;
};

TEST_F(ForwarderFailuresTest, AClusterThatIsDownAtTheStartIsWaitedFor) {
    cluster_.down();
    log_.commit(10);
    log_.start(cluster_);
    log_.await(ForwarderState::unreachable);
    EXPECT_FALSE(log_.forwarder->reachable());
    EXPECT_NE(log_.forwarder->status().text, "");
    EXPECT_EQ(log_.forwarder->status().lags, std::vector<std::int64_t>{10});
    cluster_.up();
    expect_all(10);
    EXPECT_TRUE(log_.forwarder->reachable());
    EXPECT_NE(log_.forwarder->status().last_error, "");
}

TEST_F(ForwarderFailuresTest, AnOutageIsNoticedIdleOrNotAndCostsNothing) {
    log_.start(cluster_);
    log_.commit(100);
    log_.await(100);
    cluster_.down();
    log_.await(ForwarderState::unreachable); // with nothing in flight
    cluster_.up();
    log_.await(ForwarderState::running); // nor now
    cluster_.down();
    log_.await(ForwarderState::unreachable);
    log_.commit(1'000);
    cluster_.up();
    expect_all(1'100);
    log_.await(ForwarderState::running);
}

TEST_F(ForwarderFailuresTest, ABrokerThatDoesNotAnswerIsUnreachable) {
    log_.options.tuning.silence_max = std::chrono::milliseconds(200);
    log_.start(cluster_);
    log_.commit(1);
    log_.await(1);
    cluster_.round_trip(std::chrono::seconds(2));
    log_.commit(5);
    log_.await(ForwarderState::unreachable);
    cluster_.round_trip({});
    expect_all(6);
    log_.await(ForwarderState::running);
}

TEST_F(ForwarderFailuresTest, APartitionWithoutALeaderIsUnreachableWhileOthersGoOn) {
    MockCluster cluster;
    cluster.create("game-events", 2);
    ForwardedLog log(2);
    log.options.tuning.silence_max = std::chrono::milliseconds(300);
    log.start(cluster);
    for (int partition = 0; partition < 2; ++partition) {
        log.commit(1, partition);
        log.await(1, partition);
    }
    cluster.lead("game-events", 1, -1);
    log.commit(1, 1);
    log.await(ForwarderState::unreachable);
    log.commit(5, 0);
    log.await(6, 0);
    EXPECT_FALSE(log.forwarder->reachable()) << "not all of it is";
    cluster.lead("game-events", 1, 1);
    log.await(2, 1);
    log.await(ForwarderState::running);
}

TEST_F(ForwarderFailuresTest, WhatIsInFlightAtAStopIsWaitedForAndNotForLong) {
    log_.start(cluster_);
    log_.commit(1);
    log_.await(1);
    cluster_.round_trip(std::chrono::milliseconds(300));
    log_.commit(5);
    while (cluster_.watermarks("game-events", 0).second < 6) std::this_thread::yield(); // answered later
    log_.stop();
    EXPECT_EQ((**log_.checkpoint().read(1)).last[0], (Arrived{Offset{5}, 5})) << "the answer was waited for";

    log_.options.tuning.stop_wait = std::chrono::milliseconds(50);
    cluster_.round_trip({});
    log_.start(cluster_);
    log_.commit(1);
    log_.await(7);
    cluster_.round_trip(std::chrono::seconds(20));
    log_.commit(5);
    const auto before = std::chrono::steady_clock::now();
    log_.stop();
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
}

TEST_F(ForwarderFailuresTest, ACheckpointThatCannotBeReadIsRefusedUntilItCan) {
    std::filesystem::create_directories(log_.checkpoint_path()); // a directory where the file should be
    log_.start(cluster_);
    EXPECT_NE(log_.refusal().find(log_.checkpoint_path()), std::string::npos);
    std::filesystem::remove(log_.checkpoint_path());
    log_.commit(3);
    expect_all(3);
}

TEST_F(ForwarderFailuresTest, TooFewPartitionsAreRefusedUntilThereAreEnough) {
    MockCluster small;
    small.create("game-events", 1);
    ForwardedLog two(2);
    two.commit(3, 1);
    two.start(small);
    const std::string text = two.refusal();
    EXPECT_NE(text.find("has 1 partitions, and the log has 2"), std::string::npos) << text;
    EXPECT_NE(text.find("--partitions 2"), std::string::npos) << text;
}

TEST_F(ForwarderFailuresTest, RequestsThatAreTooLargeAreMadeSmaller) {
    log_.start(cluster_);
    log_.commit(1);
    log_.await(1);
    cluster_.answer_next(Api::produce, {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
    log_.commit(1);
    expect_all(2);
    log_.commit(50);
    expect_all(52);
    EXPECT_EQ(log_.forwarder->status().last_error, "");
}

TEST_F(ForwarderFailuresTest, RequestsAreTriedInFullSizeAgainByAnotherProducer) {
    log_.options.tuning.request_regrow = std::chrono::milliseconds(1'500);
    log_.start(cluster_);
    log_.commit(1);
    log_.await(1);
    cluster_.answer_next(Api::produce, {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
    log_.commit(1);
    log_.await(2); // by a producer with smaller requests; the next one does not get a number
    cluster_.answer_next(Api::init_producer_id, {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED});
    int events = 2;
    for (io::Clock& clock = log_.env().clock; log_.forwarder->state() != ForwarderState::refused && events < 3'000;
         ++events) {
        log_.commit(1);
        clock.sleep(std::chrono::milliseconds(10));
    }
    EXPECT_NE(log_.forwarder->status().last_error.find("Cluster authorization failed"), std::string::npos)
        << log_.forwarder->status().last_error;
    expect_all(events);
    log_.await(ForwarderState::running);
}

TEST_F(ForwarderFailuresTest, ARecordThatIsTooLargeIsNeitherSkippedNorSilent) {
    log_.start(cluster_);
    log_.commit(3);
    log_.await(3);
    const std::size_t smaller_and_smaller = 5;
    const std::size_t tried_again = 3;
    cluster_.answer_next(Api::produce,
                         std::vector(smaller_and_smaller + tried_again, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE));
    log_.commit(1);
    const std::string text = log_.refusal();
    EXPECT_NE(text.find("event 3 of partition 0"), std::string::npos) << text;
    EXPECT_NE(text.find("raise max.message.bytes of topic game-events"), std::string::npos) << text;
    log_.commit(2);
    while (true) {
        const bool reachable = log_.forwarder->reachable();
        if (log_.forwarder->acknowledged() != std::vector<Offset>{Offset{3}}) break;
        ASSERT_FALSE(reachable) << "before it has arrived";
    }
    expect_all(6); // the topic takes it now
    log_.await(ForwarderState::running);
}

TEST_F(ForwarderFailuresTest, WhatMayNotBeWrittenIsRefused) {
    log_.start(cluster_);
    log_.commit(1);
    log_.await(1);
    cluster_.answer_next(Api::produce, std::vector(1'000, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED));
    log_.commit(1);
    EXPECT_NE(log_.refusal().find("allow this client to write to topic game-events"), std::string::npos)
        << log_.refusal();
    cluster_.forget_answers(Api::produce);
    expect_all(2);
}

TEST_F(ForwarderFailuresTest, AfterALostSequenceAnotherProducerGoesOn) {
    log_.start(cluster_);
    log_.commit(3);
    log_.await(3);
    for (int i = 0; i < 8; ++i) {
        cluster_.answer_next(Api::produce, {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER});
        log_.commit(1); // of a second request the mock would not know that it does not follow
        log_.await(4 + i);
    }
    expect_all(11);
    EXPECT_EQ(log_.forwarder->status().last_error, "");
    cluster_.answer_next(Api::produce, std::vector(1'000, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER));
    log_.commit(1);
    EXPECT_NE(log_.refusal().find("6 producers failed in a row"), std::string::npos) << log_.refusal();
    cluster_.forget_answers(Api::produce);
    expect_all(12);
}

TEST_F(ForwarderFailuresTest, ATopicThatIsGoneIsRefusedAndNotMadeAnew) {
    log_.start(cluster_);
    log_.commit(3);
    log_.await(3);
    log_.stop();
    cluster_.answer_of_topic("game-events", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    log_.start(cluster_);
    EXPECT_NE(log_.refusal().find("there is no such topic"), std::string::npos) << log_.refusal();
}

TEST_F(ForwarderFailuresTest, ASettingThatBreaksAPromiseIsRefused) {
    ClientSettings settings = cluster_.settings();
    settings.properties = {{"enable.idempotence", "false"}};
    log_.start(settings);
    EXPECT_NE(log_.refusal().find("enable.idempotence"), std::string::npos) << log_.refusal();
}

TEST_F(ForwarderFailuresTest, OneRecordGoesAloneUntilItHasArrived) {
    cluster_.round_trip(std::chrono::milliseconds(50));
    log_.commit(1'000);
    log_.start(cluster_);
    log_.await(1);
    EXPECT_EQ(log_.first_end(), 1) << "a batch after one that is refused might be taken as the first";
    expect_all(1'000);
}

} // namespace
} // namespace questlog::kafka
