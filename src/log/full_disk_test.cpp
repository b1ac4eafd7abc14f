// A disk with little room, and with none: it is used to its last bytes, and what was taken is kept.
#include "log/segment_preparer.h"
#include "log/simulated_log.h"

namespace questlog::log {
namespace {

constexpr std::int64_t segment_bytes = 64 * 1024 * 1024;
constexpr std::int64_t disk_bytes = 3 * 1024 * 1024;

std::int64_t bytes_of_segments(const SimulatedLog& log) {
    std::int64_t bytes = 0;
    for (const auto& path : log.segments()) bytes += static_cast<std::int64_t>(log.sim.contents(path)->size());
    return bytes;
}

/// Commits until one is refused for want of room.
void fill(SimulatedLog& log, int events, std::size_t bytes_max) {
    while (true) {
        const auto status = log.commit(events, bytes_max);
        if (status.ok()) continue;
        ASSERT_EQ(status.error().kind, ErrorKind::retry_later) << status.error().message;
        return;
    }
}

TEST(AffordableBytes, HalvesToHalfOfWhatIsFreeAndNeverBelowTheLeast) {
    EXPECT_EQ(affordable_bytes(1024, 64, 1'000'000), 1024);
    EXPECT_EQ(affordable_bytes(1024, 64, 2048), 1024);
    EXPECT_EQ(affordable_bytes(1024, 64, 2047), 512);
    EXPECT_EQ(affordable_bytes(1024, 64, 300), 128);
    EXPECT_EQ(affordable_bytes(1024, 64, 0), 64);
    EXPECT_EQ(affordable_bytes(1024, 700, 10), 700);
    EXPECT_EQ(affordable_bytes(50, 700, 10'000), 700);
}

TEST(FullDisk, IsUsedToItsLastBytesAndTheLogClosesAndOpensOnIt) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SimulatedLog log(seed, segment_bytes);
        log.sim.limit_disk(disk_bytes);
        ASSERT_TRUE(log.open().ok());
        fill(log, 20, 1000);
        ASSERT_GT(log.acked, 3000U);
        for (int i = 0; i < 5; ++i) fill(log, 20, 1000); // a smaller batch may still fit
        log.expect_kept(fmt::format("seed {}, full", seed));

        const auto closed = log.close();
        ASSERT_TRUE(closed.ok()) << closed.error().message;
        const std::int64_t batch = 20 * 1050;
        EXPECT_GT(bytes_of_segments(log), disk_bytes - prepared_bytes_min - 2 * batch);
        for (const auto& name : log.sim.names(log.directory()))
            EXPECT_TRUE(name == "durable_end" || segment_base_of(name)) << name;

        log.recoveries.clear();
        ASSERT_TRUE(log.open().ok()) << "a full disk is no reason not to open";
        EXPECT_TRUE(log.recoveries.empty());
        fill(log, 20, 1000);
        log.expect_kept(fmt::format("seed {}, full and opened again", seed));
        log.sim.limit_disk(2 * disk_bytes);
        ASSERT_TRUE(log.commit(20, 1000).ok()) << "there is room again";
        fill(log, 20, 1000);
        log.power_cut();
        log.expect_kept(fmt::format("seed {}, after a power cut", seed));
        if (testing::Test::HasFailure()) return;
    }
}

TEST(FullDisk, RefusesAtOnceAndTakesASmallerBatchThatStillFits) {
    SimulatedLog log(3, segment_bytes);
    log.sim.limit_disk(disk_bytes);
    ASSERT_TRUE(log.open().ok());
    fill(log, 40, 2000);
    for (int i = 0; i < 10; ++i) {
        const auto before = log.sim.operations();
        EXPECT_EQ(log.commit(400, 2000).error().kind, ErrorKind::retry_later);
        EXPECT_LE(log.sim.operations() - before, 5) << "remove, ask, create, write, remove";
    }
    EXPECT_TRUE(log.commit(1, 10).ok()) << "the last segment has bytes left";
    log.expect_kept("full");
}

TEST(FullDisk, RecoveryNeedsNoSpace) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        SimulatedLog log(seed, segment_bytes);
        ASSERT_TRUE(log.open().ok());
        ASSERT_TRUE(log.commit(100, 1000).ok());
        ASSERT_TRUE(log.append(2).ok()); // above the durable end: recovery writes the segment anew
        log.crash();
        log.sim.limit_disk(0);
        log.expect_kept(fmt::format("seed {}", seed));
        ASSERT_EQ(log.shown, log.appended.size());
        ASSERT_TRUE(log.open().ok());
        EXPECT_EQ(log.commit(1).error().kind, ErrorKind::retry_later);
        log.sim.limit_disk(disk_bytes);
        ASSERT_TRUE(log.commit(1).ok());
    }
}

