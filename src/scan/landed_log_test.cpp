#include "scan/landed_log.h"
#include "scan/plan.h"

#include "scan/fake_log.h"

#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

using testing::FakePartition;

class LandedLogTest : public ::testing::Test {
protected:
    LandedLogTest() {
        log_.append({"a", "b"});
        log_.append({"c"});
    }
    std::optional<Witness> witness(std::int64_t offset) { return witness_at(log_, Offset{offset}).value(); }
    static Status landed(FakePartition& log, std::int64_t to, const std::optional<Witness>& last) {
        return check_landed(log, Offset{to}, last);
    }
    /// "": it is the log that was landed.
    static std::string refusal(FakePartition& log, std::int64_t to, const std::optional<Witness>& last) {
        const Status same = landed(log, to, last);
        if (same.ok()) return {};
        EXPECT_EQ(same.error().kind, ErrorKind::corrupt);
        EXPECT_NE(same.error().message.find("bring the newer log back, or move the lake's folder away"),
                  std::string::npos)
            << same.error().message;
        return same.error().message;
    }
    static bool says(const std::string& message, std::string_view words) {
        return message.find(words) != std::string::npos;
    }

    FakePartition log_{Partition{0}};
};

TEST_F(LandedLogTest, ItsLastRecordIsFoundAgainHoweverTheLogGrows) {
    const auto last = witness(1);
    ASSERT_TRUE(last);
    EXPECT_EQ(refusal(log_, 2, last), "");
    log_.append({"d"});
    EXPECT_EQ(refusal(log_, 2, last), "");
    EXPECT_EQ(refusal(log_, 2, std::nullopt), "") << "an older version's books have none";
}

TEST_F(LandedLogTest, OneThatEndsBeforeIsAnother) {
    const std::string refused = refusal(log_, 5, std::nullopt);
    EXPECT_TRUE(says(refused, "offset 4 was landed, and the log ends at 3")) << refused;
}

TEST_F(LandedLogTest, AnotherRecordInItsPlaceIsOfAnotherLog) {
    const auto last = witness(2);
    FakePartition other_value(Partition{0});
    other_value.append({"a", "b"});
    other_value.append({"C", "d"});
    const std::string refused = refusal(other_value, 3, last);
    EXPECT_TRUE(says(refused, "another event than the one that was landed is at offset 2")) << refused;
    FakePartition other_time(Partition{0});
    other_time.append({"a", "b"});
    other_time.append({"c", "d"}, 1'795'384'733'874);
    EXPECT_NE(refusal(other_time, 3, last), "");
}

TEST_F(LandedLogTest, WhereItCannotBeReadThereIsNothingToCompare) {
    const auto last = witness(1);
    const Witness another{Offset{1}, last->fingerprint + 1};
    EXPECT_NE(refusal(log_, 2, another), "");
    log_.damaged_at = 0;
    EXPECT_EQ(refusal(log_, 2, another), "") << "damaged";
    log_.damaged_at = -1;
    log_.start = Offset{2};
    EXPECT_EQ(refusal(log_, 2, another), "") << "expired";
    EXPECT_EQ(witness(1), std::nullopt);
}

TEST_F(LandedLogTest, AnOffsetWithoutARecordIsNoWitness) {
    log_.skip(3);
    log_.append({"d"});
    EXPECT_EQ(witness(4), std::nullopt);
    EXPECT_EQ(refusal(log_, 6, Witness{Offset{4}, 7}), "");
    EXPECT_TRUE(witness(6));
}

/// They lie on disk.
TEST_F(LandedLogTest, TheFingerprintOfARecordNeverChanges) {
    EXPECT_EQ(fmt::format("{:08x}", witness(0)->fingerprint), "f74c24da");
    EXPECT_EQ(fmt::format("{:08x}", witness(2)->fingerprint), "1677542d");
}

TEST_F(LandedLogTest, APlanTellsTheLastRecordsOfItsRange) {
    testing::FakeLog log(3);
    log.partition(Partition{0}).append({"a", R"({"event_type": "sword"})"});
    log.partition(Partition{0}).skip(2);
    log.partition(Partition{1}).append({R"({"event_type": "sword"})", "b", "c"});
    const LogRange range{{Partition{0}, Offset{0}, Offset{4}},
                         {Partition{1}, Offset{0}, Offset{2}},
                         {Partition{2}, Offset{0}, Offset{0}}};
    const auto plan = Plan::make(log, range, {}).value();
    EXPECT_EQ(plan->last_offsets(), (std::vector<std::optional<Offset>>{Offset{1}, Offset{1}, std::nullopt}));
}

} // namespace
} // namespace questlog::scan
