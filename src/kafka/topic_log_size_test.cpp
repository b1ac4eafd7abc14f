// Records as large as can be read, and larger ones.
#include "kafka/raw_batch.h"
#include "kafka/topic_log_fixture.h"

namespace questlog::kafka {
namespace {

using TopicLogSizeTest = TopicLogTest;

TEST_F(TopicLogSizeTest, WhatFitsAloneIsReadWhateverIsBeforeIt) {
    const std::string large(limits::batch_bytes_max - 1'000, 'x');
    put({of_others("a"), of_others(std::string(2'000, 'b'))});
    RawBatch().record(large).put(cluster_, topic_name);
    put({of_others("c")});
    const auto found = all();
    ASSERT_EQ(found.size(), 4U);
    EXPECT_EQ(found[2].offset, 2);
    EXPECT_TRUE(found[2].value == large);
    EXPECT_EQ(found[3], (FoundEvent{3, "c"}));
}

TEST_F(TopicLogSizeTest, ALargerOneSaysWhatToDoAndThenReadingGoesOn) {
    put({of_others("a")});
    cluster_.put(topic_name, 0, {of_others(std::string(limits::batch_bytes_max + 1, 'x'))}, "zstd");
    put({of_others("b")});
    const auto reader = open();
    EXPECT_EQ(read(*reader, Offset{0}, Offset{1}).value(), (std::vector<FoundEvent>{{0, "a"}}));
    const auto refused = read_all(*reader);
    ASSERT_FALSE(refused.ok());
    const std::string& text = refused.error().message;
    EXPECT_NE(text.find("the record at offset 1 of topic game-events [0] is larger than 16777216 bytes"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find(R"({"partitions": [{"topic": "game-events", "partition": 0, "offset": 2}], "version": 1})"),
              std::string::npos)
        << text;
    EXPECT_EQ(read(*reader, Offset{2}, Offset{3}).value(), (std::vector<FoundEvent>{{2, "b"}}));
}

} // namespace
} // namespace questlog::kafka
