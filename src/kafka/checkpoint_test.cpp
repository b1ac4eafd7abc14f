#include "kafka/checkpoint.h"

#include "base/checked_text.h"
#include "io/sim_env.h"
#include "io/whole_file.h"

#include <gtest/gtest.h>

namespace questlog::kafka {
namespace {

class CheckpointTest : public testing::Test {
protected:
    io::SimEnv sim_{3};
    CheckpointFile file_{sim_.env(), "/data/kafka", "game-events"};
};

TEST_F(CheckpointTest, IsReadAsItWasWrittenAndOutlastsAPowerCut) {
    EXPECT_EQ(*file_.read(3), std::nullopt);
    const Checkpoint checkpoint{"4L6g3nShT-eMCtK--X86sw", {Arrived{Offset{7}, 9}, std::nullopt, Arrived{Offset{}, 0}}};
    ASSERT_TRUE(file_.write({"another", {std::nullopt, std::nullopt, std::nullopt}}).ok());
    ASSERT_TRUE(file_.write(checkpoint).ok());
    sim_.power_cut();
    EXPECT_EQ(*file_.read(3), checkpoint);
    EXPECT_EQ(file_.path(), "/data/kafka/game-events.forwarded");
    const auto text = io::read_text_file(sim_.env().files, file_.path());
    EXPECT_TRUE(text->starts_with("questlog forwarded\nversion = 1\nlog = 4L6g3nShT-eMCtK--X86sw\n"
                                  "partition = 0 7 9\npartition = 2 0 0\ncrc32c = "))
        << *text;
}

TEST_F(CheckpointTest, WhatIsNoneIsCorruptAndSaysWhatToDo) {
    ASSERT_TRUE(file_.write({"x", {std::nullopt}}).ok());
    for (const char* lines :
         {"", "partition = 0 1 2\n", "log = x\npartition = 1 1 2\n", "log = x\npartition = -1 1 2\n",
          "log = x\npartition = 0 1\n", "log = x\npartition = 0 -1 2\n", "log = x\npartition = 0 1 -2\n",
          "log = x\npartition = 0 1 2 3\n", "log = x\nanything\n"}) {
        const auto text = encode_checked_text({"questlog forwarded", 1, ""}, lines);
        ASSERT_TRUE(io::write_file_durably(sim_.env().files, "/data/kafka", file_.path(), text).ok());
        const auto read = file_.read(1);
        ASSERT_FALSE(read.ok()) << lines;
        EXPECT_EQ(read.error().kind, ErrorKind::corrupt) << lines;
        EXPECT_NE(read.error().message.find(file_.path()), std::string::npos);
        EXPECT_NE(read.error().message.find("remove it"), std::string::npos);
    }
}

} // namespace
} // namespace questlog::kafka
