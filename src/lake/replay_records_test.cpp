#include "lake/replay_records.h"

#include "io/sim_env.h"
#include "io/whole_file.h"

#include <gtest/gtest.h>
#include <random>
#include <set>

namespace questlog::lake {
namespace {

TEST(ReplayRecords, AreReadAsTheyWereWritten) {
    io::SimEnv world(1);
    ReplayRecords records(world.env(), "/lake", "4L6g3nShT-eMCtK--X86sw");
    EXPECT_EQ(records.read().value(), Replays{});
    Replays replays;
    for (const std::int64_t offset : {4, 5, 9, 7, 8}) add(replays.done, Partition{0}, Offset{offset});
    add(replays.done, Partition{2}, Offset{0});
    add(replays.under_way, Partition{1}, Offset{77});
    replays.since = {Offset{10}, Offset{0}, Offset{99}};
    EXPECT_EQ(replays.done.at(Partition{0}),
              (std::vector<OffsetSpan>{{Offset{4}, Offset{6}}, {Offset{7}, Offset{10}}}));
    ASSERT_TRUE(records.write(replays).ok());
    world.power_cut();
    EXPECT_EQ(ReplayRecords(world.env(), "/lake", "4L6g3nShT-eMCtK--X86sw").read().value(), replays);
}

TEST(ReplayRecords, SpansHoldWhatWasAdded) {
    std::mt19937_64 random(3);
    DeadLetterSpans spans;
    std::set<std::int64_t> added;
    for (int i = 0; i < 300; ++i) {
        const auto offset = static_cast<std::int64_t>(random() % 400);
        add(spans, Partition{0}, Offset{offset});
        added.insert(offset);
    }
    for (std::int64_t offset = -1; offset < 402; ++offset)
        ASSERT_EQ(has(spans, Partition{0}, Offset{offset}), added.contains(offset)) << offset;
    EXPECT_FALSE(has(spans, Partition{1}, Offset{0}));
    for (std::size_t i = 1; i < spans.at(Partition{0}).size(); ++i)
        ASSERT_LT(spans.at(Partition{0})[i - 1].to, spans.at(Partition{0})[i].from);
}

TEST(ReplayRecords, DamageIsTold) {
    io::SimEnv world(1);
    ReplayRecords records(world.env(), "/lake", "4L6g3nShT-eMCtK--X86sw");
    Replays replays;
    add(replays.done, Partition{0}, Offset{12});
    ASSERT_TRUE(records.write(replays).ok());
    const std::string path = "/lake/.landing/4L6g3nShT-eMCtK--X86sw/replayed";
    std::string text = io::read_text_file(world.env().files, path).value();
    text[text.find("12")] = '2';
    ASSERT_TRUE(io::write_file_durably(world.env().files, "/lake/.landing/4L6g3nShT-eMCtK--X86sw", path, text).ok());
    const auto read = records.read();
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
    EXPECT_NE(read.error().message.find(path), std::string::npos);
}

TEST(ReplayRecords, OneSendsAtATime) {
    io::SimEnv world(1);
    ReplayRecords records(world.env(), "/lake", "4L6g3nShT-eMCtK--X86sw");
    auto held = records.lock({});
    ASSERT_TRUE(held.ok());
    EXPECT_EQ(records.lock({}).error().kind, ErrorKind::retry_later);
}

} // namespace
} // namespace questlog::lake
