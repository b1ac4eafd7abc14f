// The rare steps of landing, with the power failing in each: making a table anew, and the hundredth commit's
// checkpoint.
#include "batch/lander_machine.h"

#include <limits>

namespace questlog::batch {
namespace {

using Fault = io::SimEnv::Fault;

class LanderPowerSim : public ::testing::TestWithParam<Fault> {
protected:
    /// Each step meets a power cut; and a fault before it, every third.
    [[nodiscard]] static std::int64_t stride() { return GetParam() == Fault::stop ? 1 : 3; }
    [[nodiscard]] static std::int64_t first() { return GetParam() == Fault::disk_full ? 1 : 0; }
};

/// Three cuts, landed.
Machine::Image three_cuts() {
    Machine machine(1);
    for (const int first : {0, 6, 12}) {
        machine.append_some(first);
        machine.let_time_pass();
    }
    EXPECT_TRUE(machine.lander().land_all().ok());
    return machine.image();
}

/// False: there are not as many operations.
bool rebuild_with(const Machine::Image& before, Fault fault, std::int64_t n) {
    const std::string when = fmt::format("fault {} at operation {}", static_cast<int>(fault), n);
    Machine machine(static_cast<std::uint64_t>(n));
    machine.restore(before);
    machine.append_some(18);
    EXPECT_TRUE(machine.lander().land_all().ok()) << when; // it knows the old table now
    machine.world().fail_operation(n, fault);
    const Status rebuilt = machine.rebuild_table("sword");
    const bool happened = machine.world().fault_happened();
    EXPECT_TRUE(rebuilt.ok() || happened) << when << ": " << rebuilt.error().message;
    machine.world().fail_nothing();
    if (n % 3 == 0 && fault != Fault::stop) { // what landed before goes on, whichever of the two tables it finds
        machine.append_some(24);
        const Status landed = machine.lander().land_all();
        EXPECT_TRUE(landed.ok()) << when << ": " << landed.error().message;
        if (!machine.is_any_stopped()) machine.expect_all_landed(when + ", by the same lander");
    }
    machine.world().power_cut();
    machine.restart();
    machine.append_some(30);
    const Status landed = machine.lander().land_all();
    EXPECT_TRUE(landed.ok()) << when << ": " << landed.error().message;
    machine.expect_all_landed(when);
    const Status again = machine.rebuild_table("sword");
    EXPECT_TRUE(again.ok()) << when << ": " << again.error().message;
    machine.append_some(36);
    EXPECT_TRUE(machine.lander().land_all().ok()) << when;
    machine.expect_all_landed(when + ", and made anew");
    return happened;
}

TEST_P(LanderPowerSim, ARebuiltTableIsTheOldOneOrTheNewOne) {
    const Machine::Image before = three_cuts();
    std::int64_t n = first();
    while (!HasFailure() && rebuild_with(before, GetParam(), n)) n += stride();
    EXPECT_GT(n, 100);
}

constexpr int commits_before_a_checkpoint = 100;
const std::string delta_log = "/data/lake/events/sword/_delta_log";

Machine::Image before_a_checkpoint() {
    Machine machine(1);
    for (int i = 0; i < commits_before_a_checkpoint; ++i) {
        machine.append_sword(i);
        machine.let_time_pass();
    }
    EXPECT_TRUE(machine.lander().land_all().ok());
    machine.append_some(0);
    return machine.image();
}

/// What becomes of a landing whose operation `n` fails.
struct Course {
    bool is_named = false; ///< A checkpoint, after the power cut.
    bool happened = false; ///< Else there are not as many operations.
    std::int64_t operations = 0;
};

Course checkpoint_with(const Machine::Image& before, Fault fault, std::int64_t n) {
    const std::string when = fmt::format("fault {} at operation {}", static_cast<int>(fault), n);
    Machine machine(static_cast<std::uint64_t>(n));
    machine.restore(before);
    Course course;
    const std::int64_t began = machine.world().operations();
    machine.world().fail_operation(n, fault);
    static_cast<void>(machine.lander().land_all());
    course.operations = machine.world().operations() - began;
    course.happened = machine.world().fault_happened();
    machine.world().fail_nothing();
    machine.world().power_cut();
    machine.restart();
    course.is_named = machine.world().contents(delta_log + "/_last_checkpoint").has_value();
    machine.append_some(6);
    const Status landed = machine.lander().land_all();
    EXPECT_TRUE(landed.ok()) << when << ": " << landed.error().message;
    if (course.is_named)
        for (int i = 0; i < commits_before_a_checkpoint; ++i)
            machine.world().remove(fmt::format("{}/{:020}.json", delta_log, i));
    machine.expect_all_landed(when);
    return course;
}

TEST_P(LanderPowerSim, ACheckpointLeavesTheTableWhole) {
    const Machine::Image before = before_a_checkpoint();
    ASSERT_TRUE(before.files.contains(fmt::format("{}/{:020}.json", delta_log, commits_before_a_checkpoint - 1)));
    ASSERT_FALSE(before.files.contains(fmt::format("{}/{:020}.json", delta_log, commits_before_a_checkpoint)));
    const Course unharmed = checkpoint_with(before, GetParam(), std::numeric_limits<std::int64_t>::max());
    ASSERT_TRUE(unharmed.is_named);
    constexpr std::int64_t last_steps = 60;
    constexpr std::int64_t reading_steps = 5L * commits_before_a_checkpoint; // of the commits before it
    constexpr std::int64_t reading_stride = 29;
    std::int64_t n = unharmed.operations - last_steps - reading_steps + first();
    for (; !HasFailure() && n < unharmed.operations - last_steps; n += reading_stride)
        ASSERT_FALSE(checkpoint_with(before, GetParam(), n).is_named) << n;
    n = unharmed.operations - last_steps + first();
    ASSERT_FALSE(checkpoint_with(before, GetParam(), n).is_named) << "what was before it is not among the last steps";
    while (!HasFailure() && checkpoint_with(before, GetParam(), n).happened) n += stride();
    EXPECT_GE(n, unharmed.operations);
}

INSTANTIATE_TEST_SUITE_P(Faults, LanderPowerSim, ::testing::Values(Fault::stop, Fault::io_error, Fault::disk_full));

} // namespace
} // namespace questlog::batch
