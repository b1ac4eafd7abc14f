#include "io/scratch_folder.h"
#include "io/sim_env.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace questlog::io {
namespace {

TEST(ScratchFolder, IsMadeAnewWhereItWasTakenAway) {
    SimEnv world(1);
    ScratchFolder scratch(world.env().files, "/lake");
    const std::string first = scratch.path().value();
    EXPECT_EQ(scratch.path().value(), first);
    std::filesystem::remove_all(first);
    const std::string second = scratch.path().value();
    EXPECT_TRUE(std::filesystem::is_directory(second)) << second;
    EXPECT_EQ(scratch.path().value(), second);
}

} // namespace
} // namespace questlog::io
