// Plans and rows over the segment log itself, on a simulated machine: many segments, a live writer, readers on threads.
#include "io/sim_env.h"
#include "log/event_log.h"
#include "scan/plan.h"
#include "scan/query_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <thread>

namespace questlog::scan {
namespace {

using testing::Rows;
using testing::rows_of;

/// On a log without compression, and with each one that we write.
class SegmentLogTest : public ::testing::TestWithParam<Compression> {
protected:
    SegmentLogTest() {
        auto topic = topics_.create("game-events", {2, {}}).value();
        topic.segment_bytes = 16 * 1024; // smaller than a topic can ask for, so that segments roll often
        log::WriterOptions options;
        options.prepare_segments_in_background = false;
        options.compression = GetParam();
        writer_ = log::open_writer(sim_.env(), topics_, topic, options).value();
        reader_ = log::open_reader(sim_.env(), topics_, topic).value();
    }

    /// Commits `count` events that number themselves on; every third is a join_guild.
    void commit(std::int32_t partition, int count) {
        auto& writer = writer_->partition(Partition{partition});
        builder_.begin(writer.next_offset());
        for (int i = 0; i < count; ++i) {
            const auto n = writer.next_offset().value + i;
            builder_.add(TimestampMs{1'795'384'733'873 + n},
                         fmt::format(R"({{"event_type": "{}", "n": {}, "text": "{}"}})",
                                     n % 3 == 0 ? "join_guild" : "purchase_sword", n,
                                     std::string(static_cast<std::size_t>(n % 90), 'x')));
        }
        ASSERT_TRUE(writer.append(builder_.seal()).ok());
        ASSERT_TRUE(writer.sync().ok());
    }
    LogRange all() {
        LogRange range;
        for (const Partition partition : {Partition{0}, Partition{1}})
            range.push_back({partition, Offset{0}, reader_->partition(partition).end_offset().value()});
        return range;
    }

    io::SimEnv sim_{1};
    log::Topics topics_{sim_.env(), "/data/log"};
    log::BatchBuilder builder_;
    std::unique_ptr<log::LogWriter> writer_;
    std::unique_ptr<log::LogReader> reader_;
    std::shared_ptr<duck::Database> database_ = duck::Database::open({}).value();
};

INSTANTIATE_TEST_SUITE_P(Compressions, SegmentLogTest,
                         ::testing::Values(Compression::none, Compression::lz4, Compression::zstd));

TEST_P(SegmentLogTest, RowsComeFromEverySegmentInOrder) {
    for (int i = 0; i < 60; ++i) commit(i % 2, 1 + i % 40);
    const auto plan = Plan::make(*reader_, all(), {}).value();
    const auto connection = database_->connect().value();
    ASSERT_TRUE(connection->offer("rows", plan->rows(std::nullopt, plan->schema(std::nullopt))).ok());
    ASSERT_TRUE(connection->offer("events", events_source({{reader_.get(), all()}})).ok());
    const std::string events = std::to_string(plan->tally().events);
    EXPECT_EQ(rows_of(*connection,
                      "SELECT count(*), count(*) FILTER (WHERE _offset = n AND length(text) = n % 90) FROM rows"),
              (Rows{{events, events}}));
    EXPECT_EQ(
        rows_of(*connection, "SELECT _partition, _offset, event_type, timestamp FROM rows"),
        rows_of(*connection,
                "SELECT partition, \"offset\", event_type, rtrim(rtrim(strftime(timestamp, '%Y-%m-%d %H:%M:%S.%g'), "
                "'0'), '.') FROM events"));
}

TEST_P(SegmentLogTest, APlanStaysAsItWasWhileTheLogGrows) {
    commit(0, 10);
    const auto plan = Plan::make(*reader_, all(), {}).value();
    const auto connection = database_->connect().value();
    ASSERT_TRUE(connection->offer("rows", plan->rows(std::nullopt, plan->schema(std::nullopt))).ok());
    for (int i = 0; i < 20; ++i) commit(0, 40);
    EXPECT_EQ(rows_of(*connection, "SELECT count(*), max(n) FROM rows"), (Rows{{"10", "9"}}));
}

TEST_P(SegmentLogTest, OnePlanIsReadByManyThreads) {
    for (int i = 0; i < 40; ++i) commit(i % 2, 30);
    const auto plan = Plan::make(*reader_, all(), {}).value();
    std::vector<std::thread> threads;
    for (const std::string type : {"join_guild", "purchase_sword", "join_guild", "purchase_sword"})
        threads.emplace_back([&, type] {
            const auto connection = database_->connect().value();
            const std::optional<std::vector<std::string>> types{{type}};
            ASSERT_TRUE(connection->offer("rows", plan->rows(types, plan->schema(types))).ok());
            const std::string expected = std::to_string(plan->events(types));
            EXPECT_EQ(rows_of(*connection,
                              "SELECT count(*), count(*) FILTER (WHERE _offset = n) FROM rows WHERE event_type = '" +
                                  type + "'"),
                      (Rows{{expected, expected}}));
        });
    for (std::thread& thread : threads) thread.join();
}

} // namespace
} // namespace questlog::scan
