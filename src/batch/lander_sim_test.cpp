// Whatever fails at whatever step of landing: each event is in exactly one table, exactly once, and what a reader has
// seen stays.
#include "batch/lander_machine.h"

namespace questlog::batch {
namespace {

void run(io::SimEnv::Fault fault, bool power_cut, std::int64_t n, bool& done) {
    const std::string when =
        fmt::format("fault {} at operation {}, {}", static_cast<int>(fault), n, power_cut ? "power cut" : "kill");
    Machine machine(static_cast<std::uint64_t>(n) * 2 + (power_cut ? 1 : 0));
    machine.append_some(0);
    if (n / 2 % 2 == 0) { // half of them in tables that are there already
        ASSERT_TRUE(machine.lander().land_all().ok()) << when;
        machine.append_some(6);
    }
    machine.world().fail_operation(n, fault);
    const Status landed = machine.lander().land_all();
    done = !machine.world().fault_happened();
    machine.world().fail_nothing();
    if (fault != io::SimEnv::Fault::stop && n / 2 % 3 == 0) { // the process goes on
        machine.append_some(12);
        const Status later = machine.lander().land_all();
        if (fault == io::SimEnv::Fault::disk_full) {
            ASSERT_TRUE(later.ok()) << when << ": " << later.error().message;
            if (!machine.is_any_stopped()) machine.expect_all_landed(when + ", in the same process");
        }
    }
    std::map<std::string, std::vector<std::int64_t>> seen;
    if (fault != io::SimEnv::Fault::stop)
        for (const std::string name : {"sword", "guild", "dead_letters"})
            if (!machine.is_stopped(name)) seen[name] = machine.committed(name);
    if (power_cut)
        machine.world().power_cut();
    else
        machine.world().crash();
    machine.restart();
    for (const auto& [name, before] : seen) {
        if (!landed.ok()) continue; // its commit may have been seen before it was durable
        ASSERT_EQ(machine.committed(name), before) << when << ": what was landed is gone, " << name;
    }
    machine.append_some(18);
    const Status again = machine.lander().land_all();
    ASSERT_TRUE(again.ok()) << when << ": " << again.error().message;
    machine.expect_all_landed(when);
}

class LanderSim : public ::testing::TestWithParam<std::tuple<io::SimEnv::Fault, bool>> {};

TEST_P(LanderSim, NothingIsLostOrDoubledWhateverFails) {
    const auto [fault, power_cut] = GetParam();
    // Each step meets each kind of fault, by a kill or by a power cut.
    constexpr std::int64_t stride = 2;
    int rounds = 0;
    for (std::int64_t n = power_cut ? 1 : 0; !HasFatalFailure(); n += stride, ++rounds) {
        bool done = false;
        run(fault, power_cut, n, done);
        if (done) break;
    }
    EXPECT_GT(rounds, 30);
}

INSTANTIATE_TEST_SUITE_P(Faults, LanderSim,
                         ::testing::Combine(::testing::Values(io::SimEnv::Fault::stop, io::SimEnv::Fault::io_error,
                                                              io::SimEnv::Fault::disk_full),
                                            ::testing::Bool()));

} // namespace
} // namespace questlog::batch