TEST(FullDisk, OnePartitionThatHasRoomLeftGoesOnBesideOneThatHasNone) {
    SimulatedLog log(7, segment_bytes, 2);
    ASSERT_TRUE(log.open().ok());
    BatchBuilder builder;
    std::int64_t taken = 0;
    const auto commit_elsewhere = [&]() -> Status {
        auto& partition = log.writer->partition(Partition{1});
        builder.begin(partition.next_offset());
        for (int i = 0; i < 10; ++i) builder.add(TimestampMs{1}, std::string(500, 'x'));
        CHECK_OK(partition.append(builder.seal()));
        CHECK_OK(partition.sync());
        taken += 10;
        return Status();
    };
    ASSERT_TRUE(commit_elsewhere().ok());
    log.sim.limit_disk(disk_bytes);
    fill(log, 20, 1000);
    Status elsewhere;
    while (elsewhere.ok()) elsewhere = commit_elsewhere();
    EXPECT_EQ(elsewhere.error().kind, ErrorKind::retry_later);
    EXPECT_GT(taken, 1500) << "the first MiB of the partition was its own";
    ASSERT_TRUE(log.close().ok());
    log.expect_kept("full");
    auto reader = open_reader(log.sim.env(), log.topics, log.topic);
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ(*(*reader)->partition(Partition{1}).end_offset(), Offset{taken});
}

/// As under a quota: the disk says that there is room, and a write finds none.
TEST(FullDisk, ASegmentThatTurnsOutTooLargeIsMadeSmaller) {
    constexpr std::int64_t first_write_of_a_roll = 3; // after: remove the old spare, ask what is free, create
    SimulatedLog log(1, 1024 * 1024);
    ASSERT_TRUE(log.open().ok());
    log.sim.fail_operation(first_write_of_a_roll, io::SimEnv::Fault::disk_full);
    ASSERT_TRUE(log.commit(1).ok());
    ASSERT_TRUE(log.sim.fault_happened());
    EXPECT_EQ(bytes_of_segments(log), 512 * 1024);
    log.expect_kept("half a segment");
}

/// As with a thousand idle connections under `ulimit -n 1024`: wherever in a roll the descriptors run out.
void use_up_descriptors(std::uint64_t seed, std::int64_t opens, int& refused) {
    const auto when = fmt::format("seed {}, {} opens", seed, opens);
    SimulatedLog log(seed, 4096);
    ASSERT_TRUE(log.open().ok());
    log.sim.limit_opens(opens);
    for (int i = 0; i < 20; ++i) {
        const auto status = log.commit(4, 500);
        if (status.ok()) continue;
        ++refused;
        ASSERT_EQ(status.error().kind, ErrorKind::retry_later) << when << ": " << status.error().message;
        EXPECT_NE(status.error().message.find("ulimit -n"), std::string::npos) << status.error().message;
    }
    log.sim.limit_opens(std::numeric_limits<std::int64_t>::max());
    if (seed % 3 == 0) {
        const auto closed = log.close();
        ASSERT_TRUE(closed.ok()) << when << ": " << closed.error().message;
        log.expect_kept(when + ", closed");
        ASSERT_TRUE(log.open().ok());
    }
    if (seed % 3 == 1) {
        ASSERT_TRUE(log.commit(4, 500).ok()) << when;
    }
    log.power_cut();
    log.expect_kept(when);
}

TEST(NoDescriptorLeft, AnAppendIsRefusedUntilThereIsOneAndNothingIsLost) {
    int refused = 0;
    for (std::uint64_t seed = 0; seed < 30; ++seed)
        for (std::int64_t opens = 0; opens < 12 && !HasFatalFailure(); ++opens)
            use_up_descriptors(seed, opens, refused);
    EXPECT_GT(refused, 1000);
}

} // namespace
} // namespace questlog::log
