// sync = "interval" and "never": what is acknowledged survives a kill, and of it a power cut takes what was not synced.
#include "log/recovery.h"
#include "log/simulated_log.h"
#include "log/synced_end.h"

namespace questlog::log {
namespace {

using Fault = io::SimEnv::Fault;

class RelaxedLog : public SimulatedLog {
public:
    RelaxedLog(std::uint64_t seed, Sync mode, std::int64_t segment_bytes = 16 * 1024)
        : SimulatedLog(seed, segment_bytes) {
        sync_mode = mode;
    }

    Status flush() {
        const std::size_t reached = acked;
        CHECK_OK(writer->flush());
        synced = std::max(synced, reached);
        return {};
    }

    /// What a reader sees is a prefix of what was appended, and all that was synced is there.
    void expect_prefix(const std::string& when) {
        const auto seen = read_all();
        ASSERT_TRUE(seen.ok()) << when << ": " << seen.error().message;
        ASSERT_LE(seen->size(), appended.size()) << when;
        ASSERT_GE(seen->size(), synced) << when << ": a synced event is gone";
        for (std::size_t i = 0; i < seen->size(); ++i) ASSERT_EQ((*seen)[i], appended[i]) << when << ": offset " << i;
        shown = seen->size();
    }

    SyncState sync_state() {
        const auto reader = open_reader(sim.env(), topics, topic).value();
        return reader->partition(Partition{0}).sync_state().value();
    }

