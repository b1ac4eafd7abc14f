// The record of a log's start: its bytes, what is refused of it, and what counts as a segment beside it.
#include "log/log_start.h"

#include "base/crc32c.h"
#include "io/sim_env.h"
#include "log/log_files.h"

#include <fstream>
#include <gtest/gtest.h>
#include <span>

namespace questlog::log {
namespace {

class LogStartTest : public ::testing::Test {
protected:
    LogStartTest() { EXPECT_TRUE(files().make_directories("/p").ok()); }
    io::Files& files() { return sim_.env().files; }
    void make_segments(const std::vector<std::int64_t>& bases) {
        for (const std::int64_t base : bases) sim_.put(segment_file("/p", Offset{base}), "");
    }
    std::vector<std::int64_t> listed() {
        std::vector<std::int64_t> bases;
        const auto found = list_segments(files(), "/p");
        EXPECT_TRUE(found.ok()) << found.error().message;
        if (found.ok())
            for (const Offset base : found->bases) bases.push_back(base.value);
        return bases;
    }
    ErrorKind refused() {
        const auto found = list_segments(files(), "/p");
        EXPECT_FALSE(found.ok());
        return found.ok() ? ErrorKind::internal : found.error().kind;
    }

    io::SimEnv sim_{1};
};

TEST_F(LogStartTest, TheGoldenBytesAreWrittenAndRead) {
    ASSERT_TRUE(write_log_start(files(), "/p", Offset{337'000}).ok());
    std::ifstream golden(std::string(QUESTLOG_SOURCE_DIR) + "/tests/golden/log-trimmed/start_offset", std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(golden), {}};
    EXPECT_EQ(sim_.contents(log_start_file("/p")), bytes);
    EXPECT_EQ(*read_log_start(files(), "/p"), Offset{337'000});
    sim_.power_cut();
    EXPECT_EQ(*read_log_start(files(), "/p"), Offset{337'000});
}

TEST_F(LogStartTest, EveryDamagedByteIsSeen) {
    ASSERT_TRUE(write_log_start(files(), "/p", Offset{337'000}).ok());
    const auto good = *sim_.contents(log_start_file("/p"));
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            sim_.put(log_start_file("/p"), good);
            sim_.flip_bit(log_start_file("/p"), static_cast<std::int64_t>(i), bit);
            ASSERT_EQ(read_log_start(files(), "/p").error().kind, ErrorKind::corrupt) << "byte " << i << " bit " << bit;
        }
        sim_.put(log_start_file("/p"), good.substr(0, i));
        ASSERT_EQ(read_log_start(files(), "/p").error().kind, ErrorKind::corrupt) << "cut at " << i;
    }
}

TEST_F(LogStartTest, ANewerVersionIsRefusedByNumber) {
    std::string text = "questlog log start\nversion = 2\nstart = 7 compressed\n";
    text += fmt::format("crc32c = {:08x}\n", crc32c(text));
    sim_.put(log_start_file("/p"), text);
    const auto read = read_log_start(files(), "/p");
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().kind, ErrorKind::reject);
    EXPECT_NE(read.error().message.find("version 2"), std::string::npos) << read.error().message;
}

TEST_F(LogStartTest, WhatLiesBelowTheStartIsNoSegmentOfTheLog) {
    make_segments({0, 10, 30});
    EXPECT_EQ(listed(), (std::vector<std::int64_t>{0, 10, 30}));
    ASSERT_TRUE(write_log_start(files(), "/p", Offset{10}).ok());
    EXPECT_EQ(listed(), (std::vector<std::int64_t>{10, 30}));
    EXPECT_EQ(list_segments(files(), "/p")->start, Offset{10});
    sim_.put("/p/00000000000000000000.index", "");
    sim_.put("/p/00000000000000000000.log.damaged-7", "");
    ASSERT_TRUE(begin_at(files(), "/p", Offset{10}).ok());
    EXPECT_EQ(sim_.names("/p"),
              (std::vector<std::string>{"00000000000000000000.log.damaged-7", "00000000000000000010.log",
                                        "00000000000000000030.log", "start_offset"}))
        << "what a repair set aside is a person's";
}

TEST_F(LogStartTest, AMissingFirstSegmentIsDamageWhereverTheLogBegins) {
    EXPECT_EQ(listed(), std::vector<std::int64_t>{});
    make_segments({10, 30});
    EXPECT_EQ(refused(), ErrorKind::corrupt) << "no start was recorded";
    ASSERT_TRUE(write_log_start(files(), "/p", Offset{20}).ok());
    EXPECT_EQ(refused(), ErrorKind::corrupt);
    ASSERT_TRUE(write_log_start(files(), "/p", Offset{40}).ok());
    EXPECT_EQ(refused(), ErrorKind::corrupt);
    ASSERT_TRUE(write_log_start(files(), "/p", Offset{30}).ok());
    EXPECT_EQ(listed(), std::vector<std::int64_t>{30});
}

} // namespace
} // namespace questlog::log
