// What is told of a log without reading it, and what a reader asks before it believes that the log was closed cleanly.
#include "log/segment_check.h"
#include "log/segment_walk.h"
#include "log/simulated_log.h"

namespace questlog::log {
namespace {

/// Four segments and more, closed.
std::unique_ptr<SimulatedLog> make_closed_log() {
    auto log = std::make_unique<SimulatedLog>(5, 8192);
    EXPECT_TRUE(log->open().ok());
    for (int i = 0; i < 60; ++i) EXPECT_TRUE(log->commit(3, 400).ok());
    EXPECT_TRUE(log->close().ok());
    EXPECT_GE(log->segments().size(), 4U);
    return log;
}

Status check(SimulatedLog& log, std::optional<Offset> durable_end = std::nullopt) {
    return check_segments(log.sim.env(), log.topics, log.topic, Partition{0}, [&]() -> Result<Offset> {
        return durable_end.value_or(Offset{static_cast<std::int64_t>(log.appended.size())});
    });
}

void expect_damage(const Status& status, const std::string& names) {
    ASSERT_FALSE(status.ok()) << names;
    EXPECT_EQ(status.error().kind, ErrorKind::corrupt);
    EXPECT_NE(status.error().message.find(names), std::string::npos) << status.error().message;
    EXPECT_NE(status.error().message.find("from a backup"), std::string::npos) << status.error().message;
}

TEST(SegmentCheck, ASoundLogPassesClosedAndWithItsWriterUp) {
    auto log = make_closed_log();
    EXPECT_TRUE(check(*log).ok());
    ASSERT_TRUE(log->open().ok());
    for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(log->commit(3, 400).ok());
        const auto checked = check(*log);
        ASSERT_TRUE(checked.ok()) << checked.error().message;
    }
    SimulatedLog empty(1);
    EXPECT_TRUE(check(empty).ok());
}

TEST(SegmentCheck, ASegmentThatIsBegunBetweenTwoLooksIsNoDamage) {
    for (const std::size_t segments_before : {std::size_t{0}, std::size_t{1}}) {
        SimulatedLog log(1);
        ASSERT_TRUE(log.open().ok());
        while (log.segments().size() < segments_before) ASSERT_TRUE(log.commit(3, 400).ok());
        const auto end = [&] { return Offset{static_cast<std::int64_t>(log.appended.size())}; };
        bool asked = false;
        const auto checked =
            check_segments(log.sim.env(), log.topics, log.topic, Partition{0}, [&]() -> Result<Offset> {
                const Offset before = end();
                while (!asked && log.segments().size() == segments_before)
                    if (const auto committed = log.commit(3, 400); !committed.ok()) return committed.error();
                return std::exchange(asked, true) ? end() : before;
            });
        EXPECT_TRUE(checked.ok()) << checked.error().message;
        EXPECT_GT(log.segments().size(), segments_before);
    }
}

TEST(SegmentCheck, AMissingSegmentIsNamed) {
    const auto paths = make_closed_log()->segments();
    for (std::size_t i = 0; i + 1 < paths.size(); ++i) {
        auto log = make_closed_log();
        log->sim.remove(paths[i]);
        expect_damage(check(*log), paths[i] + " is missing");
    }
    auto log = make_closed_log();
    for (const auto& path : paths) log->sim.remove(path);
    expect_damage(check(*log), "has no segment");
}

TEST(SegmentCheck, ASegmentCutShortOrDamagedAtEitherEndIsNamed) {
    const auto paths = make_closed_log()->segments();
    for (std::size_t i = 0; i + 1 < paths.size(); ++i) {
        const auto size = static_cast<std::int64_t>(make_closed_log()->sim.contents(paths[i])->size());
        for (const std::int64_t cut : {std::int64_t{0}, std::int64_t{60}, size / 2, size - 1}) {
            auto log = make_closed_log();
            log->sim.shorten(paths[i], cut);
            expect_damage(check(*log), paths[i]);
        }
        for (const std::int64_t byte : {std::int64_t{7}, std::int64_t{16}, size - 1, size - 30}) {
            auto log = make_closed_log();
            log->sim.flip_bit(paths[i], byte, 1);
            expect_damage(check(*log), paths[i]);
        }
    }
    auto log = make_closed_log();
    log->sim.flip_bit(paths.back(), 16, 1);
    expect_damage(check(*log), paths.back());
}

TEST(SegmentCheck, SegmentsOfAnotherLogOrMomentAreNamed) {
    auto log = make_closed_log();
    const auto paths = log->segments();
    const auto stranger = segment_file(log->directory(), Offset{9999});
    log->sim.put(stranger, *log->sim.contents(paths[1]));
    expect_damage(check(*log), "is missing"); // as seen from the one before it
    EXPECT_FALSE(check(*log, Offset{10'000}).ok());
    log = make_closed_log();
    log->sim.put(paths[1], *log->sim.contents(paths[2]));
    expect_damage(check(*log), paths[1] + " is damaged at byte 0");
    expect_damage(check(*make_closed_log(), Offset{3}), "not of the same moment");
}

TEST(SegmentCheck, ReadsLittleOfMuch) {
    SimulatedLog log(1, 64 * 1024 * 1024);
    ASSERT_TRUE(log.open().ok());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(log.commit(100, 2000).ok());
    ASSERT_TRUE(log.close().ok());
    const auto before = log.sim.operations();
    ASSERT_TRUE(check(log).ok());
    EXPECT_LE(log.sim.operations() - before, 12) << "of 64 KiB at most";
}

TEST(LastBatch, IsFoundHoweverLongItIs) {
    for (const std::size_t bytes : {10U, 70'000U, 600'000U, 5'000'000U}) {
        SimulatedLog log(1, 64 * 1024 * 1024);
        ASSERT_TRUE(log.open().ok());
        ASSERT_TRUE(log.commit(3).ok());
        BatchBuilder builder;
        builder.begin(Offset{3});
        builder.add(TimestampMs{1}, std::string(bytes, '\2'));
        auto& partition = log.writer->partition(Partition{0});
        ASSERT_TRUE(partition.append(builder.seal()).ok());
        ASSERT_TRUE(log.writer->close().ok());
        auto file = std::move(log.sim.env().files.open(log.segments().back(), io::Open::read)).value();
        const auto last = find_last_batch(*file, Offset{4});
        ASSERT_TRUE(last.ok() && *last) << bytes;
        EXPECT_EQ((*last)->base_offset, Offset{3});
        EXPECT_EQ((*last)->end_offset(), Offset{4});
    }
}

TEST(LastBatch, IsNotABatchThatAnEventHolds) {
    SimulatedLog log(1, 64 * 1024);
    ASSERT_TRUE(log.open().ok());
    ASSERT_TRUE(log.commit(7).ok());
    // The header count of the record around it, 0, is the file's last byte: the forged batch ends in it.
    BatchBuilder forged;
    forged.begin(Offset{7000});
    forged.add(TimestampMs{1}, "x");
    const auto inner = forged.seal();
    ASSERT_EQ(inner.back(), std::byte{0});
    BatchBuilder builder;
    builder.begin(Offset{7});
    builder.add(TimestampMs{1}, {reinterpret_cast<const char*>(inner.data()), inner.size() - 1});
    auto& partition = log.writer->partition(Partition{0});
    ASSERT_TRUE(partition.append(builder.seal()).ok());
    ASSERT_TRUE(log.writer->close().ok());
    auto file = std::move(log.sim.env().files.open(log.segments().back(), io::Open::read)).value();
    EXPECT_EQ((*find_last_batch(*file, Offset{8}))->base_offset, Offset{7});
    EXPECT_EQ((*find_last_batch(*file, Offset{9}))->base_offset, Offset{7000}) << "only for want of the right one";
    log.writer.reset();
    const auto reader = open_reader(log.sim.env(), log.topics, log.topic);
    ASSERT_TRUE(reader.ok()) << reader.error().message;
    EXPECT_EQ(*(*reader)->partition(Partition{0}).end_offset(), Offset{8});
}

/// A log that says it was closed is not recovered by readers; so what it says must be true.
TEST(ClosedLog, AReaderNeverShowsLessBecauseOfAChangedDurableEnd) {
    for (int bit = 0; bit < 64; ++bit) {
        auto log = make_closed_log();
        log->sim.flip_bit(durable_end_file(log->directory()), bit / 8, static_cast<unsigned>(bit % 8));
        const auto seen = log->read_all();
        if (seen.ok())
            EXPECT_EQ(seen->size(), log->appended.size()) << "bit " << bit;
        else
            EXPECT_EQ(seen.error().kind, ErrorKind::corrupt) << "bit " << bit << ": " << seen.error().message;
    }
}

TEST(ClosedLog, AReaderRefusesASegmentBeyondTheEnd) {
    auto log = make_closed_log();
    log->sim.put(segment_file(log->directory(), Offset{9999}), *log->sim.contents(log->segments().front()));
    const auto seen = log->read_all();
    ASSERT_FALSE(seen.ok());
    EXPECT_EQ(seen.error().kind, ErrorKind::corrupt);
}

TEST(OpeningAWriter, OnAPartitionThatIsRefusedLeavesTheOthersAsTheyWere) {
    SimulatedLog log(1, 16 * 1024, 2);
    ASSERT_TRUE(log.open().ok());
    ASSERT_TRUE(log.commit(3).ok());
    ASSERT_TRUE(log.close().ok());
    const auto before = *log.sim.contents(log.segments().back());
    const auto word = *log.sim.contents(durable_end_file(log.directory()));
    log.sim.remove(durable_end_file(partition_directory("/data/log", "game-events", Partition{1})));
    EXPECT_EQ(log.open().error().kind, ErrorKind::corrupt);
    EXPECT_EQ(*log.sim.contents(log.segments().back()), before);
    EXPECT_EQ(*log.sim.contents(durable_end_file(log.directory())), word) << "still closed";
}

} // namespace
} // namespace questlog::log
