// Segments are rolled by the age of their first event, as the timestamps tell it.
#include "log/simulated_log.h"

namespace questlog::log {
namespace {

constexpr std::int64_t hour_ms = 3'600'000;

class SegmentAge : public testing::Test {
protected:
    SegmentAge() { log_.topic.settings.segment_ms = hour_ms; }

    Status commit(std::int64_t ms) {
        auto& partition = log_.writer->partition(Partition{0});
        builder_.begin(partition.next_offset());
        log_.appended.push_back(fmt::format("event at {}", ms));
        builder_.add(TimestampMs{ms}, log_.appended.back());
        CHECK_OK(partition.append(builder_.seal()));
        CHECK_OK(partition.sync());
        log_.acked = log_.appended.size();
        return {};
    }

    SimulatedLog log_{1, 256 * 1024};
    BatchBuilder builder_;
};

TEST_F(SegmentAge, ABatchThatIsSoMuchYoungerBeginsASegment) {
    ASSERT_TRUE(log_.open().ok());
    for (const std::int64_t ms : {std::int64_t{5}, std::int64_t{6}, hour_ms + 4, hour_ms + 5, hour_ms + 6, 2 * hour_ms})
        ASSERT_TRUE(commit(ms).ok());
    ASSERT_EQ(log_.segments().size(), 2U);
    EXPECT_TRUE(log_.segments()[1].ends_with("00000000000000000003.log")) << log_.segments()[1];
    ASSERT_TRUE(commit(9 * hour_ms).ok());
    EXPECT_EQ(log_.segments().size(), 3U);
    log_.power_cut();
    log_.expect_kept("after a power cut");
}

TEST_F(SegmentAge, IsTheFirstEventsAlsoAfterARestart) {
    ASSERT_TRUE(log_.open().ok() && commit(5).ok() && commit(hour_ms).ok());
    log_.crash();
    ASSERT_TRUE(log_.open().ok() && commit(hour_ms + 4).ok());
    EXPECT_EQ(log_.segments().size(), 1U);
    ASSERT_TRUE(log_.close().ok() && log_.open().ok() && commit(hour_ms + 5).ok());
    EXPECT_EQ(log_.segments().size(), 2U);
}

TEST_F(SegmentAge, DoesNotMatterWhereNothingSaysSo) {
    log_.topic.settings.segment_ms.reset();
    ASSERT_TRUE(log_.open().ok() && commit(5).ok() && commit(1000 * hour_ms).ok());
    EXPECT_EQ(log_.segments().size(), 1U);
}

TEST_F(SegmentAge, OnAFullDiskThePresentSegmentServesOn) {
    ASSERT_TRUE(log_.open().ok() && commit(5).ok());
    log_.sim.fill_disk(true);
    ASSERT_TRUE(commit(hour_ms + 5).ok());
    EXPECT_EQ(log_.segments().size(), 1U);
    log_.sim.fill_disk(false);
    ASSERT_TRUE(commit(hour_ms + 6).ok());
    EXPECT_EQ(log_.segments().size(), 1U) << "it is tried again when as much time has passed again";
    ASSERT_TRUE(commit(2 * hour_ms + 5).ok());
    EXPECT_EQ(log_.segments().size(), 2U);
    log_.power_cut();
    log_.expect_kept("after a power cut");
}

} // namespace
} // namespace questlog::log
