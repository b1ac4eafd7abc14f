// Offsets without a record, as compaction, transactions and expiry leave them behind: what lies behind them is read.
#include "kafka/raw_batch.h"
#include "kafka/topic_log_fixture.h"

#include <algorithm>
#include <random>

namespace questlog::kafka {
namespace {

class TopicGapsTest : public TopicLogTest {
protected:
    void put_batch(RawBatch& batch) { batch.put(cluster_, topic_name); }

    /// Gaps at the beginning, between batches and within them; it ends in markers.
    void put_with_gaps() {
        put_batch(RawBatch().gap(3).record("a").gap(2).record("b").record("c").gap(4)); // 0 to 11
        put_batch(RawBatch().marker());                                                 // 12
        put({of_others("d"), of_others("e")});                                          // 13, 14
        put_batch(RawBatch().marker().gap(9));                                          // 15 to 24
        put_batch(RawBatch().gap(1).record("f").gap(8));                                // 25 to 34
        put_batch(RawBatch().marker());                                                 // 35
        put_batch(RawBatch().marker());                                                 // 36
        records_ = {{3, "a"}, {6, "b"}, {7, "c"}, {13, "d"}, {14, "e"}, {26, "f"}};
    }
    [[nodiscard]] std::vector<FoundEvent> there(std::int64_t from, std::int64_t to) const {
        std::vector<FoundEvent> found;
        std::copy_if(records_.begin(), records_.end(), std::back_inserter(found),
                     [&](const FoundEvent& one) { return one.offset >= from && one.offset < to; });
        return found;
    }
    static constexpr std::int64_t gaps_end = 37;

private:
    std::vector<FoundEvent> records_;
};

TEST_F(TopicGapsTest, ATopicIsReadToItsEndWhateverIsMissing) {
    put_with_gaps();
    EXPECT_EQ(cluster_.watermarks(topic_name, 0), (std::pair<std::int64_t, std::int64_t>(0, gaps_end)));
    EXPECT_EQ(all(), there(0, gaps_end));
    as_they_lie_ = true;
    Addresses addresses;
    EXPECT_EQ(read_once(*open(), Offset{0}, Offset{gaps_end}, addresses).value(), there(0, gaps_end));
    put({of_others("behind the markers")});
    EXPECT_EQ(read_once(*open(), Offset{27}, Offset{gaps_end + 1}, addresses).value(),
              (std::vector<FoundEvent>{{gaps_end, "behind the markers"}}));
}

/// Whatever was read before: what is in the cache already changes where batches begin and end.
TEST_F(TopicGapsTest, ARangeMayBeginAndEndInAGap) {
    put_with_gaps();
    std::mt19937 chance(7); // NOLINT(cert-msc51-cpp): the same each time
    for (int round = 0; round < 8; ++round) {
        const auto reader = open();
        std::string before;
        for (int i = 0; i < 8; ++i) {
            std::int64_t from = std::uniform_int_distribution<std::int64_t>(0, gaps_end)(chance);
            std::int64_t to = std::uniform_int_distribution<std::int64_t>(0, gaps_end)(chance);
            if (to < from) std::swap(from, to);
            before += fmt::format(" {}..{}", from, to);
            SCOPED_TRACE(before);
            if (i % 2 == 0) {
                const auto found = read(*reader, Offset{from}, Offset{to});
                ASSERT_TRUE(found.ok()) << found.error().message;
                ASSERT_EQ(*found, there(from, to));
            }
            ASSERT_EQ(reader->partition(Partition{0}).events_between(Offset{from}, Offset{to}).value(),
                      std::ssize(there(from, to)));
        }
    }
}

TEST_F(TopicGapsTest, AGapBeforeWhatIsInTheCacheDoesNotEndTheReading) {
    put_with_gaps();
    const auto reader = open();
    EXPECT_EQ(read(*reader, Offset{26}, Offset{gaps_end}).value(), there(26, gaps_end));
    EXPECT_EQ(read(*reader, Offset{15}, Offset{gaps_end}).value(), there(15, gaps_end));
    EXPECT_EQ(reader->partition(Partition{0}).events_between(Offset{15}, Offset{gaps_end}).value(), 1);
}

TEST_F(TopicGapsTest, AGapLongerThanABatchCanBeIsPassedOver) {
    put({of_others("before")});
    for (int i = 0; i < 2; ++i) put_batch(RawBatch().marker().gap(1'999'999'999));
    put({of_others("behind")});
    const auto reader = open();
    const std::vector<FoundEvent> both{{0, "before"}, {4'000'000'001, "behind"}};
    EXPECT_EQ(read_all(*reader).value(), both);
    EXPECT_EQ(read_all(*reader).value(), both) << "from the cache";
    EXPECT_EQ(reader->partition(Partition{0}).events_between(Offset{0}, Offset{4'000'000'002}).value(), 2);
}

TEST_F(TopicGapsTest, WhatHasGoneFromTheCacheIsFoundAgainBehindGaps) {
    cache_bytes_max_ = 256 * 1024; // holds the last of several batches
    const std::string text(100, 'x');
    std::vector<FoundEvent> expected;
    std::int64_t next = 0;
    for (int batch = 0; batch < 10; ++batch) {
        RawBatch raw;
        for (int i = 0; i < 500; ++i) {
            raw.gap(3).record(fmt::format("{} {}", text, next + 3));
            expected.push_back({next + 3, fmt::format("{} {}", text, next + 3)});
            next += 4;
        }
        put_batch(raw);
        put_batch(RawBatch().marker());
        ++next;
    }
    EXPECT_EQ(all(), expected) << "each event's address leads to it: see read()";
}

TEST_F(TopicGapsTest, WhatIsThereTwiceIsReadOnceAcrossGaps) {
    put({from(0, "a"), from(1, "b")});
    put_batch(RawBatch().marker().gap(20));
    put_batch(RawBatch().record("b again", "log-a:0:1").gap(2).record("c", "log-a:0:2").gap(1));
    put_batch(RawBatch().marker());
    const std::vector<FoundEvent> once{{0, "a"}, {1, "b"}, {26, "c"}};
    EXPECT_EQ(all(), once);
    const auto reader = open();
    EXPECT_EQ(read(*reader, Offset{10}, Offset{29}).value(), (std::vector<FoundEvent>{{26, "c"}}));
    EXPECT_EQ(read_all(*reader).value(), once);
}

TEST_F(TopicGapsTest, WhatIsNotForwardedYetComesAfterTheLastMarker) {
    collect({{"a", "b", "c"}});
    put({from(0, "a", embedded_->find(topic_name).value().id)});
    put_batch(RawBatch().marker().gap(4));
    EXPECT_EQ(all(), (std::vector<FoundEvent>{{0, "a"}, {6, "b"}, {7, "c"}}));
}

class ExpiringTopicTest : public TopicGapsTest {
protected:
    /// As much as the mock keeps.
    void put_much() { put(std::vector<StoredRecord>(7, of_others(std::string(900'000, 'x')))); }
};

TEST_F(ExpiringTopicTest, WhatExpiresWhileItIsReadIsAnErrorAndNoEnd) {
    put({of_others("a"), of_others("b")});
    const auto reader = open();
    auto cursor = reader->partition(Partition{0}).read(Offset{0}, Offset{2}).value();
    put_much();
    ASSERT_GT(cluster_.watermarks(topic_name, 0).first, 2);
    log::Batch batch;
    const auto found = cursor->next(batch);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind, ErrorKind::reject);
    EXPECT_NE(found.error().message.find("it has expired"), std::string::npos) << found.error().message;
}

TEST_F(ExpiringTopicTest, AnAddressOfWhatHasExpiredLeadsToNothingElse) {
    cache_bytes_max_ = 1;
    put({of_others("a"), of_others("b")});
    const auto reader = open();
    Addresses addresses;
    EXPECT_EQ(read_once(*reader, Offset{0}, Offset{1}, addresses).value().size(), 1U);
    EXPECT_EQ(read_once(*reader, Offset{1}, Offset{2}, addresses).value().size(), 1U) << "the first has gone";
    put_much();
    const auto found = fetch(*reader, addresses);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind, ErrorKind::reject);
}

} // namespace
} // namespace questlog::kafka
