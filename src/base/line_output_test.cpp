#include "base/line_output.h"

#include <algorithm>
#include <array>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <utility>

namespace questlog {
namespace {

class LineOutputTest : public ::testing::Test {
protected:
    LineOutputTest() { EXPECT_EQ(::pipe(ends_.data()), 0); }
    ~LineOutputTest() override {
        ::close(ends_[0]);
        if (ends_[1] >= 0) ::close(ends_[1]);
    }
    std::string read_to_the_end() {
        ::close(std::exchange(ends_[1], -1));
        std::string text;
        std::array<char, 65536> part{};
        for (ssize_t got = 0; (got = ::read(ends_[0], part.data(), part.size())) > 0;)
            text.append(part.data(), static_cast<std::size_t>(got));
        return text;
    }
    std::array<int, 2> ends_{};
};

TEST_F(LineOutputTest, WritesAllInOrder) {
    {
        LineOutput output(ends_[1]);
        for (int i = 0; i < 1000; ++i) output.write("line " + std::to_string(i) + "\n");
    }
    const std::string text = read_to_the_end();
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1000);
    EXPECT_TRUE(text.starts_with("line 0\nline 1\n"));
    EXPECT_TRUE(text.ends_with("line 999\n"));
}

TEST_F(LineOutputTest, NeitherWaitsForAReaderNorHoldsUpTheEnd) {
    const std::string line(1023, 'x');
    {
        LineOutput output(ends_[1]);
        for (int i = 0; i < 10'000; ++i) output.write(line + "\n"); // 10 MB, and nobody reads
    }
    EXPECT_LE(read_to_the_end().size(), std::size_t{1024} * 1024) << "what the pipe holds";
}

TEST_F(LineOutputTest, TellsWhatWasDropped) {
    {
        LineOutput output(ends_[1]);
        output.write(std::string(LineOutput::queue_bytes_max, 'x') + "\n"); // more than it queues
        output.write("kept\n");
    }
    const std::string text = read_to_the_end();
    EXPECT_NE(text.find("(1 lines dropped: nobody read them in time)\n"), std::string::npos) << text;
    EXPECT_NE(text.find("kept\n"), std::string::npos) << text;
    EXPECT_LT(text.size(), 100U);
}

} // namespace
} // namespace questlog
