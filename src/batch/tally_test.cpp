#include "batch/tally.h"

#include <gtest/gtest.h>

namespace questlog::batch {
namespace {

/// 100 records: 60 of the table's types (40 of which `where` takes), 30 of others that were kept, 7 passed over, 3 no
/// events.
Counts counted() {
    Counts counts;
    counts.in_range = 100;
    counts.plan = {.events = 100, .kept = 90, .other_types = 7, .not_events = 3};
    counts.candidates = 60;
    counts.read = 60;
    counts.landed = 40;
    return counts;
}

void expect_imbalance(const Counts& counts) {
    const auto tally = balance(counts);
    ASSERT_FALSE(tally.ok());
    EXPECT_EQ(tally.error().kind, ErrorKind::internal);
}

TEST(Tally, givesEveryRecordOneFate) {
    const auto tally = balance(counted());
    ASSERT_TRUE(tally.ok()) << tally.error().message;
    EXPECT_EQ(tally->of(Fate::landed), 40);
    EXPECT_EQ(tally->of(Fate::filtered), 57);
    EXPECT_EQ(tally->of(Fate::dead_lettered), 3);
    EXPECT_EQ(tally->total(), 100);
}

TEST(Tally, seesRecordsThatThePlanMissed) {
    Counts counts = counted();
    counts.in_range = 101;
    expect_imbalance(counts);
}

TEST(Tally, seesAPlanThatContradictsItself) {
    Counts counts = counted();
    counts.plan.other_types = 6;
    expect_imbalance(counts);
    counts = counted();
    counts.candidates = 91;
    counts.read = 91;
    expect_imbalance(counts);
}

TEST(Tally, seesRowsThatTheScanLostOrInvented) {
    Counts counts = counted();
    counts.read = 59;
    expect_imbalance(counts);
    counts.read = 61;
    expect_imbalance(counts);
    counts.read = 0;
    expect_imbalance(counts);
}

TEST(Tally, seesMoreRowsThanEvents) {
    Counts counts = counted();
    counts.landed = 61;
    expect_imbalance(counts);
}

TEST(Tally, takesAFilterThatIsNeverTrueAndReadsNothing) {
    Counts counts = counted();
    counts.read = 0;
    counts.landed = 0;
    const auto tally = balance(counts);
    ASSERT_TRUE(tally.ok());
    EXPECT_EQ(tally->of(Fate::filtered), 97);
}

} // namespace
} // namespace questlog::batch
