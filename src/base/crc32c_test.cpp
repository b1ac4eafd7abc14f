#include "base/crc32c.h"

#include <gtest/gtest.h>
#include <random>
#include <string_view>
#include <vector>

namespace questlog {
namespace {

TEST(Crc32c, GivesThePublishedCheckValues) {
    const std::string_view digits = "123456789";
    EXPECT_EQ(crc32c(std::as_bytes(std::span(digits))), 0xe3069283U);
    const std::vector<std::byte> zeros(32); // RFC 3720 B.4
    EXPECT_EQ(crc32c(zeros), 0x8a9136aaU);
    const std::vector<std::byte> ones(32, std::byte{0xff});
    EXPECT_EQ(crc32c(ones), 0x62a8ab43U);
    EXPECT_EQ(crc32c(std::string_view()), 0U);
}

TEST(Crc32c, InstructionAndTableAgreeAtEveryLength) {
    std::mt19937 random(1); // NOLINT: a fixed seed is the point
    std::vector<std::byte> bytes(10'000);
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    for (std::size_t size = 0; size <= bytes.size(); size += size < 64 ? 1 : 37) {
        const auto part = std::span(bytes).first(size);
        ASSERT_EQ(crc32c(part), crc32c_portable(part)) << size;
    }
}

} // namespace
} // namespace questlog
