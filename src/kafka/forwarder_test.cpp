// A log is forwarded: what arrives, in which order, and where it goes on after a stop.
#include "kafka/forwarded_log.h"
#include "kafka/raw_batch.h"

namespace questlog::kafka {
namespace {

TEST(ForwarderTest, ARecordArrivesAsItIsAndSaysWhereItComesFrom) {
    MockCluster cluster;
    cluster.create("game-events", 1);
    ForwardedLog log;
    log.commit(2);
    log.start(cluster);
    log.await(2);
    const auto records = cluster.read("game-events", 0);
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].value, ForwardedLog::value(0, 0));
    EXPECT_EQ(records[0].key, std::nullopt);
    EXPECT_EQ(records[0].timestamp_ms, 1'577'880'000'000);
    using Headers = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(records[0].headers, (Headers{{"questlog.origin", log.topic.id + ":0:0"}}));
    EXPECT_EQ(records[1].key, "key 1");
    EXPECT_EQ(records[1].timestamp_ms, 1'577'880'000'001);
    EXPECT_EQ(records[1].headers,
              (Headers{{"h", "1"}, {"second header", ""}, {"questlog.origin", log.topic.id + ":0:1"}}));
}

TEST(ForwarderTest, EachPartitionGoesToTheOneOfItsNumberInOrder) {
    MockCluster cluster;
    cluster.create("game-events", 5);
    ForwardedLog log(3);
    log.start(cluster);
    for (int i = 0; i < 30; ++i)
        for (int partition = 0; partition < 3; ++partition) log.commit(100 + partition, partition);
    for (int partition = 0; partition < 3; ++partition) {
        log.await(30 * (100 + partition), partition);
        const auto records = cluster.read("game-events", partition);
        EXPECT_EQ(log.taken(records), numbers(30 * (100 + partition)));
        EXPECT_EQ(records.size(), 30U * static_cast<unsigned>(100 + partition)) << "each once";
        for (const auto& record : records)
            ASSERT_TRUE(record.value.starts_with(fmt::format("{}:{} ", partition, record.offset)));
    }
    EXPECT_TRUE(cluster.read("game-events", 3).empty());
    const auto status = log.forwarder->status();
    EXPECT_EQ(status.lags, (std::vector<std::int64_t>{0, 0, 0}));
    EXPECT_EQ(status.text, "");
    EXPECT_TRUE(log.forwarder->reachable());
}

