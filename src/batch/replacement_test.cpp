#include "batch/replacement.h"

#include <gtest/gtest.h>

namespace questlog::batch {
namespace {

lake::SnapshotFacts landed(std::int64_t from, std::int64_t to) {
    lake::SnapshotFacts facts;
    facts.log_id = "log-a";
    facts.topic = "game-events";
    facts.ranges = {{0, Offset{from}, Offset{to}}};
    facts.examined = to - from;
    facts.rows = to - from;
    return facts;
}

LogSpan log_of(std::int64_t from, std::int64_t to, const std::string& id = "log-a") {
    return {id, "game-events", {{0, Offset{from}, Offset{to}}}, {}};
}

void expect_refusal(const Status& status, const std::string& loss) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, ErrorKind::reject);
    EXPECT_NE(status.error().message.find(loss), std::string::npos) << status.error().message;
    EXPECT_NE(status.error().message.find("--force"), std::string::npos) << status.error().message;
}

TEST(Replacement, isFreeWhereTheLogStillHasAll) {
    EXPECT_TRUE(may_replace("tmp/x", loss_of(landed(0, 40), log_of(0, 40))).ok());
    EXPECT_TRUE(may_replace("tmp/x", loss_of(landed(0, 40), log_of(0, 80))).ok());
    EXPECT_TRUE(may_replace("tmp/x", loss_of(landed(10, 40), log_of(10, 80))).ok());
    EXPECT_TRUE(may_replace("tmp/x", loss_of(landed(10, 40), log_of(0, 80))).ok());
}

TEST(Replacement, isRefusedWhereTheLogNoLongerReachesBack) {
    expect_refusal(may_replace("tmp/x", loss_of(landed(0, 40), log_of(25, 80))), "up to 25 events would be lost");
    expect_refusal(may_replace("tmp/x", loss_of(landed(0, 40), log_of(60, 80))), "up to 40 events would be lost");
}

TEST(Replacement, isRefusedWhereTheLogWasCut) {
    expect_refusal(may_replace("tmp/x", loss_of(landed(0, 40), log_of(0, 30))), "up to 10 events would be lost");
}

TEST(Replacement, isRefusedWhereTheLogWasRepairedAfterTheTableWasMade) {
    auto repaired = log_of(0, 80);
    repaired.lost = {{0, Offset{35}, Offset{50}}, {1, Offset{0}, Offset{7}}};
    EXPECT_EQ(repaired.events_of(repaired.ranges), 65);
    expect_refusal(may_replace("tmp/x", loss_of(landed(0, 40), repaired)), "given up 5 of them");
    auto made_after = landed(0, 40);
    made_after.examined = made_after.rows = 35;
    EXPECT_TRUE(may_replace("tmp/x", loss_of(made_after, repaired)).ok());
    EXPECT_TRUE(may_replace("tmp/x", loss_of(landed(0, 35), repaired)).ok());
}

TEST(Replacement, isRefusedWhereAPartitionIsGone) {
    auto facts = landed(0, 40);
    facts.ranges.push_back({1, Offset{0}, Offset{0}});
    EXPECT_TRUE(may_replace("tmp/x", loss_of(facts, log_of(0, 40))).ok());
    facts.ranges.push_back({2, Offset{0}, Offset{5}});
    expect_refusal(may_replace("tmp/x", loss_of(facts, log_of(0, 40))), "partition 2");
}

TEST(Replacement, isRefusedForAnotherLogUnlessThereIsNothingToLose) {
    expect_refusal(may_replace("tmp/x", loss_of(landed(0, 40), log_of(0, 80, "log-b"))),
                   "40 rows came from another log");
    auto empty = landed(0, 40);
    empty.rows = 0;
    EXPECT_TRUE(may_replace("tmp/x", loss_of(empty, log_of(0, 80, "log-b"))).ok());
}

TEST(Replacement, ofADamagedTableNeedsTheWholeLog) {
    const Error damage = corrupt("/lake/tmp/x/part-0.parquet is damaged (no magic bytes)");
    EXPECT_TRUE(may_replace("tmp/x", loss_of_damaged(damage, log_of(0, 40))).ok());
    expect_refusal(may_replace("tmp/x", loss_of_damaged(damage, log_of(1, 40))), "no magic bytes");
}

} // namespace
} // namespace questlog::batch
