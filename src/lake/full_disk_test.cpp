#include "lake/generations.h"
#include "lake/snapshot_fixture.h"

namespace questlog::lake {
namespace {

/// Says which names come next.
class KnownEntropy final : public io::Entropy {
public:
    void fill(std::span<std::byte> bytes) override { std::fill(bytes.begin(), bytes.end(), std::byte{next}); }
    std::uint8_t next = 1;
};

class FullDisk : public SnapshotFixture {
protected:
    FullDisk() {
        auto real = env();
        store_ = std::make_unique<SnapshotStore>(io::Env{real.clock, real.files, entropy_}, root_, database_);
    }

    std::string scratch() const {
        for (const std::string& name : names_in("."))
            if (name.starts_with(".questlog-scratch-")) return root_ + "/" + name;
        return {};
    }

    KnownEntropy entropy_;
};

TEST_F(FullDisk, whileTheFileIsWrittenLeavesTheTableAsItWas) {
    ASSERT_TRUE(land(1, 10).ok());
    entropy_.next = 2;
    ASSERT_FALSE(scratch().empty());
    std::filesystem::create_symlink("/dev/full", scratch() + "/" + random_uuid(entropy_));

    const auto failed = land(2, 500'000);
    ASSERT_FALSE(failed.ok());
    EXPECT_EQ(failed.error().kind, ErrorKind::retry_later) << failed.error().message;
    EXPECT_NE(failed.error().message.find("the table is as it was"), std::string::npos) << failed.error().message;
    EXPECT_EQ(present(), "10|generation 1");
    EXPECT_TRUE(std::filesystem::is_empty(scratch())) << "what could not be finished takes no room";
    EXPECT_EQ(litter(), std::vector<std::string>{});

    entropy_.next = 3;
    ASSERT_TRUE(land(3, 10).ok()) << "and once there is room, it goes on";
    EXPECT_EQ(present(), "10|generation 3");
}

} // namespace
} // namespace questlog::lake
