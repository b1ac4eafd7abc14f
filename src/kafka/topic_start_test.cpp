// Where a start goes on in a topic that does not have all of the log: docs/formats/kafka.md
#include "kafka/topic_start.h"

#include "kafka/mock_cluster.h"
#include "kafka/origin.h"
#include "kafka/raw_batch.h"
#include "log/simulated_log.h"

namespace questlog::kafka {
namespace {

/// Its first events were given up by a repair: it begins at 0 all the same.
class BeginsWithAHole final : public log::PartitionReader {
public:
    explicit BeginsWithAHole(log::PartitionReader& rest) : rest_(rest) {}
    [[nodiscard]] Partition partition() const override { return rest_.partition(); }
    Result<Offset> start_offset() override { return Offset{0}; }
    Result<Offset> end_offset() override { return rest_.end_offset(); }
    Result<std::int64_t> bytes() override { return rest_.bytes(); }
    Result<std::int64_t> bytes_below(Offset end) override { return rest_.bytes_below(end); }
    Result<std::unique_ptr<log::BatchCursor>> read(Offset from, Offset to) override {
        return rest_.read(std::max(from, *rest_.start_offset()), to);
    }
    Result<std::unique_ptr<log::RecordFetcher>> fetcher() override { return rest_.fetcher(); }

private:
    log::PartitionReader& rest_;
};

class TopicStartTest : public testing::Test {
protected:
    void SetUp() override {
        cluster_.create("game-events", 1);
        ASSERT_TRUE(log_.open().ok());
        for (int i = 0; i < 100; ++i) ASSERT_TRUE(log_.commit(5).ok());
        reader_ = std::move(log::open_reader(log_.sim.env(), log_.topics, log_.topic)).value();
        topic_ = {"game-events", 1, log_.topic.id, 1, "/data/kafka/game-events.forwarded"};
        consumer_ = std::move(Client::make(RD_KAFKA_CONSUMER, cluster_.settings(),
                                           {{"isolation.level", "read_uncommitted"},
                                            {"auto.offset.reset", "error"},
                                            {"enable.partition.eof", "true"},
                                            {"fetch.wait.max.ms", "10"}}))
                        .value();
    }

    [[nodiscard]] std::string ours(std::int64_t event) const { return fmt::format("{}:0:{}", topic_.log_id, event); }
    void put(const std::vector<std::string>& origins) {
        std::vector<StoredRecord> records;
        for (const std::string& origin : origins)
            records.push_back({-1, 1, std::nullopt, "x", {{origin_header, origin}}});
        cluster_.put("game-events", 0, records);
    }
    Result<Found> find(log::PartitionReader& reader, std::optional<Arrived> checkpoint = {}) {
        return find_end(*consumer_, topic_, reader, checkpoint, [] { return false; });
    }
    Result<Found> find() { return find(partition()); }
    log::PartitionReader& partition() { return reader_->partition(Partition{0}); }
    /// Where the log begins after some of it has expired.
    std::int64_t trim() {
        log::RetentionLimits limits;
        limits.bytes = 40'000;
        EXPECT_TRUE(log_.trim(limits, Offset{500}).ok());
        return partition().start_offset()->value;
    }
    void expect_next(const Result<Found>& found, std::int64_t next) {
        ASSERT_TRUE(found.ok()) << found.error().message;
        EXPECT_EQ(found->next, Offset{next});
    }
    void expect_mid_log(const Result<Found>& found, std::int64_t first, std::string_view cure) {
        ASSERT_FALSE(found.ok());
        const std::string& text = found.error().message;
        EXPECT_EQ(found.error().kind, ErrorKind::reject) << text;
        EXPECT_NE(text.find(fmt::format("partition 0 begins with event {}, and the log has earlier ones", first)),
                  std::string::npos)
            << text;
        EXPECT_NE(text.find(cure), std::string::npos) << text;
        EXPECT_EQ(text.find("after the last it has"), std::string::npos) << text;
    }

    MockCluster cluster_;
    log::SimulatedLog log_{5};
    std::unique_ptr<log::LogReader> reader_;
    ForwardedTopic topic_;
    std::unique_ptr<Client> consumer_;
};

TEST_F(TopicStartTest, ATopicThatBeginsInMidLogIsRefused) {
    put({ours(3), ours(4)});
    expect_mid_log(find(), 3, "Delete the topic");
}

TEST_F(TopicStartTest, RecordsOfOthersBeforeItAreNoneOfTheLog) {
    put({"no origin", "another:0:1000", fmt::format("{}:7:1000", topic_.log_id)});
    expect_next(find(), 0);
    put({ours(1)});
    expect_mid_log(find(), 1, "Delete the topic");
}

TEST_F(TopicStartTest, WithTheCheckpointOfAnotherTopicBothAreToldToGo) {
    const std::optional<Arrived> checkpoint = Arrived{Offset{2}, 2};
    put({ours(3)});
    expect_mid_log(find(partition(), checkpoint), 3, "delete this one, with all that it holds, and remove /data/kafka");
    put({"no origin", ours(4)});
    expect_mid_log(find(partition(), checkpoint), 3, "delete this one, with all that it holds, and remove /data/kafka");
}

TEST_F(TopicStartTest, AWholeTopicAtOtherOffsetsIsGoneOnWith) {
    put({"another:0:1000", ours(0), "another:0:1001", ours(1), ours(2), ours(1)});
    expect_next(find(), 3);
    const auto refused = find(partition(), Arrived{Offset{2}, 2});
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("else those after the last it has"), std::string::npos);
}

TEST_F(TopicStartTest, WhatMayHaveBeenCompactedAwayIsNotMissed) {
    RawBatch().record("x", "another:0:1000").gap(1).record("x", ours(3)).put(cluster_, "game-events");
    expect_next(find(), 4);
}

TEST_F(TopicStartTest, WhatMayHaveExpiredInTheTopicIsNotMissed) {
    cluster_.put("game-events", 0, std::vector(7'000, StoredRecord{-1, 1, std::nullopt, std::string(1'000, 'x'), {}}));
    ASSERT_GT(cluster_.watermarks("game-events", 0).first, 0) << "the mock keeps 5 MB";
    put({ours(3)});
    expect_next(find(), 4);
}

TEST_F(TopicStartTest, WhatHasExpiredInTheLogIsNotMissed) {
    const std::int64_t start = trim();
    ASSERT_GT(start, 2);
    put({ours(start)});
    expect_next(find(), start + 1);
    BeginsWithAHole given_up(partition());
    expect_next(find(given_up), start + 1);
}

TEST_F(TopicStartTest, WhatALogThatBeginsLaterStillHasIsMissed) {
    const std::int64_t start = trim();
    put({ours(start + 1)});
    expect_mid_log(find(), start + 1, "Delete the topic");
    BeginsWithAHole given_up(partition());
    expect_mid_log(find(given_up), start + 1, "Delete the topic");
}

} // namespace
} // namespace questlog::kafka
