#include "kafka/origin.h"

#include <gtest/gtest.h>

namespace questlog::kafka {
namespace {

constexpr std::string_view real_log_id = "4L6g3nShT-eMCtK--X86sw";

TEST(OriginTest, IsReadAsItIsWritten) {
    std::string text = "what was there";
    write_origin({real_log_id, Partition{3}, Offset{1'234'567'890'123}}, text);
    EXPECT_EQ(text, "4L6g3nShT-eMCtK--X86sw:3:1234567890123");
    EXPECT_EQ(parse_origin(text), (Origin{real_log_id, Partition{3}, Offset{1'234'567'890'123}}));
}

TEST(OriginTest, OfSomebodyElseIsNone) {
    for (const char* text : {"", ":", "::", "a:1", "a::1", ":0:1", "a:0:", "a:-1:1", "a:0:-1", "a:0:1x", "a:0x:1",
                             "a b:0:1", "a:b:0:1", "a:0:99999999999999999999", "a:4294967296:1"})
        EXPECT_FALSE(parse_origin(text)) << text;
}

TEST(OriginsSeenTest, WhatIsNotAboveTheLastIsThereForTheSecondTime) {
    OriginsSeen seen;
    EXPECT_TRUE(seen.see({real_log_id, Partition{0}, Offset{5}}));
    EXPECT_FALSE(seen.see({real_log_id, Partition{0}, Offset{5}})) << "the same";
    EXPECT_FALSE(seen.see({real_log_id, Partition{0}, Offset{4}})) << "one before it";
    EXPECT_TRUE(seen.see({real_log_id, Partition{0}, Offset{9}})) << "a gap is none of its business";
    EXPECT_TRUE(seen.see({real_log_id, Partition{1}, Offset{0}})) << "another partition";
    EXPECT_TRUE(seen.see({"another", Partition{0}, Offset{0}})) << "another log";
    EXPECT_EQ(seen.last(real_log_id, Partition{0}), Offset{9});
    EXPECT_EQ(seen.last(real_log_id, Partition{2}), std::nullopt);
}

TEST(OriginsSeenTest, OriginsMayTakeTurns) {
    OriginsSeen seen;
    for (const std::int64_t offset : {0, 1, 2})
        for (const std::string_view log : {"m", "a", "z"})
            for (const Partition partition : {Partition{1}, Partition{0}})
                EXPECT_TRUE(seen.see({log, partition, Offset{offset}})) << log << offset;
    const OriginsSeen copy = seen;
    EXPECT_FALSE(seen.see({"a", Partition{1}, Offset{2}}));
    EXPECT_TRUE(seen.see({"z", Partition{0}, Offset{3}}));
    EXPECT_EQ(seen.encode(), " a:0:2 a:1:2 m:0:2 m:1:2 z:0:3 z:1:2");
    EXPECT_EQ(copy.last("z", Partition{0}), Offset{2});
}

TEST(OriginsSeenTest, AreReadAsTheyAreWritten) {
    OriginsSeen seen;
    EXPECT_EQ(OriginsSeen::decode(seen.encode()), seen);
    seen.see({real_log_id, Partition{1}, Offset{7}});
    seen.see({"another", Partition{0}, Offset{0}});
    EXPECT_EQ(seen.encode(), " 4L6g3nShT-eMCtK--X86sw:1:7 another:0:0");
    EXPECT_EQ(OriginsSeen::decode(seen.encode()), seen);
    for (const char* text : {"a:0:1", " a:0:1 ", "  a:0:1", " a:0:1 a:0:1", " a:0"})
        EXPECT_FALSE(OriginsSeen::decode(text)) << text;
}

} // namespace
} // namespace questlog::kafka