TEST(ForwarderTest, OrderHoldsWhereRequestsFailAndAreMadeAgain) {
    MockCluster cluster;
    cluster.create("game-events", 1);
    cluster.round_trip(std::chrono::milliseconds(2));
    ForwardedLog log;
    log.options.tuning.limits.batch_bytes_max = 20'000; // many requests, of which five are in flight
    log.start(cluster);
    log.commit(1);
    log.await(1);
    // Not by other errors: the mock would take the requests that are in flight after the one that failed.
    for (int i = 0; i < 6; ++i)
        cluster.answer_next(Api::produce, {RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR__TRANSPORT});
    for (int i = 0; i < 20; ++i) log.commit(500);
    log.await(10'001);
    EXPECT_EQ(log.taken(cluster.read("game-events", 0)), numbers(10'001));
}

TEST(ForwarderTest, ManyArriveAtOnceAndAreToldAtOnce) {
    MockCluster cluster;
    cluster.create("game-events", 1);
    ForwardedLog log;
    log.commit(20'000);
    log.start(cluster);
    log.await(20'000);
    EXPECT_LT(log.told(), 500);
    EXPECT_EQ(log.forwarder->acknowledged(), std::vector<Offset>{Offset{20'000}});
}

TEST(ForwarderTest, AQueueThatIsFullIsWaitedFor) {
    MockCluster cluster;
    cluster.create("game-events", 1);
    cluster.round_trip(std::chrono::milliseconds(5));
    ForwardedLog log;
    log.options.tuning.limits = {100, 32 * 1024, 4'000};
    log.commit(3'000);
    log.start(cluster);
    log.await(3'000);
    EXPECT_EQ(log.taken(cluster.read("game-events", 0)), numbers(3'000));
}

TEST(ForwarderTest, ALongBacklogOfOnePartitionDoesNotHoldUpAnother) {
    MockCluster cluster;
    cluster.create("game-events", 2);
    cluster.round_trip(std::chrono::milliseconds(5));
    ForwardedLog log(2);
    log.options.tuning.limits = {100, 32 * 1024, 4'000};
    log.commit(10'000, 0);
    log.commit(50, 1);
    log.start(cluster);
    log.await(50, 1);
    EXPECT_LT(log.forwarder->acknowledged()[0], Offset{5'000});
}

class ForwarderResumeTest : public testing::Test {
protected:
    ForwarderResumeTest() {
        cluster_.create("game-events", 2);
        log_.commit(50, 0);
        log_.commit(20, 1);
        run(50, 20);
    }

    /// Forwards until so many have arrived.
    void run(std::int64_t first, std::int64_t second) {
        log_.start(cluster_);
        log_.await(first, 0);
        log_.await(second, 1);
        log_.stop();
    }
    /// Each event lies there once: nothing was sent twice, and nothing left out.
    void expect_each_once(std::int64_t first, std::int64_t second) {
        for (int partition = 0; partition < 2; ++partition) {
            const auto records = cluster_.read("game-events", partition);
            const auto end = partition == 0 ? first : second;
            EXPECT_EQ(log_.taken(records), numbers(end)) << "partition " << partition;
            EXPECT_EQ(std::ssize(records) - others_, end) << "partition " << partition;
        }
    }
    /// Records of others, in each partition.
    void put_others() {
        for (int partition = 0; partition < 2; ++partition)
            cluster_.put("game-events", partition,
                         {{-1, 1, std::nullopt, "of another program", {}},
                          {-1, 1, std::nullopt, "of another log", {{origin_header, "another:0:1000"}}},
                          {-1,
                           1,
                           std::nullopt,
                           "of another partition",
                           {{origin_header, fmt::format("{}:7:1000", log_.topic.id)}}},
                          {-1, 1, std::nullopt, "of nobody", {{origin_header, "what?"}}}});
        others_ += 4;
    }

    MockCluster cluster_;
    ForwardedLog log_{2};
    std::ptrdiff_t others_ = 0;
};

TEST_F(ForwarderResumeTest, GoesOnAfterTheLastThatArrived) {
    const auto saved = std::move(log_.checkpoint().read(2)).value();
    ASSERT_TRUE(saved);
    EXPECT_EQ(saved->log_id, log_.topic.id);
    EXPECT_EQ(saved->last[0], (Arrived{Offset{49}, 49}));
    EXPECT_EQ(saved->last[1], (Arrived{Offset{19}, 19}));
    run(50, 20); // nothing is new
    log_.commit(1, 0);
    run(51, 20);
    log_.commit(5, 1);
    run(51, 25);
    expect_each_once(51, 25);
}

TEST_F(ForwarderResumeTest, WithoutACheckpointTheTopicTells) {
    put_others();
    log_.commit(5, 0);
    std::filesystem::remove(log_.checkpoint_path());
    run(55, 20);
    expect_each_once(55, 20);
    put_others();
    std::filesystem::remove(log_.checkpoint_path());
    log_.commit(5, 1);
    run(55, 25);
    expect_each_once(55, 25);
}

TEST_F(ForwarderResumeTest, WhatArrivedAndWasNotHeardOfIsNotSentAgain) {
    const auto early = std::move(log_.checkpoint().read(2)).value();
    put_others();
    log_.commit(30, 0);
    run(80, 20);
    ASSERT_TRUE(log_.checkpoint().write(*early).ok()); // as if the last reports had not come
    log_.commit(3, 0);
    run(83, 20);
    expect_each_once(83, 20);
    const auto saved = std::move(log_.checkpoint().read(2)).value();
    EXPECT_EQ(saved->last[0], (Arrived{Offset{82}, 86})) << "4 are of others";
}

TEST_F(ForwarderResumeTest, WhatHasExpiredInTheTopicIsNotMissed) {
    cluster_.put("game-events", 0, std::vector(7'000, StoredRecord{-1, 1, std::nullopt, std::string(1'000, 'x'), {}}));
    ASSERT_GT(cluster_.watermarks("game-events", 0).first, 50) << "the mock keeps 5 MB";
    log_.commit(5, 0);
    run(55, 20);
    const auto records = cluster_.read("game-events", 0);
    EXPECT_EQ(log_.taken(records), (std::vector<std::int64_t>{50, 51, 52, 53, 54}));
}

TEST_F(ForwarderResumeTest, ATopicThatEndsInAMarkerOfATransactionIsSeenToItsEnd) {
    std::int64_t events = 50;
    for (const bool has_checkpoint : {true, false}) {
        RawBatch().marker().gap(3).put(cluster_, "game-events");
        if (!has_checkpoint) std::filesystem::remove(log_.checkpoint_path());
        log_.commit(2, 0);
        events += 2;
        run(events, 20);
    }
    expect_each_once(events, 20);
    const auto saved = std::move(log_.checkpoint().read(2)).value();
    EXPECT_EQ(saved->last[0], (Arrived{Offset{53}, 61})) << "8 are no records";
}

TEST_F(ForwarderResumeTest, ALaterEventTellsTheTopicWhereTheLastKnownOneWasCompactedAway) {
    log_.commit(2, 0);
    const auto origin_of = [&](int event) { return fmt::format("{}:0:{}", log_.topic.id, event); };
    for (const int later : {50, 3, -1}) { // -1: none is ours
        MockCluster compacted;
        compacted.create("game-events", 2);
        RawBatch batch;
        batch.gap(50).record("of another program");
        if (later >= 0) batch.record(ForwardedLog::value(0, later), origin_of(later));
        batch.put(compacted, "game-events");
        ASSERT_TRUE(log_.checkpoint().write({log_.topic.id, {Arrived{Offset{49}, 49}, std::nullopt}}).ok());
        log_.start(compacted);
        if (later == 50) {
            log_.await(52, 0);
            EXPECT_EQ(log_.taken(compacted.read("game-events", 0)), (std::vector<std::int64_t>{50, 51}));
        } else {
            EXPECT_NE(log_.refusal().find("there is none at that offset"), std::string::npos) << log_.refusal();
        }
        log_.stop();
    }
}

TEST_F(ForwarderResumeTest, OfAnotherLogTheCheckpointSaysNothing) {
    ASSERT_TRUE(log_.checkpoint().write({"another", {Arrived{Offset{1'000}, 1'000}, std::nullopt}}).ok());
    log_.commit(3, 0);
    run(53, 20);
    expect_each_once(53, 20);
}

TEST_F(ForwarderResumeTest, AnotherTopicOfThatNameIsRefusedUntilTheCheckpointIsRemoved) {
    MockCluster another;
    another.create("game-events", 2);
    log_.start(another);
    const std::string empty = log_.refusal();
    EXPECT_NE(empty.find("topic game-events"), std::string::npos) << empty;
    EXPECT_NE(empty.find("event 49"), std::string::npos) << empty;
    EXPECT_NE(empty.find("partition 0"), std::string::npos) << empty;
    EXPECT_NE(empty.find("it ends at offset 0"), std::string::npos) << empty;
    EXPECT_NE(empty.find(log_.checkpoint_path()), std::string::npos) << empty;
    EXPECT_FALSE(log_.forwarder->reachable());

    std::vector<StoredRecord> longer(100, StoredRecord{-1, 1, std::nullopt, "of another program", {}});
    another.put("game-events", 0, longer);
    for (const auto deadline = std::chrono::steady_clock::now() + patience;
         log_.refusal().find("another record") == std::string::npos && std::chrono::steady_clock::now() < deadline;)
        std::this_thread::yield();
    EXPECT_NE(log_.refusal().find("it holds another record there"), std::string::npos) << log_.refusal();
    EXPECT_EQ(another.read("game-events", 0).size(), 100U) << "nothing was sent";

    std::filesystem::remove(log_.checkpoint_path());
    log_.await(50, 0);
    log_.await(20, 1);
    EXPECT_EQ(log_.taken(another.read("game-events", 0)), numbers(50));
}

TEST_F(ForwarderResumeTest, TheSameEventElsewhereInTheTopicIsRefused) {
    ASSERT_TRUE(log_.checkpoint().write({log_.topic.id, {Arrived{Offset{49}, 48}, std::nullopt}}).ok());
    log_.start(cluster_);
    EXPECT_NE(log_.refusal().find("it holds event 48 there"), std::string::npos) << log_.refusal();
}

TEST_F(ForwarderResumeTest, ADamagedCheckpointIsRefusedAndNamed) {
    std::filesystem::resize_file(log_.checkpoint_path(), 30);
    log_.start(cluster_);
    EXPECT_NE(log_.refusal().find(log_.checkpoint_path()), std::string::npos) << log_.refusal();
}

TEST_F(ForwarderResumeTest, ATopicThatKnowsMoreThanTheLogIsRefused) {
    cluster_.put("game-events", 1,
                 {{-1, 1, std::nullopt, "x", {{origin_header, fmt::format("{}:1:20", log_.topic.id)}}}});
    log_.start(cluster_);
    EXPECT_NE(log_.refusal().find("holds event 20 of partition 1"), std::string::npos) << log_.refusal();
}

TEST(ForwarderTest, WhatHadArrivedBeforeCountsWhileTheClusterIsDown) {
    MockCluster cluster;
    cluster.create("game-events", 1);
    ForwardedLog log;
    log.start(cluster);
    log.commit(10);
    log.await(10);
    log.stop();
    cluster.down();
    log.start(cluster);
    EXPECT_EQ(log.forwarder->acknowledged().front(), Offset{10}) << "at once: what is kept hangs on it";
    log.commit(3);
    log.await(ForwarderState::unreachable);
    EXPECT_EQ(log.forwarder->status().lags.front(), 3);
    cluster.up();
    log.await(13);
}

} // namespace
} // namespace questlog::kafka
