#include "spark/submitted.h"

#include "io/real_env.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <unistd.h>

namespace questlog::spark {
namespace {

using namespace std::chrono_literals;

class SubmittedPrograms : public ::testing::Test {
protected:
    SubmittedPrograms() {
        std::string pattern = (std::filesystem::temp_directory_path() / "questlog-submitted-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~SubmittedPrograms() override { std::filesystem::remove_all(folder_); }

    Result<Submitted> start(const std::string& script) {
        return Submitted::start(real_.env().clock, "sh", {"-c", script}, log());
    }
    [[nodiscard]] std::string log() const { return folder_ + "/log"; }
    [[nodiscard]] std::string logged() const {
        std::ifstream file(log());
        return {std::istreambuf_iterator<char>(file), {}};
    }
    /// Waits until the program has said it.
    void await_line(const std::string& line) {
        for (int i = 0; i < 1000 && logged() != line; ++i) real_.env().clock.sleep(10ms);
        ASSERT_EQ(logged(), line);
    }

    io::RealEnv real_;
    std::string folder_;
};

TEST_F(SubmittedPrograms, sayWhatTheySayIntoTheLogAndHowTheyEnd) {
    std::ofstream(log()) << "of an earlier run";
    auto program = start("echo out; echo err >&2; exit 3");
    ASSERT_TRUE(program.ok()) << program.error().message;
    ASSERT_TRUE(program->await_end(10s));
    EXPECT_EQ(program->ended(), "exit code 3");
    EXPECT_EQ(logged(), "out\nerr\n");
}

TEST_F(SubmittedPrograms, thatAreNotThereAreRefused) {
    const auto missing = Submitted::start(real_.env().clock, folder_ + "/spark-submit", {}, log());
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().kind, ErrorKind::reject);
    EXPECT_EQ(missing.error().system_errno, ENOENT);
    EXPECT_FALSE(Submitted::start(real_.env().clock, "sh", {}, folder_ + "/no/log").ok());
}

TEST_F(SubmittedPrograms, endWithWhatTheyStarted) {
    auto program = start("sleep 1000 & echo $!; wait");
    ASSERT_TRUE(program.ok());
    for (int i = 0; i < 1000 && !logged().ends_with('\n'); ++i) real_.env().clock.sleep(10ms);
    const pid_t child = std::stoi(logged());
    EXPECT_FALSE(program->ended());
    program->stop();
    EXPECT_EQ(program->ended(), "signal 15");
    for (int i = 0; i < 1000 && ::kill(child, 0) == 0; ++i) real_.env().clock.sleep(10ms);
    EXPECT_NE(::kill(child, 0), 0) << "and so does what it started";
}

TEST_F(SubmittedPrograms, mayEndInTheirOwnTime) {
    auto program = start("trap 'echo asked; exit 7' TERM; echo ready; while :; do :; done");
    ASSERT_TRUE(program.ok());
    await_line("ready\n");
    program->stop();
    EXPECT_EQ(logged(), "ready\nasked\n");
    EXPECT_EQ(program->ended(), "exit code 7");
}

} // namespace
} // namespace questlog::spark
