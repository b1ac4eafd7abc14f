// Damage of every kind: what was acknowledged is served as it was, or the damage is named. Never is it silently cut.
#include "base/big_endian.h"
#include "log/damaged_log.h"
#include "log/recovery.h"

namespace questlog::log {
namespace {

/// Opens and reads: everything as it was, or an error of kind `corrupt`. True if damage was reported.
bool intact_or_reported(SimulatedLog& log, const std::string& when) {
    const auto opened = log.open();
    const auto seen = log.read_all();
    for (const auto& error : {opened.ok() ? std::nullopt : std::optional(opened.error()),
                              seen.ok() ? std::nullopt : std::optional(seen.error())}) {
        if (!error) continue;
        EXPECT_EQ(error->kind, ErrorKind::corrupt) << when << ": " << error->message;
        EXPECT_NE(error->message.find(log.directory()), std::string::npos)
            << when << " names the file: " << error->message;
        return true;
    }
    EXPECT_EQ(*seen, log.appended) << when << ": silently changed";
    return false;
}

void flip_every_bit(bool closed) {
    const auto paths = make_log(closed)->segments();
    ASSERT_GE(paths.size(), 3U);
    int unreported = 0;
    for (const auto& path : paths) {
        const auto size = static_cast<std::int64_t>(make_log(closed)->sim.contents(path)->size());
        for (std::int64_t byte = 0; byte < size && !testing::Test::HasFailure(); ++byte) {
            auto log = make_log(closed);
            log->sim.flip_bit(path, byte, static_cast<unsigned>(byte % 8));
            if (!intact_or_reported(*log, fmt::format("{} byte {}", path, byte))) ++unreported;
        }
    }
    EXPECT_GT(unreported, 0) << "the leader epoch means nothing";
    EXPECT_LT(unreported, closed ? 8 * 5 : 2048 + 8 * 5) << "only that, and zeros filled ahead, may change unnoticed";
}

TEST(LogDamage, AFlippedBitAnywhereIsReportedOrHarmless) {
    flip_every_bit(true);
}
TEST(LogDamage, AFlippedBitAnywhereAfterAKillIsReportedOrHarmless) {
    flip_every_bit(false);
}

TEST(LogDamage, ASegmentThatWasCutShortIsReported) {
    for (const bool closed : {true, false}) {
        for (const auto& path : make_log(closed)->segments()) {
            const auto size = static_cast<std::int64_t>(make_log(closed)->sim.contents(path)->size());
            for (std::int64_t cut = 0; cut < size; cut += 13) {
                auto log = make_log(closed);
                log->sim.shorten(path, cut);
                const bool reported = intact_or_reported(*log, fmt::format("{} cut at {}", path, cut));
                ASSERT_TRUE(reported || !closed) << path << " cut at " << cut;
                if (HasFailure()) return;
            }
        }
    }
}

TEST(LogDamage, AMissingSegmentIsReported) {
    for (const auto& path : make_log(true)->segments()) {
        auto log = make_log(true);
        log->sim.remove(path);
        EXPECT_TRUE(intact_or_reported(*log, path + " missing"));
    }
}

TEST(LogDamage, ARepeatedOrForeignSegmentIsReportedOrHarmless) {
    auto log = make_log(true);
    const auto first = *log->sim.contents(log->segments().front());
    log->sim.put(segment_file(log->directory(), Offset{9999}), first);
    EXPECT_TRUE(intact_or_reported(*log, "a segment beyond the end"));
    log = make_log(true);
    log->sim.put(log->directory() + "/notes.txt", "someone's own");
    log->sim.put(log->directory() + "/12.log", "no segment's name");
    log->sim.put(log->directory() + "/spare.tmp", first);
    EXPECT_FALSE(intact_or_reported(*log, "files of no meaning"));
    EXPECT_FALSE(log->sim.contents(log->directory() + "/spare.tmp")) << "leftovers are removed";
    EXPECT_TRUE(log->sim.contents(log->directory() + "/notes.txt")) << "what is not ours is left alone";
}

TEST(LogDamage, AMissingShortOrChangedDurableEndIsReportedOrHarmless) {
    auto log = make_log(true);
    log->sim.remove(durable_end_file(log->directory()));
    EXPECT_TRUE(intact_or_reported(*log, "missing"));
    log = make_log(true);
    log->sim.shorten(durable_end_file(log->directory()), 5);
    EXPECT_TRUE(intact_or_reported(*log, "short"));
    for (const bool closed : {true, false}) {
        for (int bit = 0; bit < 64; ++bit) {
            log = make_log(closed);
            log->sim.flip_bit(durable_end_file(log->directory()), bit / 8, static_cast<unsigned>(bit % 8));
            intact_or_reported(*log, fmt::format("bit {}", bit));
        }
    }
}

TEST(LogDamage, ADamagedPartitionIsLeftAsItIs) {
    auto log = make_log(false);
    log->sim.flip_bit(log->segments().back(), 70, 1);
    const auto before = *log->sim.contents(log->segments().back());
    ASSERT_FALSE(log->open().ok());
    ASSERT_FALSE(log->read_all().ok());
    EXPECT_EQ(*log->sim.contents(log->segments().back()), before);
    EXPECT_EQ(log->sim.names(log->directory()).size(), log->segments().size() + 1 + 0U) << "nothing came, nothing went";
}

TEST(LogDamage, ADamagedBatchBeforeAWholeOneIsNoTailEvenAboveAStaleDurableEnd) {
    SimulatedLog log(5, 64 * 1024);
    ASSERT_TRUE(log.open().ok());
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(log.commit(3, 200).ok());
    log.crash();
    const std::uint64_t stale = 3; // as a power cut may leave it: older, but the end of a batch
    log.sim.put(durable_end_file(log.directory()), {reinterpret_cast<const char*>(&stale), sizeof stale});
    const auto path = log.segments().back();
    const auto intact = *log.sim.contents(path);
    ASSERT_FALSE(intact_or_reported(log, "stale, and whole: everything above it is kept"));
    log.crash();
    log.sim.put(path, intact);
    log.sim.put(durable_end_file(log.directory()), {reinterpret_cast<const char*>(&stale), sizeof stale});
    const auto second_batch = load_big_endian<std::int32_t>(reinterpret_cast<const std::byte*>(intact.data()) + 8) + 12;
    log.sim.flip_bit(path, second_batch + 70, 2);
    EXPECT_TRUE(intact_or_reported(log, "a damaged batch in the middle"));
}

TEST(LogDamage, ATornTailIsCutBeforeTheNextAppend) {
    for (std::size_t kept = 0;; kept += kept < 80 ? 1 : 7) {
        SimulatedLog log(9, 64 * 1024);
        ASSERT_TRUE(log.open().ok());
        ASSERT_TRUE(log.commit(3, 100).ok());
        const auto data = *(*open_reader(log.sim.env(), log.topics, log.topic))->partition(Partition{0}).bytes();
        ASSERT_TRUE(log.append(3, 400).ok());
        log.crash();
        const auto path = log.segments().back();
        const auto written = *log.sim.contents(path);
        const auto batch_bytes = written.find_last_not_of('\0') - static_cast<std::size_t>(data);
        if (kept >= batch_bytes) return;
        auto torn = written.substr(0, static_cast<std::size_t>(data) + kept);
        torn.resize(written.size(), '\0'); // only a prefix of the batch was written
        log.sim.put(path, torn);
        ASSERT_TRUE(log.open().ok()) << kept;
        EXPECT_EQ(log.recoveries.size(), kept < sizeof(std::int64_t) ? 0U : 1U)
            << kept; // an offset of 3 begins with zeros
        log.appended.resize(log.acked);
        ASSERT_TRUE(log.commit(1, 5).ok()); // shorter than what was cut
        log.expect_kept(fmt::format("a prefix of {} bytes", kept));
        ASSERT_TRUE(log.close().ok());
        log.expect_kept("closed");
        if (HasFailure()) return;
    }
}

// The decision itself, by values.
SegmentSurvey clean_survey() {
    SegmentSurvey survey;
    survey.path = "00000000000000000000.log";
    survey.base = Offset{0};
    survey.file_bytes = 4096;
    survey.data_bytes = survey.nonzero_end = 1000;
    survey.end_offset = Offset{10};
    survey.durable_bytes = 1000;
    return survey;
}

TEST(RecoveryPlan, ZerosAfterTheDataAreCutAndNothingElseIsDone) {
    const auto plan = plan_recovery(clean_survey(), {Offset{10}});
    ASSERT_TRUE(plan.ok());
    EXPECT_TRUE(plan->truncate);
    EXPECT_EQ(plan->rewritten_events, 0);
    EXPECT_EQ(plan->torn_bytes, 0);
}

TEST(RecoveryPlan, WholeBatchesAboveTheDurableEndAreWrittenAgain) {
    const auto plan = plan_recovery(clean_survey(), {Offset{7}});
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->rewritten_events, 3);
}

TEST(RecoveryPlan, ATornBatchAboveTheDurableEndIsCut) {
    auto survey = clean_survey();
    survey.fault = "the batch's CRC is wrong";
    survey.nonzero_end = 1400;
    survey.torn_batch_end = 1500;
    const auto plan = plan_recovery(survey, {Offset{10}});
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(plan->torn_bytes, 400);
    survey.torn_batch_end = 1300;
    EXPECT_EQ(plan_recovery(survey, {Offset{10}}).error().kind, ErrorKind::corrupt) << "bytes beyond the torn batch";
    survey.torn_batch_end = 0;
    EXPECT_TRUE(plan_recovery(survey, {Offset{10}}).ok()) << "its length was torn off too";
    survey.foreign_start = true;
    EXPECT_EQ(plan_recovery(survey, {Offset{10}}).error().kind, ErrorKind::corrupt)
        << "no batch of ours begins like that";
}

TEST(RecoveryPlan, DamageBelowTheDurableEndIsNeverCut) {
    auto survey = clean_survey();
    survey.fault = "the batch's CRC is wrong";
    survey.nonzero_end = 1400;
    const auto plan = plan_recovery(survey, {Offset{11}});
    ASSERT_FALSE(plan.ok());
    EXPECT_EQ(plan.error().kind, ErrorKind::corrupt);
    EXPECT_NE(plan.error().message.find("00000000000000000000.log is damaged at byte 1000 (offset 10)"),
              std::string::npos);
    EXPECT_FALSE(plan_recovery(clean_survey(), {Offset{11}}).ok()) << "nor is a log that ends too early";
}

TEST(RecoveryPlan, AValidBatchAfterADamagedOneProvesCorruption) {
    auto survey = clean_survey();
    survey.fault = "the batch's CRC is wrong";
    survey.nonzero_end = 2000;
    survey.next_valid_batch = 1400;
    const auto plan = plan_recovery(survey, {Offset{10}});
    ASSERT_FALSE(plan.ok());
    EXPECT_NE(plan.error().message.find("a valid batch follows at byte 1400"), std::string::npos);
}

TEST(RecoveryPlan, ADurableEndThatFitsNoBatchIsCorrupt) {
    auto survey = clean_survey();
    survey.durable_bytes = -1;
    EXPECT_EQ(plan_recovery(survey, {Offset{8}}).error().kind, ErrorKind::corrupt);
    survey.base = Offset{5};
    EXPECT_EQ(plan_recovery(survey, {Offset{3}}).error().kind, ErrorKind::corrupt);
}

} // namespace
} // namespace questlog::log
