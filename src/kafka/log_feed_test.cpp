#include "kafka/log_feed.h"

#include "log/simulated_log.h"

namespace questlog::kafka {
namespace {

/// Sees what a feed asks of a partition.
class WatchedPartition final : public log::PartitionReader {
public:
    explicit WatchedPartition(log::PartitionReader& reader) : reader_(reader) {}

    [[nodiscard]] Partition partition() const override { return reader_.partition(); }
    Result<Offset> start_offset() override { return reader_.start_offset(); }
    Result<Offset> end_offset() override { return reader_.end_offset(); }
    Result<std::int64_t> bytes() override { return reader_.bytes(); }
    Result<std::int64_t> bytes_below(Offset end) override { return reader_.bytes_below(end); }
    Result<std::unique_ptr<log::BatchCursor>> read(Offset from, Offset to) override {
        EXPECT_LE(to, durable) << "a power cut may take what Kafka has";
        return reader_.read(from, to);
    }
    Result<std::unique_ptr<log::RecordFetcher>> fetcher() override { return reader_.fetcher(); }
    Status make_durable(Offset to) override {
        durable = to;
        return reader_.make_durable(to);
    }

    Offset durable;

private:
    log::PartitionReader& reader_;
};

class LogFeedTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(log_.open().ok());
        reader_ = std::move(log::open_reader(log_.sim.env(), log_.topics, log_.topic)).value();
        partition_ = std::make_unique<WatchedPartition>(reader_->partition(Partition{0}));
    }

    /// Takes what there is, and checks each value; the offset after the last one.
    std::int64_t take_all(LogFeed& feed, std::int64_t next) {
        while (true) {
            const auto record = feed.peek();
            EXPECT_TRUE(record.ok()) << record.error().message;
            if (!record.ok() || *record == nullptr) return next;
            EXPECT_EQ((*record)->offset.value, next);
            EXPECT_EQ((*record)->value, log_.appended[static_cast<std::size_t>(next)]);
            ++next;
            feed.take();
        }
    }

    log::SimulatedLog log_{5};
    std::unique_ptr<log::LogReader> reader_;
    std::unique_ptr<WatchedPartition> partition_;
};

TEST_F(LogFeedTest, GivesEachEventOnceOverSegmentsAndCommits) {
    LogFeed feed(*partition_, Offset{0});
    EXPECT_EQ(take_all(feed, 0), 0);
    std::int64_t next = 0;
    for (int i = 0; i < 100; ++i) {
        ASSERT_TRUE(log_.commit(1 + i % 7).ok());
        if (i % 3 == 0) next = take_all(feed, next);
    }
    EXPECT_EQ(take_all(feed, next), std::ssize(log_.appended));
    EXPECT_GT(log_.segments().size(), 3U);
    EXPECT_FALSE(feed.expired());
}

TEST_F(LogFeedTest, BeginsInTheMiddleOfABatchAndWaitsWithWhatWasNotTaken) {
    ASSERT_TRUE(log_.commit(10).ok());
    LogFeed feed(*partition_, Offset{4});
    for (int i = 0; i < 3; ++i) EXPECT_EQ((**feed.peek()).offset, Offset{4});
    EXPECT_EQ(take_all(feed, 4), 10);
}

TEST_F(LogFeedTest, TellsOnceOfWhatExpiredBeforeItWasTaken) {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(log_.commit(5).ok());
    LogFeed feed(*partition_, Offset{2});
    log::RetentionLimits limits;
    limits.bytes = 40'000;
    ASSERT_TRUE(log_.trim(limits, Offset{500}).ok());
    const std::int64_t start = partition_->start_offset()->value;
    ASSERT_GT(start, 2);
    EXPECT_EQ(take_all(feed, start), 500);
    EXPECT_EQ(feed.expired(), (OffsetSpan{Offset{2}, Offset{start}}));
    EXPECT_FALSE(feed.expired());
}

} // namespace
} // namespace questlog::kafka