    std::size_t synced = 0; ///< The first so many were synced.
};

Status work(RelaxedLog& log, std::mt19937_64& random, int steps) {
    for (int i = 0; i < steps; ++i) {
        switch (random() % 8) {
        case 0: CHECK_OK(log.append(1 + static_cast<int>(random() % 20), 900)); break;
        case 1: CHECK_OK(log.flush()); break;
        case 2:
            if (random() % 4 == 0) {
                CHECK_OK(log.close());
                log.synced = log.acked;
                CHECK_OK(log.open());
            }
            break;
        default: CHECK_OK(log.commit(1 + static_cast<int>(random() % 20), 900)); break;
        }
    }
    return {};
}

/// Work, a kill or a power cut at any operation, recovery, and so on. Lives of every sync mode follow on each other.
void run_history(std::uint64_t seed, bool mixed) {
    RelaxedLog log(seed, Sync::interval);
    std::mt19937_64 random(seed);
    for (int life = 0; life < 8; ++life) {
        const auto when = fmt::format("seed {}, life {}", seed, life);
        const std::array modes{Sync::interval, Sync::never, Sync::always};
        log.sync_mode = modes[random() % (mixed ? 3 : 2)];
        log.sim.fail_operation(static_cast<std::int64_t>(random() % 200), Fault::stop);
        auto status = log.open();
        const bool opened = status.ok();
        if (opened) status = work(log, random, 16);
        ASSERT_TRUE(status.ok() || log.sim.fault_happened()) << when << ": " << status.error().message;
        if (log.sync_mode == Sync::always && opened) log.synced = log.acked; // that is what it is for
        const bool kill = random() % 3 == 0;
        if (kill)
            log.crash();
        else
            log.power_cut();
        if (kill) log.synced = std::max(log.synced, log.acked); // a kill takes nothing, and recovery syncs it
        log.sim.fail_nothing();
        log.recoveries.clear();
        if (random() % 2 == 0) {
            const auto again = log.open();
            ASSERT_TRUE(again.ok()) << when << ": " << again.error().message;
        }
        const bool told = !log.writer || !log.recoveries.empty();
        log.expect_prefix(when);
        if (testing::Test::HasFatalFailure()) return;
        ASSERT_TRUE(told || log.shown >= log.acked) << when << ": acknowledged events were cut in silence";
        log.forget_lost();
        log.synced = log.shown;
        log.crash();
    }
}

TEST(RelaxedSync, PowerCutsLeaveAPrefixWithAllThatWasSynced) {
    for (std::uint64_t seed = 0; seed < 150 && !HasFatalFailure(); ++seed) run_history(seed, false);
}

TEST(RelaxedSync, TheModeMayChangeFromLifeToLife) {
    for (std::uint64_t seed = 1000; seed < 1150 && !HasFatalFailure(); ++seed) run_history(seed, true);
}

TEST(RelaxedSync, AKillTakesNothingThatWasAcknowledged) {
    for (const auto mode : {Sync::interval, Sync::never}) {
        RelaxedLog log(3, mode);
        ASSERT_TRUE(log.open().ok());
        for (int i = 0; i < 60; ++i) ASSERT_TRUE(log.commit(10, 500).ok());
        log.crash();
        EXPECT_EQ(log.read_all().value(), log.appended);
        EXPECT_EQ(log.sync_state().lost_events, 0);
    }
}

TEST(RelaxedSync, CommitsSyncNothingAndAFlushSyncsAll) {
    RelaxedLog log(3, Sync::interval, 1024 * 1024);
    ASSERT_TRUE(log.open().ok() && log.commit(1).ok());
    const auto before = log.sim.operations();
    for (int i = 0; i < 50; ++i) ASSERT_TRUE(log.commit(1).ok());
    EXPECT_EQ(log.sim.operations() - before, 50) << "one write each";
    EXPECT_EQ(log.sync_state().synced_end, Offset{0});
    EXPECT_EQ(log.read_all()->size(), 51U) << "acknowledged is visible";
    ASSERT_TRUE(log.flush().ok());
    EXPECT_EQ(log.sync_state().synced_end, Offset{51});
    const auto flushed = log.sim.operations();
    ASSERT_TRUE(log.flush().ok());
    EXPECT_EQ(log.sim.operations(), flushed) << "nothing to sync, nothing done";
    log.power_cut();
    EXPECT_EQ(log.read_all().value(), log.appended);
}

/// Ten commits of one event, the first three synced, then a kill and a flipped bit in commit `damaged`.
std::unique_ptr<RelaxedLog> make_damaged(int damaged) {
    auto log = std::make_unique<RelaxedLog>(4, Sync::never, 1024 * 1024);
    EXPECT_TRUE(log->open().ok());
    std::vector<std::int64_t> starts{0};
    const auto reader = open_reader(log->sim.env(), log->topics, log->topic).value();
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(log->commit(1).ok());
        starts.push_back(*reader->partition(Partition{0}).bytes());
        EXPECT_TRUE(i != 2 || log->flush().ok());
    }
    log->crash();
    log->sim.flip_bit(log->segments().front(), starts[static_cast<std::size_t>(damaged)] + 65, 1);
    return log;
}

TEST(RelaxedSync, DamageAboveTheSyncedEndCutsTheLogThereReportedAndCounted) {
    const auto log = make_damaged(5);
    ASSERT_TRUE(log->open().ok());
    ASSERT_EQ(log->recoveries.size(), 1U);
    EXPECT_NE(log->recoveries[0].find("kept up to offset 5"), std::string::npos) << log->recoveries[0];
    EXPECT_NE(log->recoveries[0].find("5 acknowledged events are lost"), std::string::npos) << log->recoveries[0];
    EXPECT_EQ(log->sync_state().lost_events, 5);
    EXPECT_EQ(log->read_all()->size(), 5U);
    log->shown = 5;
    log->forget_lost();
    ASSERT_TRUE(log->commit(2).ok() && log->close().ok());
    EXPECT_EQ(log->read_all().value(), log->appended);
    EXPECT_EQ(log->sync_state().lost_events, 5) << "it is told for ever";
}

TEST(RelaxedSync, ADamagedCountOfLostEventsIsToldAndNeverAnotherCount) {
    const auto log = make_damaged(5);
    ASSERT_TRUE(log->open().ok() && log->close().ok());
    const auto path = log->directory() + "/lost_events";
    for (int bit = 0; bit < 64; ++bit) {
        log->sim.flip_bit(path, bit / 8, bit % 8);
        const auto lost = read_lost_events(log->sim.env().files, log->directory());
        ASSERT_FALSE(lost.ok()) << "bit " << bit;
        EXPECT_EQ(lost.error().kind, ErrorKind::corrupt);
        EXPECT_NE(lost.error().message.find(path), std::string::npos);
        log->sim.flip_bit(path, bit / 8, bit % 8);
    }
    EXPECT_EQ(*read_lost_events(log->sim.env().files, log->directory()), 5);
}

TEST(RelaxedSync, DamageBelowTheSyncedEndIsRefusedAsEver) {
    const auto log = make_damaged(1);
    EXPECT_EQ(log->open().error().kind, ErrorKind::corrupt);
    EXPECT_TRUE(log->recoveries.empty());
}

TEST(RelaxedSync, WhenEachCommitIsSyncedAgainDamageIsRefusedAgain) {
    RelaxedLog log(4, Sync::never, 1024 * 1024);
    ASSERT_TRUE(log.open().ok() && log.commit(1).ok());
    log.crash();
    log.sync_mode = Sync::always;
    ASSERT_TRUE(log.open().ok());
    EXPECT_EQ(log.sync_state().synced_end, std::nullopt);
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(log.commit(1).ok());
    log.crash();
    log.sim.flip_bit(log.segments().front(), 65, 1);
    EXPECT_EQ(log.open().error().kind, ErrorKind::corrupt);
}

TEST(RelaxedSync, AFailedFlushIsToldByTheNextCommitAndEndsTheWriter) {
    RelaxedLog log(5, Sync::interval);
    ASSERT_TRUE(log.open().ok() && log.commit(1).ok());
    log.sim.fail_operation(0, Fault::io_error);
    EXPECT_FALSE(log.writer->flush().ok());
    log.sim.fail_nothing();
    EXPECT_FALSE(log.writer->flush().ok()) << "a failed sync is never tried again";
    EXPECT_FALSE(log.append(1).ok());
    EXPECT_FALSE(log.writer->partition(Partition{0}).sync().ok());
    EXPECT_FALSE(log.writer->close().ok());
}

TEST(RelaxedSync, WhatAReaderMadeDurableSurvivesAPowerCut) {
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
        RelaxedLog log(seed, Sync::never);
        ASSERT_TRUE(log.open().ok());
        for (int i = 0; i < 12; ++i) ASSERT_TRUE(log.commit(7, 700).ok());
        {
            const auto reader = open_reader(log.sim.env(), log.topics, log.topic).value();
            auto& partition = reader->partition(Partition{0});
            ASSERT_TRUE(partition.make_durable(*partition.end_offset()).ok());
            log.synced = log.acked;
        }
        for (int i = 0; i < 4; ++i) ASSERT_TRUE(log.commit(7, 700).ok());
        log.power_cut();
        log.expect_prefix(fmt::format("seed {}", seed));
        if (HasFatalFailure()) return;
    }
}

} // namespace
} // namespace questlog::log
