// Verification sees what is wrong, all of it, and nothing else.
#include "base/big_endian.h"
#include "base/crc32c.h"
#include "log/damaged_log.h"

namespace questlog::log {
namespace {

TEST(Verify, CountsWhatASoundLogHolds) {
    auto log = make_log(true);
    const auto all = verified(*log);
    EXPECT_EQ(all.report.partitions, 1);
    EXPECT_EQ(all.report.segments, static_cast<std::int64_t>(log->segments().size()));
    EXPECT_EQ(all.report.batches, 8);
    EXPECT_EQ(all.report.events, 24);
    std::int64_t bytes = 0;
    for (const auto& path : log->segments()) bytes += static_cast<std::int64_t>(log->sim.contents(path)->size());
    EXPECT_EQ(all.report.bytes, bytes);
    EXPECT_EQ(all.report.faults + all.report.given_up + all.report.lost, 0);
}

TEST(Verify, TellsEveryFaultNotOnlyTheFirst) {
    auto log = make_log(true, 1024);
    const auto paths = log->segments();
    ASSERT_GE(paths.size(), 5U);
    log->sim.flip_bit(paths[0], 80, 1);
    log->sim.remove(paths[2]);
    log->sim.flip_bit(paths.back(), 80, 1);
    const auto all = verified(*log);
    ASSERT_EQ(all.faults.size(), 3U);
    EXPECT_EQ(all.faults[0].path, paths[0]);
    EXPECT_EQ(all.faults[0].byte, 0);
    EXPECT_EQ(all.faults[0].from, Offset{0});
    EXPECT_EQ(all.faults[0].to, Offset{3});
    EXPECT_NE(all.faults[0].what.find("CRC"), std::string::npos);
    EXPECT_EQ(all.faults[1].path, paths[1]) << "what is missing is missing at the end of the one before";
    EXPECT_EQ(all.faults[1].to, *segment_base_of(paths[3].substr(paths[3].rfind('/') + 1)));
    EXPECT_NE(all.faults[1].what.find("ends here"), std::string::npos);
    EXPECT_EQ(all.faults[2].path, paths.back());
    std::int64_t lost = 0;
    for (const auto& fault : all.faults) lost += fault.to.minus(fault.from);
    EXPECT_EQ(all.report.lost, lost);
    EXPECT_EQ(all.report.events + lost, 24);
}

TEST(Verify, BesideALiveWriterWhatIsNotDurableIsNotLookedAt) {
    SimulatedLog log(3, 64 * 1024);
    ASSERT_TRUE(log.open().ok());
    ASSERT_TRUE(log.commit(5).ok());
    ASSERT_TRUE(log.append(5).ok());
    EXPECT_EQ(verified(log).report.events, 5) << "what is whole and not synced may be gone in a moment";
    auto bytes = *log.sim.contents(log.segments()[0]);
    const auto data_end = bytes.find_last_not_of('\0');
    bytes[data_end - 20] = static_cast<char>(bytes[data_end - 20] ^ 1); // as if it were half written
    log.sim.put(log.segments()[0], bytes);
    auto all = verified(log);
    EXPECT_TRUE(all.faults.empty()) << all.faults[0].what;
    EXPECT_EQ(all.report.events, 5);
    log.sim.flip_bit(log.segments()[0], 70, 1);
    all = verified(log);
    ASSERT_EQ(all.faults.size(), 1U) << "but what is durable is";
    EXPECT_EQ(all.faults[0].to, Offset{5});
}

TEST(Verify, ATornTailIsNoFault) {
    SimulatedLog log(3, 64 * 1024);
    ASSERT_TRUE(log.open().ok());
    ASSERT_TRUE(log.commit(5).ok());
    ASSERT_TRUE(log.append(5).ok());
    log.crash();
    auto bytes = *log.sim.contents(log.segments()[0]);
    const auto data_end = bytes.find_last_not_of('\0');
    bytes[data_end - 20] = static_cast<char>(bytes[data_end - 20] ^ 1);
    log.sim.put(log.segments()[0], bytes);
    const auto all = verified(log);
    EXPECT_TRUE(all.faults.empty());
    ASSERT_EQ(all.notes.size(), 1U);
    EXPECT_NE(all.notes[0].find("torn batch"), std::string::npos);
}

/// A batch of one event whose bytes are changed, and whose CRC is right all the same.
std::string sealed_again(std::size_t position, std::uint8_t value) {
    BatchBuilder builder;
    builder.begin(Offset{0});
    const std::vector<RecordHeader> headers{{"origin", "here"}};
    builder.add(TimestampMs{1}, "value", "key", headers);
    const auto sealed = builder.seal();
    std::string bytes(reinterpret_cast<const char*>(sealed.data()), sealed.size());
    bytes.at(position) = static_cast<char>(value);
    const auto crc = crc32c(std::as_bytes(std::span(bytes)).subspan(21));
    std::byte encoded[4];
    store_big_endian(encoded, crc);
    bytes.replace(17, 4, reinterpret_cast<const char*>(encoded), 4);
    return bytes;
}

TEST(Verify, RecordsThatDoNotParseAreFoundUnderARightCrc) {
    constexpr std::size_t length = 61;
    constexpr std::size_t offset_delta = 64;
    constexpr std::size_t key_length = 65;
    constexpr std::size_t header_key_length = 61 + 4 + 4 + 6 + 1;
    for (const std::size_t position : {length, offset_delta, key_length, header_key_length}) {
        SimulatedLog log(1);
        ASSERT_TRUE(log.open().ok());
        ASSERT_TRUE(log.commit(1).ok());
        ASSERT_TRUE(log.close().ok());
        log.sim.put(log.segments()[0], sealed_again(position, 0x7c));
        const auto all = verified(log);
        ASSERT_EQ(all.faults.size(), 1U) << position;
        EXPECT_EQ(all.faults[0].byte, 0);
        ASSERT_TRUE(repair(log).ok());
        EXPECT_EQ(expect_repaired(log, fmt::format("byte {}", position)).size(), 1U);
    }
}

TEST(Verify, ADurableEndInsideABatchIsAFault) {
    auto log = make_log(true);
    const std::uint64_t word = 23;
    log->sim.put(durable_end_file(log->directory()), {reinterpret_cast<const char*>(&word), sizeof word});
    const auto all = verified(*log);
    ASSERT_EQ(all.faults.size(), 1U);
    EXPECT_EQ(all.faults[0].path, durable_end_file(log->directory()));
    ASSERT_TRUE(repair(*log).ok());
    EXPECT_TRUE(expect_repaired(*log, "inside").empty());
}

TEST(Verify, WhatCannotBeReadIsAnErrorAndNoFault) {
    for (std::int64_t n = 0;; ++n) {
        auto log = make_log(true);
        log->sim.fail_operation(n, io::SimEnv::Fault::io_error);
        VerifyOptions options;
        int faults = 0;
        options.on_fault = [&](const LogFault&) { ++faults; };
        const auto report = verify(log->sim.env(), log->topics, log->topic, options);
        EXPECT_EQ(faults, 0) << "operation " << n;
        if (!log->sim.fault_happened()) {
            EXPECT_TRUE(report.ok());
            return;
        }
        EXPECT_FALSE(report.ok()) << "operation " << n;
    }
}

TEST(Verify, AMissingPartitionIsAFault) {
    SimulatedLog log(1, 2048, 2);
    log.sim.remove(durable_end_file(partition_directory("/data/log", log.topic.name, Partition{1})));
    ASSERT_TRUE(log.sim.env().files.remove_tree(partition_directory("/data/log", log.topic.name, Partition{1})).ok());
    const auto all = verified(log);
    ASSERT_EQ(all.faults.size(), 1U);
    EXPECT_EQ(all.faults[0].partition, Partition{1});
    EXPECT_EQ(all.report.partitions, 2);
}

} // namespace
} // namespace questlog::log
