#include "hdfs/file_checksum.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace questlog::hdfs {
namespace {

constexpr std::int64_t any_block = std::int64_t{1} << 40;

std::string md5_of(std::string_view text) {
    Md5 md5;
    md5.add(std::as_bytes(std::span(text)));
    std::string hex;
    for (const std::byte byte : md5.finish()) hex += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return hex;
}

std::string checksum_of(std::string_view bytes, const ChecksumLayout& layout, std::size_t step) {
    FileChecksum sum(layout);
    for (std::size_t at = 0; at < bytes.size(); at += step)
        sum.add(std::as_bytes(std::span(bytes)).subspan(at, std::min(step, bytes.size() - at)));
    return sum.finish();
}

/// Bytes that a test of the real HDFS wrote there, too.
std::string counted(std::size_t size) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 2'654'435'761U) >> 24);
    return bytes;
}

TEST(Md5, MatchesTheRfc) {
    EXPECT_EQ(md5_of(""), "d41d8cd98f00b204e9800998ecf8427e");
    EXPECT_EQ(md5_of("abc"), "900150983cd24fb0d6963f7d28e17f72");
    EXPECT_EQ(md5_of("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
              "57edf4a22be3c955ac49da2e2107b67a");
}

struct Real {
    std::size_t size;
    const char* algorithm;
    const char* bytes;
};

/// What HDFS 3.4.2 said of counted(size): in one block of 128 MiB, or in blocks of 1 MiB.
constexpr Real real_files[] = {
    {1, "MD5-of-0MD5-of-512CRC32C", "000002000000000000000000dc236201841049096ad31b6213203a9000000000"},
    {512, "MD5-of-0MD5-of-512CRC32C", "000002000000000000000000bd26d3f2df847d9a366957a2b5e556de00000000"},
    {1'300, "MD5-of-0MD5-of-512CRC32C", "000002000000000000000000e570b2923ebed667b6d5cbb12ad71d7300000000"},
    {700'000, "MD5-of-0MD5-of-512CRC32C", "000002000000000000000000049dd3995064005aa3c9192d7417449600000000"},
    {3'500'000, "MD5-of-2048MD5-of-512CRC32C", "0000020000000000000008002e9d7f289e1d47d4dddffbdf02093a3500000000"},
    {9'000'000, "MD5-of-2048MD5-of-512CRC32C", "000002000000000000000800c342edaa76d894bed6fb2bedb8bac01900000000"},
};

TEST(FileChecksum, IsTheRealHdfss) {
    for (const Real& one : real_files) {
        const RemoteChecksum remote{one.algorithm, one.bytes, 28};
        const auto layout = ChecksumLayout::of(remote, any_block);
        ASSERT_TRUE(layout.has_value()) << one.algorithm;
        EXPECT_TRUE(is_same(remote, checksum_of(counted(one.size), *layout, 100'000))) << one.size;
    }
}

TEST(FileChecksum, DoesNotDependOnHowTheBytesCome) {
    const std::string bytes = counted(10'000);
    const ChecksumLayout layout{512, 4'000};
    const std::string whole = checksum_of(bytes, layout, bytes.size());
    for (const std::size_t step : {1U, 7U, 511U, 512U, 513U, 4'000U})
        EXPECT_EQ(checksum_of(bytes, layout, step), whole) << step;
    EXPECT_NE(checksum_of(counted(10'001), layout, 512), whole);
}

TEST(FileChecksum, KnowsTheAlgorithmsThatItComputes) {
    const std::string bytes(56, '0');
    EXPECT_EQ(ChecksumLayout::of({"MD5-of-0MD5-of-512CRC32C", bytes, 28}, 99)->block_bytes, 99);
    EXPECT_EQ(ChecksumLayout::of({"MD5-of-2048MD5-of-512CRC32C", bytes, 28}, 99)->block_bytes, 1'048'576);
    for (const char* other : {"MD5-of-0MD5-of-0CRC32", "MD5-of-0MD5-of-512CRC32", "COMPOSITE-CRC32C", ""})
        EXPECT_FALSE(ChecksumLayout::of({other, bytes, 28}, 99).has_value()) << other;
}

} // namespace
} // namespace questlog::hdfs
