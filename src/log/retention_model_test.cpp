// Retention under fire: whatever interrupts it, the log opens, begins where it did or later, and has all that someone
// needs.
#include "log/log_start.h"
#include "log/simulated_log.h"

namespace questlog::log {
namespace {

using Fault = io::SimEnv::Fault;
enum class End : std::uint8_t { kill, power_cut };

constexpr RetentionLimits little{.bytes = 3000, .ms = {}, .force = false};

void end_process(SimulatedLog& log, End end) {
    if (end == End::power_cut)
        log.power_cut();
    else
        log.crash();
    log.sim.fail_nothing();
}

std::unique_ptr<SimulatedLog> make_full(std::uint64_t seed) {
    auto log = std::make_unique<SimulatedLog>(seed, 2048);
    EXPECT_TRUE(log->open().ok());
    for (int i = 0; i < 12; ++i) EXPECT_TRUE(log->commit(3, 300).ok());
    return log;
}

/// A trim up to `floor` with its n-th operation failing; true if it did not get that far.
bool fail_operation(std::int64_t n, std::uint64_t seed, Fault fault, End end) {
    const auto when = fmt::format("operation {}, seed {}", n, seed);
    auto log = make_full(seed);
    const Offset floor{static_cast<std::int64_t>(seed * 5 % 36)};
    log->sim.fail_operation(n, fault);
    const auto trimmed = log->trim(little, floor);
    const bool happened = log->sim.fault_happened();
    log->may_expire = static_cast<std::size_t>(floor.value);
    EXPECT_EQ(trimmed.ok(), !happened) << when << (trimmed.ok() ? "" : ": " + trimmed.error().message);
    end_process(*log, end);
    log->expect_kept(when);
    if (testing::Test::HasFailure()) return true;
    log->forget_lost();
    EXPECT_TRUE(log->open().ok() && log->commit(2).ok()) << when;
    const auto again = log->trim(little, floor);
    EXPECT_TRUE(again.ok()) << when << ": " << again.error().message;
    log->expect_kept(when + ", trimmed again");
    log->power_cut();
    log->expect_kept(when + ", and a power cut later");
    const auto files = log->sim.names(log->directory());
    for (const auto& name : files) {
        const auto base = segment_base_of(name).value_or(Offset{INT64_MAX});
        EXPECT_GE(base.value, static_cast<std::int64_t>(log->started)) << when << ": " << name << " was left";
    }
    return !happened || testing::Test::HasFailure();
}

void fail_every_operation(Fault fault, End end) {
    std::int64_t operations = 0;
    for (std::uint64_t seed = 1; seed < 12; ++seed)
        for (std::int64_t n = 0; !fail_operation(n, seed, fault, end); ++n) ++operations;
    EXPECT_GT(operations, 300);
}

TEST(RetentionModel, EveryOperationMayFailBeforeARestart) {
    fail_every_operation(Fault::io_error, End::kill);
}
TEST(RetentionModel, EveryOperationMayFailBeforeAPowerCut) {
    fail_every_operation(Fault::io_error, End::power_cut);
}
TEST(RetentionModel, EveryOperationMayBeThePowerCut) {
    fail_every_operation(Fault::stop, End::power_cut);
}
TEST(RetentionModel, EveryOperationMayBeTheKill) {
    fail_every_operation(Fault::stop, End::kill);
}
TEST(RetentionModel, EveryOperationMayMeetAFullDisk) {
    fail_every_operation(Fault::disk_full, End::power_cut);
}

/// A trim that is killed at its n-th operation, and then no power at the m-th of the recovery; true if the recovery did
/// not get that far.
bool fail_twice(std::int64_t n, std::int64_t m, std::uint64_t seed) {
    const auto when = fmt::format("operations {} and {}, seed {}", n, m, seed);
    auto log = make_full(seed);
    log->sim.fail_operation(n, Fault::stop);
    const auto trimmed = log->trim(little, Offset{20});
    EXPECT_FALSE(trimmed.ok()) << when;
    end_process(*log, End::kill);
    log->sim.fail_operation(m, Fault::stop);
    const bool recovered = log->open().ok();
    end_process(*log, End::power_cut);
    log->expect_kept(when);
    return recovered || testing::Test::HasFailure();
}

TEST(RetentionModel, ARecoveryAfterATrimThatWasKilledMayLoseItsPowerAnywhere) {
    for (std::uint64_t seed = 4; seed < 9 && !HasFailure(); ++seed) {
        auto undisturbed = make_full(seed);
        const auto before = undisturbed->sim.operations();
        ASSERT_FALSE(undisturbed->trim(little, Offset{20})->expire.empty());
        const auto operations = undisturbed->sim.operations() - before;
        for (std::int64_t n = 0; n < operations; ++n)
            for (std::int64_t m = 0; !fail_twice(n, m, seed); ++m) {
            }
    }
}

/// Commits, readers, restarts and trims, a floor that only rises, and an end at any operation; checked each time.
void run_history(std::uint64_t seed, Sync sync) {
    SimulatedLog log(seed, 4096);
    log.sync_mode = sync;
    std::mt19937_64 random(seed);
    std::int64_t floor = 0;
    for (int life = 0; life < 8; ++life) {
        const auto when = fmt::format("seed {}, life {}", seed, life);
        const End end = random() % 4 < 3 ? End::power_cut : End::kill;
        log.sim.fail_operation(static_cast<std::int64_t>(random() % 250), Fault::stop);
        auto status = log.open();
        for (int step = 0; status.ok() && step < 16; ++step) {
            switch (random() % 6) {
            case 0: {
                floor =
                    std::max(floor, static_cast<std::int64_t>(log.acked) - static_cast<std::int64_t>(random() % 20));
                const bool force = random() % 8 == 0;
                const RetentionLimits limits{static_cast<std::int64_t>(random() % 9000), std::nullopt, force};
                if (const auto trimmed = log.trim(limits, Offset{floor}); !trimmed.ok()) status = trimmed.error();
                break;
            }
            case 1:
                if (const auto seen = log.read(); !seen.ok()) status = seen.error();
                break;
            default: status = log.commit(1 + static_cast<int>(random() % 20), 600); break;
            }
        }
        ASSERT_TRUE(status.ok() || log.sim.fault_happened()) << when << ": " << status.error().message;
        end_process(log, end);
        if (sync != Sync::always) log.acked = log.shown = 0; // promised to a kill alone; here the log must open
        log.expect_kept(when);
        if (testing::Test::HasFatalFailure()) return;
        log.forget_lost();
        floor = std::min(floor, static_cast<std::int64_t>(log.shown)); // a table is never ahead of its log
        log.crash();
    }
}

TEST(RetentionModel, TrimsBetweenCommitsAndPowerCutsTakeNothingThatIsNeeded) {
    for (std::uint64_t seed = 0; seed < 250 && !HasFatalFailure(); ++seed) run_history(seed, Sync::always);
}

TEST(RetentionModel, ALogThatIsNotSyncedAtEachCommitOpensAfterATrimToo) {
    for (std::uint64_t seed = 500; seed < 650 && !HasFatalFailure(); ++seed)
        run_history(seed, seed % 2 == 0 ? Sync::interval : Sync::never);
}

} // namespace
} // namespace questlog::log
