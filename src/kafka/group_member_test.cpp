#include "kafka/group_member.h"

#include "io/real_clock.h"
#include "kafka/mock_cluster.h"

#include <functional>
#include <gtest/gtest.h>

namespace questlog::kafka {
namespace {

constexpr int partitions = 4;
constexpr std::chrono::seconds patience{30};

class GroupMemberTest : public ::testing::Test {
protected:
    GroupMemberTest() { cluster_.create("game-events", partitions); }

    std::unique_ptr<GroupMember> join(const std::string& group) {
        return GroupMember::join(cluster_.settings(), group, "game-events").value();
    }
    static int held(GroupMember& member) {
        int count = 0;
        for (Partition i{0}; i.value < partitions; ++i.value) count += member.has(i) ? 1 : 0;
        return count;
    }
    /// Looks again until it is so.
    bool comes_true(const std::function<bool()>& condition) {
        const auto deadline = clock_.monotonic() + patience;
        while (!condition()) {
            if (clock_.monotonic() > deadline) return false;
            clock_.sleep(std::chrono::milliseconds(5));
        }
        return true;
    }

    MockCluster cluster_;
    io::RealClock clock_;
};

TEST_F(GroupMemberTest, MembersShareThePartitionsAndTheOthersTakeWhatOneLeaves) {
    auto one = join("landers");
    ASSERT_TRUE(comes_true([&] { return held(*one) == partitions; })) << "one alone has all";
    auto other = join("landers");
    ASSERT_TRUE(comes_true([&] { return held(*one) == 2 && held(*other) == 2; }));
    for (Partition i{0}; i.value < partitions; ++i.value) EXPECT_NE(one->has(i), other->has(i)) << i.value;
    one->tell(Partition{0}, Offset{7});
    one.reset();
    ASSERT_TRUE(comes_true([&] { return held(*other) == partitions; }));
}

TEST_F(GroupMemberTest, AnotherGroupHasAllOfItsOwn) {
    auto one = join("landers");
    auto other = join("others");
    EXPECT_TRUE(comes_true([&] { return held(*one) == partitions && held(*other) == partitions; }));
}

} // namespace
} // namespace questlog::kafka
