// The log against a model, on a simulated machine that loses power, is killed, and whose disk fails.
#include "log/simulated_log.h"

namespace questlog::log {
namespace {

using Fault = io::SimEnv::Fault;

/// Some work as a server does it: commits, now and then a reader, now and then a clean restart. Ends early at an error.
Status work(SimulatedLog& log, std::mt19937_64& random, int steps) {
    for (int i = 0; i < steps; ++i) {
        switch (random() % 8) {
        case 0: CHECK_OK(log.append(1 + static_cast<int>(random() % 20), 900)); break;
        case 1: {
            TRY(seen, log.read_all());
            log.shown = std::max(log.shown, seen.size());
            break;
        }
        case 2:
            if (random() % 4 == 0) {
                CHECK_OK(log.close());
                CHECK_OK(log.open());
            }
            break;
        default: CHECK_OK(log.commit(1 + static_cast<int>(random() % 20), 900)); break;
        }
    }
    return {};
}

/// Work, an end at any operation (also within recovery, a roll, a close), recovery, and so on; checked each time.
void run_history(std::uint64_t seed, int lives, int power_cuts_in_four, Compression compression = Compression::none) {
    SimulatedLog log(seed);
    log.compression = compression;
    std::mt19937_64 random(seed);
    for (int life = 0; life < lives; ++life) {
        const auto when = fmt::format("seed {}, life {}", seed, life);
        log.sim.fail_operation(static_cast<std::int64_t>(random() % 160), Fault::stop);
        auto status = log.open();
        if (status.ok()) status = work(log, random, 12);
        ASSERT_TRUE(status.ok() || log.sim.fault_happened()) << when << ": " << status.error().message;
        const End end = static_cast<int>(random() % 4) < power_cuts_in_four ? End::power_cut : End::kill;
        if (end == End::power_cut)
            log.power_cut();
        else
            log.crash();
        log.sim.fail_nothing();
        if (random() % 2 == 0) {
            const auto opened = log.open();
            ASSERT_TRUE(opened.ok()) << when << ": " << opened.error().message;
        }
        log.expect_kept(when);
        if (testing::Test::HasFatalFailure()) return;
        log.forget_lost();
        log.crash();
    }
}

TEST(LogModel, PowerCutsLoseNothingAcknowledgedAndShowNothingThatGoes) {
    for (std::uint64_t seed = 0; seed < 250 && !HasFatalFailure(); ++seed) run_history(seed, 8, 4);
}

TEST(LogModel, KillsAndPowerCutsMixedDoNeither) {
    for (std::uint64_t seed = 1000; seed < 1150 && !HasFatalFailure(); ++seed) run_history(seed, 8, 2);
}

TEST(LogModel, ACompressedLogKeepsWhatAnyLogDoes) {
    for (std::uint64_t seed = 2000; seed < 2040 && !HasFatalFailure(); ++seed)
        run_history(seed, 8, 2, seed % 2 == 0 ? Compression::lz4 : Compression::zstd);
}

Status fixed_work(SimulatedLog& log) {
    CHECK_OK(log.open());
    for (int i = 0; i < 6; ++i) CHECK_OK(log.commit(5, 500));
    CHECK_OK(log.close());
    CHECK_OK(log.open());
    CHECK_OK(log.commit(3));
    CHECK_OK(log.append(2));
    log.crash();
    CHECK_OK(log.open()); // recovers, and writes the last batch again
    return log.commit(1);
}

/// The fixed work with its n-th operation failing; true if it did not get that far. A process that met an error ends.
/// The next one goes on, and then the power fails: what the first left unsynced must not take new events along.
bool fail_operation(std::int64_t n, std::uint64_t seed, Fault fault, End end) {
    const auto when = fmt::format("operation {}, seed {}", n, seed);
    SimulatedLog log(seed, 4096);
    log.sim.fail_operation(n, fault);
    const auto status = fixed_work(log);
    const bool happened = log.sim.fault_happened();
    EXPECT_EQ(status.ok(), !happened) << when << " failed unnoticed, or success was not told";
    if (end == End::power_cut)
        log.power_cut();
    else
        log.crash();
    log.sim.fail_nothing();
    log.expect_kept(when);
    if (testing::Test::HasFailure()) return true;
    log.forget_lost();
    EXPECT_TRUE(log.open().ok() && log.commit(2).ok()) << when;
    log.expect_kept(when + ", and two events more");
    log.power_cut();
    log.expect_kept(when + ", and a power cut later");
    return !happened;
}

/// For n = 0, 1, 2 … until the work runs unharmed.
void fail_every_operation_of_recovery(Fault fault, End end) {
    for (std::uint64_t seed = 0; seed < 10; ++seed)
        for (std::int64_t n = 0; !fail_operation(n, seed, fault, end); ++n) {
        }
}

TEST(LogModel, EveryOperationMayFailBeforeAPowerCut) {
    fail_every_operation_of_recovery(Fault::io_error, End::power_cut);
}
TEST(LogModel, EveryOperationMayFailBeforeARestart) {
    fail_every_operation_of_recovery(Fault::io_error, End::kill);
}
TEST(LogModel, EveryOperationMayBeThePowerCut) {
    fail_every_operation_of_recovery(Fault::stop, End::power_cut);
}
TEST(LogModel, EveryOperationMayBeTheKill) {
    fail_every_operation_of_recovery(Fault::stop, End::kill);
}

TEST(LogModel, AFullDiskAnswersRetryLaterAndRecoversByItself) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        SimulatedLog log(seed, 8192);
        std::mt19937_64 random(seed);
        ASSERT_TRUE(log.open().ok());
        int refused = 0;
        for (int i = 0; i < 60; ++i) {
            if (random() % 6 == 0) log.sim.fill_disk(random() % 2 == 0);
            const auto status = log.commit(1 + static_cast<int>(random() % 8), 700);
            if (status.ok()) continue;
            ASSERT_EQ(status.error().kind, ErrorKind::retry_later) << status.error().message;
            ++refused;
        }
        log.expect_kept(fmt::format("seed {}", seed));
        log.sim.fill_disk(false);
        ASSERT_TRUE(log.commit(1).ok());
        log.power_cut();
        log.expect_kept(fmt::format("seed {} after {} refusals and a power cut", seed, refused));
        if (HasFatalFailure()) return;
    }
}

