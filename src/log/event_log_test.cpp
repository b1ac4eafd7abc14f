// What writers and readers promise, one promise a test.
#include "log/simulated_log.h"

#include "base/big_endian.h"
#include "base/crc32c.h"

namespace questlog::log {
namespace {

class EventLogTest : public testing::Test {
protected:
    void SetUp() override { ASSERT_TRUE(log_.open().ok()); }

    std::unique_ptr<LogReader> reader() {
        auto opened = open_reader(log_.sim.env(), log_.topics, log_.topic);
        EXPECT_TRUE(opened.ok()) << opened.error().message;
        return std::move(opened).value();
    }

    SimulatedLog log_{11};
};

TEST_F(EventLogTest, AppendedIsNotVisibleAndSyncedIs) {
    auto open = reader();
    auto& partition = open->partition(Partition{0});
    ASSERT_TRUE(log_.append(3).ok());
    EXPECT_EQ(*partition.end_offset(), Offset{0});
    EXPECT_EQ(log_.writer->partition(Partition{0}).next_offset(), Offset{3});
    ASSERT_TRUE(log_.sync().ok());
    EXPECT_EQ(*partition.end_offset(), Offset{3});
    EXPECT_EQ(partition.read(Offset{0}, Offset{4}).error().kind, ErrorKind::internal) << "no one reads beyond the end";
}

TEST_F(EventLogTest, SegmentsRollAndReadBackInOrder) {
    for (int i = 0; i < 60; ++i) ASSERT_TRUE(log_.commit(10).ok());
    EXPECT_GT(log_.segments().size(), 5U);
    log_.expect_kept("with the writer up");
    ASSERT_TRUE(log_.close().ok());
    log_.expect_kept("with the writer down");
    std::int64_t bytes = 0;
    for (const auto& path : log_.segments()) bytes += static_cast<std::int64_t>(log_.sim.contents(path)->size());
    EXPECT_EQ(*reader()->partition(Partition{0}).bytes(), bytes) << "closed segments hold batches and nothing else";
}

TEST_F(EventLogTest, ABatchLargerThanASegmentGetsOneOfItsOwn) {
    ASSERT_TRUE(log_.commit(1).ok());
    ASSERT_TRUE(log_.commit(200, 2000).ok());
    ASSERT_TRUE(log_.commit(1).ok());
    EXPECT_EQ(log_.segments().size(), 3U);
    log_.expect_kept("a long batch");
}

TEST_F(EventLogTest, ACleanStopLeavesNoZerosNoTemporariesAndNothingToRecover) {
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(log_.commit(5).ok());
    ASSERT_TRUE(log_.close().ok());
    for (const auto& name : log_.sim.names(log_.directory()))
        EXPECT_TRUE(name == "durable_end" || segment_base_of(name)) << name;
    log_.recoveries.clear();
    const auto before = log_.sim.contents(log_.segments().back());
    ASSERT_TRUE(log_.open().ok());
    EXPECT_TRUE(log_.recoveries.empty());
    EXPECT_EQ(log_.writer->partition(Partition{0}).next_offset(), Offset{100});
    EXPECT_EQ(log_.sim.contents(log_.segments().back())->substr(0, before->size()), *before);
}

TEST_F(EventLogTest, TheNextWriterKnowsTheGreatestTimestamp) {
    EXPECT_EQ(log_.writer->partition(Partition{0}).max_timestamp(), TimestampMs{-1});
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(log_.commit(5, 1000).ok());
    const auto greatest = log_.writer->partition(Partition{0}).max_timestamp();
    EXPECT_GT(greatest.value, 0);
    ASSERT_TRUE(log_.close().ok());
    ASSERT_TRUE(log_.open().ok());
    EXPECT_EQ(log_.writer->partition(Partition{0}).max_timestamp(), greatest);
}

TEST_F(EventLogTest, OneWriterAtATimeAndTheRefusalSaysSo) {
    const auto second = open_writer(log_.sim.env(), log_.topics, log_.topic, {});
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().kind, ErrorKind::retry_later);
    EXPECT_NE(second.error().message.find("game-events"), std::string::npos);
    ASSERT_TRUE(log_.commit(1).ok()) << "the first goes on";
}

TEST_F(EventLogTest, AppendRefusesWhatDoesNotFollow) {
    BatchBuilder builder;
    builder.begin(Offset{5});
    builder.add(TimestampMs{1}, "value");
    EXPECT_EQ(log_.writer->partition(Partition{0}).append(builder.seal()).error().kind, ErrorKind::internal);
    EXPECT_FALSE(log_.writer->partition(Partition{0}).append({}).ok());
    ASSERT_TRUE(log_.commit(1).ok()) << "a refused batch does no harm";
    log_.expect_kept("after a refused batch");
}

TEST_F(EventLogTest, AfterAFailedSyncNothingIsTakenAndNothingShown) {
    ASSERT_TRUE(log_.commit(2).ok());
    ASSERT_TRUE(log_.append(2).ok());
    log_.sim.fail_operation(0, io::SimEnv::Fault::io_error);
    EXPECT_EQ(log_.sync().error().kind, ErrorKind::internal);
    EXPECT_EQ(log_.sync().error().kind, ErrorKind::internal) << "a retry must not succeed";
    EXPECT_FALSE(log_.append(1).ok());
    EXPECT_FALSE(log_.writer->close().ok());
    EXPECT_EQ(*reader()->partition(Partition{0}).end_offset(), Offset{2});
}

TEST_F(EventLogTest, AnyRangeIsReadFromTheBatchThatHoldsItsStart) {
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(log_.commit(7, 700).ok());
    auto open = reader();
    auto& partition = open->partition(Partition{0});
    for (const auto& [from, to] :
         {std::pair{0, 350}, {0, 0}, {350, 350}, {3, 4}, {6, 7}, {7, 8}, {100, 300}, {344, 350}, {13, 29}}) {
        auto cursor = std::move(partition.read(Offset{from}, Offset{to})).value();
        Batch batch;
        std::int64_t next = from / 7 * 7;
        while (*cursor->next(batch)) {
            ASSERT_EQ(batch.header.base_offset, Offset{next}) << from << ".." << to;
            ASSERT_LT(next, to);
            next = batch.header.end_offset().value;
        }
        ASSERT_TRUE(from == to || next >= to) << from << ".." << to;
        ASSERT_LT(next, to + 7);
    }
    EXPECT_EQ(partition.read(Offset{-1}, Offset{1}).error().kind, ErrorKind::reject);
}

TEST_F(EventLogTest, RecordsAreFetchedAgainByAddressInAnyOrder) {
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(log_.commit(20, 500).ok());
    auto open = reader();
    auto& partition = open->partition(Partition{0});
    std::vector<std::pair<BatchAddress, std::uint32_t>> addresses;
    auto cursor = std::move(partition.read(Offset{0}, *partition.end_offset())).value();
    Batch batch;
    while (*cursor->next(batch)) {
        RecordCursor records(batch.header, batch.records);
        Record record;
        auto position = records.position();
        while (*records.next(record)) {
            addresses.emplace_back(batch.address(), position);
            position = records.position();
        }
    }
    ASSERT_EQ(addresses.size(), log_.appended.size());
    auto fetcher = std::move(partition.fetcher()).value();
    const auto expect_record = [&](std::size_t i) {
        const auto record = fetcher->fetch(addresses[i].first, addresses[i].second);
        ASSERT_TRUE(record.ok()) << record.error().message;
        ASSERT_EQ(record->value, log_.appended[i]);
        ASSERT_EQ(record->offset, Offset{static_cast<std::int64_t>(i)});
    };
    for (std::size_t stride : {1U, 2U, 7U, 97U, 400U})
        for (std::size_t i = 0; i < addresses.size(); i += stride) expect_record(i);
    for (std::size_t i = addresses.size(); i-- > 0;) expect_record(i);
}

TEST_F(EventLogTest, AFetcherThatReadAheadSeesLaterEventsWhole) {
    ASSERT_TRUE(log_.commit(1, 10).ok());
    auto open = reader();
    auto& partition = open->partition(Partition{0});
    auto fetcher = std::move(partition.fetcher()).value();
    std::int64_t records_at = batch_header_bytes;
    for (int i = 0; i < 30; ++i) { // each window holds zeros where the next event will stand
        const auto record = fetcher->fetch({0, false, records_at, Offset{i}, TimestampMs{0}}, 0);
        ASSERT_TRUE(record.ok()) << record.error().message;
        ASSERT_EQ(record->value, log_.appended[static_cast<std::size_t>(i)]);
        records_at = *partition.bytes() + static_cast<std::int64_t>(batch_header_bytes);
        ASSERT_TRUE(log_.commit(1, 10).ok());
    }
    EXPECT_FALSE(fetcher->fetch({0, false, records_at, Offset{31}, TimestampMs{0}}, 0).ok())
        << "beyond the durable end";
}

TEST_F(EventLogTest, AReaderLivesThroughCrashRecoveryAndRolls) {
    auto open = reader();
    for (int life = 0; life < 12; ++life) {
        for (int i = 0; i < 4; ++i) ASSERT_TRUE(log_.commit(5).ok());
        const auto seen = log_.read_all(*open);
        ASSERT_TRUE(seen.ok()) << "life " << life << ": " << seen.error().message;
        ASSERT_EQ(*seen, log_.appended);
        ASSERT_TRUE(log_.append(2).ok()); // whole above the durable end: the next writer writes it again
        log_.writer.reset();              // dies; this process and its reader live on
        ASSERT_TRUE(log_.open().ok());
        log_.acked = log_.appended.size();
    }
    EXPECT_EQ(*log_.read_all(*open), log_.appended);
}

TEST_F(EventLogTest, WithoutAWriterAReaderRecoversOnce) {
    ASSERT_TRUE(log_.commit(3).ok());
    ASSERT_TRUE(log_.append(2).ok());
    log_.crash();
    EXPECT_EQ(log_.read_all()->size(), 5U) << "the whole batch above the durable end was kept";
    const auto operations = log_.sim.operations();
    EXPECT_EQ(log_.read_all()->size(), 5U);
    const auto clean_read = log_.sim.operations() - operations;
    EXPECT_LT(clean_read, 24) << "a log that is marked as closed is not recovered again";
    ASSERT_TRUE(log_.open().ok());
    EXPECT_TRUE(log_.recoveries.empty());
}

TEST_F(EventLogTest, AReaderWaitsForARecoveryUnderWay) {
    ASSERT_TRUE(log_.close().ok());
    auto files = &log_.sim.env().files;
    const auto path = lock_file("/data/log", "game-events");
    auto recovering = files->lock(path, recovery_slot, io::Files::Share::exclusive, {});
    ASSERT_TRUE(recovering.ok());
    EXPECT_EQ(open_reader(log_.sim.env(), log_.topics, log_.topic).error().kind, ErrorKind::retry_later);
    recovering->reset();
    EXPECT_TRUE(open_reader(log_.sim.env(), log_.topics, log_.topic).ok());
}

TEST_F(EventLogTest, WaitingEndsWithAnEventOrItsLimit) {
    auto open = reader();
    const std::vector<Offset> none{Offset{0}};
    const auto before = log_.sim.env().clock.monotonic();
    EXPECT_FALSE(*open->wait_beyond(none, std::chrono::milliseconds{500}));
    EXPECT_EQ(log_.sim.env().clock.monotonic() - before, std::chrono::milliseconds{500});
    ASSERT_TRUE(log_.commit(1).ok());
    EXPECT_TRUE(*open->wait_beyond(none, std::chrono::milliseconds{0}));
    EXPECT_FALSE(open->wait_beyond({}, std::chrono::milliseconds{0}).ok()) << "one end for each partition";
}

TEST(EventLogPartitions, AreWrittenReadAndRecoveredEachForItself) {
    SimulatedLog log(5, 16 * 1024, 3);
    ASSERT_TRUE(log.open().ok());
    BatchBuilder builder;
    const auto commit = [&](std::int32_t partition, int times) {
        auto& writer = log.writer->partition(Partition{partition});
        for (int i = 0; i < times; ++i) {
            builder.begin(writer.next_offset());
            builder.add(TimestampMs{1}, fmt::format("partition {}", partition));
            ASSERT_TRUE(writer.append(builder.seal()).ok() && writer.sync().ok());
        }
    };
    commit(0, 1);
    commit(2, 300);
    log.power_cut();
    auto reader = open_reader(log.sim.env(), log.topics, log.topic);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(*(*reader)->partition(Partition{0}).end_offset(), Offset{1});
    EXPECT_EQ(*(*reader)->partition(Partition{1}).end_offset(), Offset{0});
    EXPECT_EQ(*(*reader)->partition(Partition{1}).bytes(), 0);
    EXPECT_EQ(*(*reader)->partition(Partition{2}).end_offset(), Offset{300});
    const std::vector<Offset> ends{Offset{1}, Offset{0}, Offset{299}};
    EXPECT_TRUE(*(*reader)->wait_beyond(ends, std::chrono::milliseconds{0}));
}

} // namespace
} // namespace questlog::log
