#include "batch/cut_finder.h"

#include "scan/fake_log.h"

#include <gtest/gtest.h>

namespace questlog::batch {
namespace {

constexpr std::int64_t noon = 1'795'348'800'000; // of 2026-11-22, in UTC
constexpr std::int64_t day_ms = 86'400'000;

class CutFinderTest : public ::testing::Test {
protected:
    /// One batch of `events`, a millisecond apart.
    void append(std::int64_t first_ms, int events = 1) {
        log_.append(std::vector<std::string>(static_cast<std::size_t>(events), "{}"), first_ms);
    }
    std::optional<std::int64_t> find(CutFinder& finder) {
        const auto found = finder.find(log_, log_.end_offset().value());
        EXPECT_TRUE(found.ok());
        if (!*found) return std::nullopt;
        return (*found)->value;
    }

    scan::testing::FakePartition log_{Partition{0}};
    CutLimits limits_{1'000'000, std::chrono::milliseconds(60'000)};
};

TEST_F(CutFinderTest, NothingIsDueBeforeALimitIsReached) {
    CutFinder finder(limits_, Offset{0});
    EXPECT_EQ(find(finder), std::nullopt);
    EXPECT_FALSE(finder.has_events());
    append(noon, 3);
    EXPECT_EQ(find(finder), std::nullopt);
    EXPECT_TRUE(finder.has_events());
    EXPECT_EQ(finder.first_time(), TimestampMs{noon});
    EXPECT_EQ(finder.seen(), Offset{3});
}

TEST_F(CutFinderTest, ACutEndsBeforeTheFirstEventThatIsTheTimeAfterItsFirst) {
    append(noon);
    append(noon + 59'999);
    CutFinder finder(limits_, Offset{0});
    EXPECT_EQ(find(finder), std::nullopt);
    append(noon + 59'999, 3); // the second of these is a minute after
    EXPECT_EQ(find(finder), 3);
    finder.restart(Offset{3});
    EXPECT_EQ(find(finder), std::nullopt);
    EXPECT_EQ(finder.first_time(), TimestampMs{noon + 60'000});
}

TEST_F(CutFinderTest, NoCutHasEventsOfTwoDays) {
    limits_.time = std::chrono::hours(100);
    const std::int64_t midnight = noon / day_ms * day_ms + day_ms;
    append(midnight - 2, 5);
    CutFinder finder(limits_, Offset{0});
    EXPECT_EQ(find(finder), 2);
    finder.restart(Offset{2});
    EXPECT_EQ(find(finder), std::nullopt);
    append(midnight + day_ms);
    EXPECT_EQ(find(finder), 5);
    EXPECT_EQ(utc_date(TimestampMs{midnight - 1}), "2026-11-22");
    EXPECT_EQ(utc_date(TimestampMs{midnight}), "2026-11-23");
    EXPECT_EQ(utc_date(TimestampMs{midnight * 1000}), "9999-12-31") << "readers of tables know no later years";
}

TEST_F(CutFinderTest, ACutEndsAfterTheBatchThatMakesItTooLarge) {
    append(noon, 10);
    limits_.bytes = static_cast<std::int64_t>(log::batch_header_bytes) + 1;
    CutFinder finder(limits_, Offset{0});
    EXPECT_EQ(find(finder), 10);
    finder.restart(Offset{10});
    append(noon, 4);
    append(noon, 5);
    EXPECT_EQ(find(finder), 14);
}

/// Whether it is asked after each batch or once: a cut is where the log says.
TEST_F(CutFinderTest, WhenItIsAskedDoesNotMatter) {
    limits_ = {2'000, std::chrono::milliseconds(700)};
    std::vector<std::int64_t> asked_often;
    CutFinder often(limits_, Offset{0});
    std::int64_t time = noon;
    for (int i = 0; i < 300; ++i) {
        append(time, 1 + i * 7 % 40);
        time += 40 + i * 13 % 90;
        while (const auto cut = find(often)) {
            asked_often.push_back(*cut);
            often.restart(Offset{*cut});
        }
    }
    std::vector<std::int64_t> asked_once;
    CutFinder once(limits_, Offset{0});
    while (const auto cut = find(once)) {
        asked_once.push_back(*cut);
        once.restart(Offset{*cut});
    }
    EXPECT_GT(asked_once.size(), 20U);
    EXPECT_EQ(asked_often, asked_once);
}

/// Kafka's producers choose them.
TEST_F(CutFinderTest, TimesMayBeAny) {
    append(INT64_MAX);
    append(INT64_MAX - 86'400'000);
    append(INT64_MAX);
    append(noon);
    append(INT64_MIN);
    append(noon + 60'000);
    CutFinder finder(limits_, Offset{0});
    EXPECT_EQ(find(finder), std::nullopt);
    EXPECT_EQ(utc_date(finder.first_time()), "9999-12-31");
    finder.restart(Offset{1});
    EXPECT_EQ(find(finder), 2) << "a later day";
    finder.restart(Offset{4});
    EXPECT_EQ(find(finder), 5);
    EXPECT_EQ(utc_date(finder.first_time()), "0001-01-01");
}

} // namespace
} // namespace questlog::batch
