// Two landers at once: at whatever step of one the other does a whole round, each event is landed once. The lock keeps
// them apart; without it, the plans and commits that are put only where there is none do.
#include "batch/interrupted_files.h"
#include "batch/lander_machine.h"

namespace questlog::batch {
namespace {

using Locks = InterruptedFiles::Locks;
enum class Meanwhile : std::uint8_t { nothing_comes, more_comes };

/// A lander, and the world as it sees it.
struct Party {
    Party(Machine& machine, Locks locks)
        : files(machine.world().env().files, locks),
          env{machine.world().env().clock, files, machine.world().env().entropy}, store(env, "/data/lake"),
          lander(machine.another_lander(env, store)) {}

    InterruptedFiles files;
    io::Env env;
    lake::ContinuousStore store;
    std::unique_ptr<Lander> lander;
};

/// The second one's round comes before operation `n` of the first one's. False: there are not as many.
bool meet(Locks locks, Meanwhile meanwhile, std::int64_t n, int& kept_out) {
    const std::string when = fmt::format("operation {}", n);
    Machine machine(static_cast<std::uint64_t>(n));
    machine.append_some(0);
    if (n / 2 % 2 == 0) { // half of them in tables that are there already
        EXPECT_TRUE(machine.lander().land_all().ok()) << when;
    }
    machine.let_time_pass();
    machine.append_some(6);
    machine.let_time_pass();
    machine.append_some(12);
    Party one(machine, locks);
    Party other(machine, locks);
    Status met;
    one.files.interrupt_at(n, [&] {
        if (meanwhile == Meanwhile::more_comes) machine.append_some(18);
        met = other.lander->land_all();
    });
    const Status landed = one.lander->land_all();
    const bool happened = one.files.was_interrupted();
    if (locks == Locks::kept) {
        EXPECT_TRUE(landed.ok()) << when << ": " << landed.error().message;
        EXPECT_TRUE(met.ok() || met.error().kind == ErrorKind::retry_later) << when << ": " << met.error().message;
        if (!met.ok()) ++kept_out;
        EXPECT_FALSE(machine.is_any_stopped()) << when;
    }
    if (n % 3 == 0) { // both go on
        machine.append_some(24);
        const Status second = other.lander->land_all();
        machine.append_some(30);
        const Status third = one.lander->land_all();
        if (locks == Locks::kept) {
            EXPECT_TRUE(second.ok()) << when << ": " << second.error().message;
            EXPECT_TRUE(third.ok()) << when << ": " << third.error().message;
            machine.expect_all_landed(when + ", by the two");
        }
    }
    if (n % 3 == 1) machine.world().power_cut();
    machine.restart();
    machine.append_some(36);
    const Status again = machine.lander().land_all();
    EXPECT_TRUE(again.ok()) << when << ": " << again.error().message;
    machine.expect_all_landed(when);
    return happened;
}

class LanderPairSim : public ::testing::TestWithParam<std::tuple<Locks, Meanwhile>> {};

TEST_P(LanderPairSim, EachEventIsLandedOnceWhereverTheyMeet) {
    const auto [locks, meanwhile] = GetParam();
    // With the lock and without, they meet at each step: at half of them while more events come.
    constexpr std::int64_t stride = 2;
    int kept_out = 0;
    std::int64_t n = meanwhile == Meanwhile::more_comes ? 1 : 0;
    while (!HasFailure() && meet(locks, meanwhile, n, kept_out)) n += stride;
    EXPECT_GT(n, 150);
    EXPECT_EQ(kept_out > 50, locks == Locks::kept) << kept_out;
}

INSTANTIATE_TEST_SUITE_P(Locks, LanderPairSim,
                         ::testing::Combine(::testing::Values(Locks::kept, Locks::ignored),
                                            ::testing::Values(Meanwhile::nothing_comes, Meanwhile::more_comes)));

} // namespace
} // namespace questlog::batch
