// Verification and repair of logs that are compressed, or not synced at each commit.
#include "base/big_endian.h"
#include "base/crc32c.h"
#include "log/damaged_log.h"
#include "log/synced_end.h"

namespace questlog::log {
namespace {

constexpr std::size_t crc_position = 17;
constexpr std::size_t attributes_position = 21;

std::unique_ptr<SimulatedLog> make_zipped(bool closed) {
    auto log = std::make_unique<SimulatedLog>(5, 400);
    log->compression = Compression::zstd;
    EXPECT_TRUE(log->open().ok());
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(log->commit(3, 200).ok());
    if (closed)
        EXPECT_TRUE(log->close().ok());
    else
        log->crash();
    return log;
}

/// One byte of the batch at the segment's start is another, and its CRC is right all the same.
void change_and_seal(SimulatedLog& log, const std::string& path, std::size_t position) {
    auto bytes = *log.sim.contents(path);
    const auto length = static_cast<std::size_t>(load_big_endian<std::int32_t>(
                            reinterpret_cast<const std::byte*>(bytes.data()) + sizeof(std::int64_t))) +
                        12;
    bytes.at(position) = static_cast<char>(bytes[position] ^ 0x55);
    const auto covered = std::string_view(bytes).substr(attributes_position, length - attributes_position);
    store_big_endian(reinterpret_cast<std::byte*>(bytes.data()) + crc_position, crc32c(covered));
    log.sim.put(path, bytes);
}

TEST(RepairZipped, ASoundLogIsSound) {
    auto log = make_zipped(true);
    const auto all = verified(*log);
    EXPECT_TRUE(all.faults.empty()) << all.faults[0].what;
    EXPECT_EQ(all.report.events, 24);
    EXPECT_LT(all.report.bytes, 8 * 300) << "or nothing is compressed here";
}

TEST(RepairZipped, OneFlippedBitCostsItsBatchAlone) {
    for (const bool closed : {true, false}) {
        const auto paths = make_zipped(closed)->segments();
        ASSERT_GE(paths.size(), 3U);
        for (const auto& path : paths) {
            for (const std::int64_t byte : {5, 9, 30, 58, 61, 70, 90}) {
                auto log = make_zipped(closed);
                const auto when = fmt::format("{} byte {}, closed {}", path, byte, closed);
                log->sim.flip_bit(path, byte, static_cast<unsigned>(byte % 8));
                EXPECT_EQ(verified(*log).faults.size(), 1U) << when;
                const auto done = repair(*log);
                ASSERT_TRUE(done.ok()) << when << ": " << done.error().message;
                EXPECT_EQ(expect_repaired(*log, when).size(), 3U) << when;
            }
        }
    }
}

TEST(RepairZipped, WhatDoesNotDecompressIsDamageUnderARightCrc) {
    for (const bool closed : {true, false}) {
        for (std::size_t which = 0; which < make_zipped(closed)->segments().size(); ++which) {
            auto log = make_zipped(closed);
            const auto when = fmt::format("segment {}, closed {}", which, closed);
            change_and_seal(*log, log->segments()[which], batch_header_bytes);
            const auto all = verified(*log);
            ASSERT_EQ(all.faults.size(), 1U) << when;
            EXPECT_NE(all.faults[0].what.find("zstd"), std::string::npos) << all.faults[0].what;
            EXPECT_EQ(all.report.lost, 3) << when;
            EXPECT_FALSE(read_events(*log).ok()) << when << ": readers refuse it, too";
            ASSERT_TRUE(repair(*log).ok()) << when;
            EXPECT_EQ(expect_repaired(*log, when).size(), 3U) << when;
        }
    }
}

/// Twelve commits of two events, of which the first four were flushed to the disk.
std::unique_ptr<SimulatedLog> make_unsynced(std::uint64_t seed, std::int64_t segment_bytes = 1024 * 1024) {
    auto log = std::make_unique<SimulatedLog>(seed, segment_bytes);
    log->sync_mode = Sync::never;
    EXPECT_TRUE(log->open().ok());
    for (int i = 0; i < 12; ++i) {
        EXPECT_TRUE(log->commit(2, 700).ok());
        EXPECT_TRUE(i != 3 || log->writer->flush().ok());
    }
    return log;
}

constexpr std::int64_t flushed = 8;

std::int64_t lost_events(SimulatedLog& log) {
    return read_lost_events(log.sim.env().files, log.directory()).value();
}

TEST(RepairUnsynced, WhatAPowerCutTookIsNoDamage) {
    bool some_lost = false;
    for (std::uint64_t seed = 0; seed < 60 && !testing::Test::HasFailure(); ++seed) {
        const auto when = fmt::format("seed {}", seed);
        auto opened = make_unsynced(seed, seed % 2 == 0 ? 1024 * 1024 : 4096);
        opened->power_cut();
        ASSERT_TRUE(opened->open().ok()) << when; // what recovery alone does
        const auto end = opened->writer->partition(Partition{0}).next_offset();
        auto log = make_unsynced(seed, seed % 2 == 0 ? 1024 * 1024 : 4096);
        log->power_cut();
        const auto all = verified(*log);
        EXPECT_TRUE(all.faults.empty()) << when << ": " << all.faults[0].what;
        EXPECT_EQ(all.report.events, end.value) << when;
        const auto done = repair(*log);
        ASSERT_TRUE(done.ok()) << when << ": " << done.error().message;
        EXPECT_TRUE(done->places.empty()) << when;
        EXPECT_EQ(lost_events(*log), lost_events(*opened)) << when;
        EXPECT_EQ(lost_events(*log) > 0, !all.notes.empty() && all.notes[0].find("are gone: 0") == std::string::npos)
            << when;
        EXPECT_TRUE(expect_repaired(*log, when).empty());
        EXPECT_GE(read_events(*log)->size(), static_cast<std::size_t>(flushed)) << when;
        some_lost = some_lost || lost_events(*log) > 0 || !all.notes.empty();
    }
    EXPECT_TRUE(some_lost) << "or these power cuts took nothing";
}

TEST(RepairUnsynced, DamageBelowTheSyncedEndIsDamageAndBecomesAHole) {
    for (std::uint64_t seed = 0; seed < 60 && !testing::Test::HasFailure(); ++seed) {
        const auto when = fmt::format("seed {}", seed);
        auto log = make_unsynced(seed);
        if (seed % 3 == 0)
            log->crash();
        else
            log->power_cut();
        log->sim.flip_bit(log->segments()[0], 70, 1);
        EXPECT_FALSE(log->open().ok()) << when;
        EXPECT_EQ(verified(*log).report.lost, 2) << when;
        const auto done = repair(*log);
        ASSERT_TRUE(done.ok()) << when << ": " << done.error().message;
        EXPECT_EQ(expect_repaired(*log, when), (std::vector<std::int64_t>{0, 1})) << when;
    }
}

/// The position of the batch that begins with the offset.
std::int64_t position_of(const std::string& bytes, std::int64_t offset) {
    const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
    std::int64_t at = 0;
    while (load_big_endian<std::int64_t>(data + at) != offset) at += load_big_endian<std::int32_t>(data + at + 8) + 12;
    return at;
}

TEST(RepairUnsynced, DamageAcrossTheSyncedEndLeavesItBetweenTwoBatches) {
    auto log = make_unsynced(7);
    log->crash();
    const auto path = log->segments()[0];
    const auto bytes = *log->sim.contents(path);
    log->sim.flip_bit(path, position_of(bytes, flushed - 2) + 70, 1);
    log->sim.flip_bit(path, position_of(bytes, flushed) + 70, 1);
    EXPECT_EQ(verified(*log).faults.size(), 1U) << "one place, and the log goes on behind it";
    const auto done = repair(*log);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_EQ(lost_events(*log), 0) << "what a repair gives up is in the record of holes";
    EXPECT_EQ(expect_repaired(*log, "across"),
              (std::vector<std::int64_t>{flushed - 2, flushed - 1, flushed, flushed + 1}));
}

TEST(RepairUnsynced, DamageAboveTheSyncedEndIsCutAsTheNextStartDoes) {
    auto log = make_unsynced(7);
    log->crash();
    const auto path = log->segments()[0];
    log->sim.flip_bit(path, position_of(*log->sim.contents(path), flushed + 4) + 70, 1);
    const auto all = verified(*log);
    EXPECT_TRUE(all.faults.empty()) << all.faults[0].what;
    ASSERT_EQ(all.notes.size(), 1U);
    EXPECT_NE(all.notes[0].find("up to offset 12 "), std::string::npos) << all.notes[0];
    EXPECT_NE(all.notes[0].find("events that are gone: 12"), std::string::npos) << all.notes[0];
    const auto done = repair(*log);
    ASSERT_TRUE(done.ok());
    EXPECT_TRUE(done->places.empty());
    EXPECT_EQ(lost_events(*log), 12);
    EXPECT_TRUE(expect_repaired(*log, "above").empty());
}

TEST(RepairUnsynced, ADamagedCountOfLostEventsIsAFaultAndIsCountedFromZero) {
    auto log = make_unsynced(7);
    log->crash();
    const auto path = log->segments()[0];
    log->sim.flip_bit(path, position_of(*log->sim.contents(path), flushed + 4) + 70, 1);
    ASSERT_TRUE(log->open().ok() && log->close().ok());
    ASSERT_EQ(lost_events(*log), 12);
    log->sim.flip_bit(log->directory() + "/lost_events", 1, 1);
    const auto all = verified(*log);
    ASSERT_EQ(all.faults.size(), 1U);
    EXPECT_NE(all.faults[0].path.find("lost_events"), std::string::npos);
    ASSERT_TRUE(repair(*log).ok());
    EXPECT_EQ(lost_events(*log), 0);
    EXPECT_TRUE(verified(*log).faults.empty());
}

TEST(RepairUnsynced, RecordsThatDoNotParseUnderARightCrcAreDamageAlsoAboveTheSyncedEnd) {
    SimulatedLog log(7, 1024 * 1024);
    log.sync_mode = Sync::never;
    ASSERT_TRUE(log.open().ok());
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(log.commit(2).ok());
    log.crash();
    change_and_seal(log, log.segments()[0], batch_header_bytes);
    EXPECT_EQ(verified(log).faults.size(), 1U) << "recovery keeps it, and readers refuse it";
    ASSERT_TRUE(repair(log).ok());
    EXPECT_EQ(expect_repaired(log, "records"), (std::vector<std::int64_t>{0, 1}));
}

TEST(RepairUnsynced, AWrongSyncedEndIsToldAndPutRight) {
    for (const std::uint64_t wrong : {std::uint64_t{7}, std::uint64_t{0}}) {
        auto log = make_unsynced(7, wrong == 0 ? 4096 : 1024 * 1024);
        log->crash();
        log->sim.put(synced_end_file(log->directory()), {reinterpret_cast<const char*>(&wrong), sizeof wrong});
        const auto all = verified(*log);
        ASSERT_EQ(all.faults.size(), 1U) << wrong;
        EXPECT_EQ(all.faults[0].path, synced_end_file(log->directory()));
        ASSERT_TRUE(repair(*log).ok());
        EXPECT_EQ(lost_events(*log), 0);
        EXPECT_TRUE(expect_repaired(*log, fmt::format("{}", wrong)).empty());
    }
}

TEST(RepairUnsynced, WithoutADurableEndTheSyncedOneIsTheBound) {
    auto log = make_unsynced(7);
    log->power_cut();
    log->sim.remove(durable_end_file(log->directory()));
    EXPECT_EQ(verified(*log).faults.size(), 1U);
    ASSERT_TRUE(repair(*log).ok());
    EXPECT_TRUE(expect_repaired(*log, "no durable end").empty());
    EXPECT_GE(read_events(*log)->size(), static_cast<std::size_t>(flushed));
}

} // namespace
} // namespace questlog::log