/// True if the n-th operation was beyond the work.
bool meet_a_full_disk_once(std::int64_t n, std::uint64_t seed, End end) {
    const auto when = fmt::format("operation {}, seed {}", n, seed);
    SimulatedLog log(seed, 4096);
    EXPECT_TRUE(log.open().ok());
    log.sim.fail_operation(n, Fault::disk_full);
    Status status;
    for (int i = 0; i < 8 && status.ok(); ++i) status = log.commit(4, 500);
    if (!status.ok() && status.error().kind == ErrorKind::retry_later) {
        const auto retried = log.commit(1, 1); // much shorter: what the failed write left must not stick out behind it
        EXPECT_TRUE(retried.ok()) << when << ": " << retried.error().message;
    }
    if (end == End::power_cut)
        log.power_cut();
    else
        log.crash();
    const bool happened = log.sim.fault_happened();
    log.sim.fail_nothing();
    log.expect_kept(when);
    return !happened || testing::Test::HasFailure();
}

TEST(LogModel, OneMomentOfAFullDiskAtAnyOperationIsRetriedOrRefused) {
    for (std::uint64_t seed = 0; seed < 10; ++seed)
        for (const End end : {End::power_cut, End::kill})
            for (std::int64_t n = 0; !meet_a_full_disk_once(n, seed, end); ++n) {
            }
}

} // namespace
} // namespace questlog::log
