// Whatever fails at whatever step: the table is whole, and what was told stays.
#include "lake/delta_log_fixture.h"

namespace questlog::lake {
namespace {

class DeltaLogSim : public DeltaLogTest, public ::testing::WithParamInterface<io::SimEnv::Fault> {};

/// Whatever fails in a commit or in a checkpoint: the table is as before or as after, and what was told stays.
TEST_P(DeltaLogSim, SurvivesAPowerCutAtAnyStep) {
    const DeltaState before = commit_all(0, 99);
    for (std::int64_t n = 0;; ++n) {
        io::SimEnv world(static_cast<std::uint64_t>(n) + 5);
        const DeltaLog log(world.env(), "/lake/sword", "/lake/.staging");
        ASSERT_TRUE(world.env().files.make_directories("/lake/sword/_delta_log").ok());
        for (int i = 0; i < 99; ++i) world.put(path(commit_name(i)), *world_.contents(path(commit_name(i))));
        const std::string scratch = world.env().files.scratch_directory("/lake").value() + "/checkpoint";
        DeltaState state = before;
        world.fail_operation(n, GetParam());
        const auto ninety_nine = log.commit(state, append(99));
        const auto hundred = ninety_nine.ok() ? log.commit(state, append(100)) : ninety_nine;
        if (hundred.ok()) static_cast<void>(log.checkpoint(*connection_, state, scratch));
        const bool failed = world.fault_happened();
        world.fail_nothing();
        world.power_cut();
        const auto read = DeltaLog(world.env(), "/lake/sword", "/lake/.staging").open(*connection_);
        ASSERT_TRUE(read.ok() && *read) << n << ": " << (read.ok() ? "no table" : read.error().message);
        ASSERT_GE((*read)->version, hundred.ok() ? 100 : ninety_nine.ok() ? 99 : 98) << n;
        ASSERT_EQ((*read)->files.size(), static_cast<std::size_t>((*read)->version + 1)) << n;
        ASSERT_EQ((*read)->transactions.at("questlog:id:0"), (*read)->version + 1) << n;
        ASSERT_EQ((*read)->metadata, before.metadata) << n;
        if (!failed) break;
    }
}

INSTANTIATE_TEST_SUITE_P(Faults, DeltaLogSim,
                         ::testing::Values(io::SimEnv::Fault::stop, io::SimEnv::Fault::io_error,
                                           io::SimEnv::Fault::disk_full));

} // namespace
} // namespace questlog::lake
