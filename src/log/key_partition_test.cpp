#include "log/key_partition.h"

#include <gtest/gtest.h>
#include <map>
#include <string>

namespace questlog::log {
namespace {

/// Of Kafka's own tests (clients, UtilsTest.testMurmur2).
TEST(KeyPartition, HashesAsKafkasClients) {
    const std::map<std::string, std::int32_t> known{
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };
    for (const auto& [key, hash] : known) EXPECT_EQ(static_cast<std::int32_t>(murmur2(key)), hash) << key;
}

TEST(KeyPartition, ANegativeHashIsMadePositiveByItsSignBitAlone) {
    EXPECT_EQ(partition_of_key("foobar", 7).value, (-790332482 & 0x7fffffff) % 7);
    EXPECT_EQ(partition_of_key("foobar", 1).value, 0);
}

TEST(KeyPartition, BytesAboveAsciiAreUnsigned) {
    EXPECT_NE(murmur2("\xc3\xa9"), murmur2("\x43\x29"));
    // tests/e2e/test_keys.py holds such keys against kafka-python.
}

} // namespace
} // namespace questlog::log
