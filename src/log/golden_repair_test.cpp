// What a repair leaves must be readable for ever: holes, their record, and the index have fixed bytes.
#include "log/damaged_log.h"

#include <fstream>

namespace questlog::log {
namespace {

std::string golden_repaired(const std::string& name) {
    std::ifstream file(std::string(QUESTLOG_SOURCE_DIR) + "/tests/golden/log-repaired/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Equal to what is kept; else what it is now lies aside, for a format version beside the old one.
void expect_golden(const std::string& name, const std::string& bytes) {
    if (bytes == golden_repaired(name)) return;
    const auto aside = testing::TempDir() + "/questlog-golden-" + name;
    std::ofstream(aside, std::ios::binary) << bytes;
    ADD_FAILURE() << name << " is not what it was; what is written now lies in " << aside;
}

const std::vector<Hole>& holes() {
    static const std::vector<Hole> all{
        {Offset{120}, Offset{180}, true, TimestampMs{1'700'000'000'000}, 4096, "00000000000000000000.log.damaged-8192"},
        {Offset{180}, Offset{180}, true, TimestampMs{1'700'000'000'000}, 7, "00000000000000000000.log.damaged-12288"},
        {Offset{300}, Offset{300}, false, TimestampMs{1'700'000'000'001}, 0, {}}};
    return all;
}

TEST(GoldenRepair, AHoleHasItsBytes) {
    expect_golden("hole.log", text_of(hole_batches(Offset{120}, Offset{180}, TimestampMs{1'577'880'000'000})));
}

TEST(GoldenRepair, TheRecordOfHolesIsWrittenAndRead) {
    expect_golden("holes", encode_holes(holes()));
    const auto read = decode_holes(golden_repaired("holes"), "holes");
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(*read, holes());
}

TEST(GoldenRepair, AnIndexIsWrittenAndRead) {
    const SegmentIndex index{Offset{7}, Offset{900}, 700'000, {{Offset{300}, 262'200, TimestampMs{1'577'880'000'000}}}};
    expect_golden("segment.index", encode_index(index));
    EXPECT_EQ(decode_index(golden_repaired("segment.index")), index);
}

} // namespace
} // namespace questlog::log
