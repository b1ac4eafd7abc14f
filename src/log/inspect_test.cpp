#include "log/inspect.h"

#include "log/simulated_log.h"

#include <algorithm>

namespace questlog::log {
namespace {

class InspectTest : public testing::Test {
protected:
    void SetUp() override {
        ASSERT_TRUE(log_.open().ok());
        for (int i = 0; i < 6; ++i) ASSERT_TRUE(log_.commit(3, 200).ok());
    }

    Status run(const InspectOptions& options) {
        lines_.clear();
        return inspect(log_.sim.env(), log_.topics, log_.topic, options, [this](std::string_view line) {
            lines_.emplace_back(line);
            return true;
        });
    }

    [[nodiscard]] std::size_t count(std::string_view part) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            lines_, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
    }

    SimulatedLog log_{5, 2048};
    std::vector<std::string> lines_;
};

TEST_F(InspectTest, ShowsEveryBatchWithTheServerUpAndDown) {
    ASSERT_TRUE(run({}).ok());
    EXPECT_EQ(lines_.front().substr(0, 21), "topic game-events id ");
    EXPECT_EQ(count("partition 0: durable end 18, being written"), 1U);
    EXPECT_EQ(count("  segment "), log_.segments().size());
    EXPECT_EQ(count("    batch offsets "), 6U);
    EXPECT_EQ(count("batch offsets 0..2 count 3 position 0 "), 1U);
    EXPECT_EQ(count("codec none crc ok"), 6U);
    ASSERT_TRUE(log_.append(3, 50).ok());
    ASSERT_TRUE(run({}).ok());
    EXPECT_EQ(count("    batch offsets "), 6U) << "a live writer's unsynced batch is not there";
    log_.crash();
    ASSERT_TRUE(run({}).ok());
    EXPECT_EQ(count("not closed cleanly"), 1U);
    EXPECT_EQ(count("(above the durable end)"), 1U);
    ASSERT_TRUE(log_.open().ok());
    ASSERT_TRUE(log_.close().ok());
    ASSERT_TRUE(run({}).ok());
    EXPECT_EQ(count("closed cleanly"), 1U);
    EXPECT_EQ(count("    batch offsets "), 7U);
}

TEST_F(InspectTest, ShowsRecordsOfARange) {
    InspectOptions options;
    options.records = true;
    options.from = Offset{4};
    options.to = Offset{11};
    ASSERT_TRUE(run(options).ok());
    EXPECT_EQ(count("      4 2020-01-01T12:00:00."), 1U);
    EXPECT_EQ(count("{\"event\": "), 7U);
    EXPECT_EQ(count("{\"event\": 11"), 0U);
    EXPECT_EQ(count("    batch offsets "), 3U);
    options.partition = Partition{1};
    EXPECT_EQ(run(options).error().kind, ErrorKind::reject);
}

TEST_F(InspectTest, GivesOneJsonObjectALine) {
    BatchBuilder builder;
    auto& partition = log_.writer->partition(Partition{0});
    builder.begin(partition.next_offset());
    builder.add(TimestampMs{1'577'880'100'000}, "quote \" back \\ line \n bad \xff\xc3 good \xc3\xa9", "k");
    ASSERT_TRUE(partition.append(builder.seal()).ok() && partition.sync().ok());
    InspectOptions options;
    options.json = options.records = true;
    options.from = Offset{18};
    ASSERT_TRUE(run(options).ok());
    EXPECT_EQ(lines_.back(),
              R"({"kind": "record", "offset": 18, "timestamp": 1577880100000, "key": "k", "headers": [], "value": )"
              R"("quote \" back \\ line \u000a bad \ufffd\ufffd good é"})");
    EXPECT_EQ(count(R"({"kind": "batch", "base_offset": 18, "last_offset": 18, "count": 1, )"), 1U);
    for (const auto& line : lines_) EXPECT_TRUE(line.starts_with("{\"kind\": ") && line.ends_with('}')) << line;
}

TEST_F(InspectTest, ShowsDamageAndWhatLiesBehindIt) {
    ASSERT_TRUE(log_.close().ok());
    const auto path = log_.segments().front();
    log_.sim.flip_bit(path, 100, 3);
    const auto status = run({});
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, ErrorKind::corrupt);
    EXPECT_NE(status.error().message.find(path), std::string::npos);
    EXPECT_EQ(count("    DAMAGED at byte 0 of " + path), 1U);
    EXPECT_EQ(count("a valid batch follows at byte "), 1U);
    EXPECT_EQ(count("    batch offsets "), 5U) << "all but the damaged one";
}

TEST_F(InspectTest, NamesAMissingSegmentAndAMissingDurableEnd) {
    ASSERT_TRUE(log_.close().ok());
    const auto middle = log_.segments()[1];
    log_.sim.remove(middle);
    EXPECT_EQ(run({}).error().kind, ErrorKind::corrupt);
    EXPECT_EQ(count("DAMAGED"), 1U);
    log_.sim.remove(durable_end_file(log_.directory()));
    EXPECT_EQ(run({}).error().kind, ErrorKind::corrupt);
    EXPECT_GE(count("    batch offsets "), 2U) << "the batches are shown all the same";
}

TEST_F(InspectTest, ATornTailIsNoDamage) {
    ASSERT_TRUE(log_.append(3, 100).ok());
    const auto path = log_.segments().back();
    log_.crash();
    const auto contents = *log_.sim.contents(path);
    log_.sim.flip_bit(path, static_cast<std::int64_t>(contents.find_last_not_of('\0')) - 5, 1);
    EXPECT_TRUE(run({}).ok());
    EXPECT_EQ(count("torn batch at byte "), 1U);
    EXPECT_EQ(count("DAMAGED"), 0U);
}

TEST_F(InspectTest, StopsWhenNoOneListens) {
    int heard = 0;
    ASSERT_TRUE(
        inspect(log_.sim.env(), log_.topics, log_.topic, {}, [&](std::string_view) { return ++heard < 4; }).ok());
    EXPECT_EQ(heard, 4);
}

} // namespace
} // namespace questlog::log
