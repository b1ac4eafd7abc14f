// What is read again, and what keeps a reader from reading.
#include "kafka/topic_log_fixture.h"

namespace questlog::kafka {
namespace {

TEST_F(LongTopicTest, WhatHasGoneFromTheCacheIsReadAgain) {
    put_many();
    cache_bytes_max_ = 256 * 1024; // holds the last of several batches
    EXPECT_EQ(all().size(), events) << "each event's address leads to it: see read()";
}

TEST_F(TopicLogTest, WhatIsForwardedInPartIsFoundAgainWhateverTheCacheHolds) {
    collect({{"a", "b", "c"}, {"d"}});
    const std::string log_id = embedded_->find(topic_name).value().id;
    put({from(0, "a", log_id)});
    cache_bytes_max_ = 1; // one batch
    const auto reader = open();
    Addresses addresses;
    const Offset end = reader->partition(Partition{0}).end_offset().value();
    const std::vector<FoundEvent> events{{0, "a"}, {1, "b"}, {2, "c"}, {3, "d"}};
    EXPECT_EQ(read_once(*reader, Offset{0}, end, addresses).value(), events);
    Addresses others;
    EXPECT_EQ(read_once(*reader, Offset{0}, Offset{1}, others).value(), (std::vector<FoundEvent>{{0, "a"}}));
    put({of_others("x"), of_others("y"), from(1, "b", log_id), from(2, "c", log_id)}); // as they are here, they are not
    EXPECT_EQ(fetch(*reader, addresses).value(), events);
    EXPECT_EQ(read_once(*reader, Offset{0}, end, others).value(), events) << "once more, and not twice";
}

TEST_F(LongTopicTest, AReaderThatIsToStopEndsInTheMidstOfAPass) {
    put_many();
    int asked = 0;
    stop_ = [&] { return ++asked > 2; };
    const auto reader = open();
    const auto found = read(*reader, Offset{events - 1}, Offset{events}); // after a pass over all before
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind, ErrorKind::retry_later);
    EXPECT_EQ(asked, 3);
    stop_ = [] { return false; };
    EXPECT_EQ(read(*open(), Offset{events - 1}, Offset{events}).value().size(), 1U);
}

TEST_F(LongTopicTest, WhatChangedUnderTheReaderIsNotTakenForWhatItWas) {
    put_many();
    cache_bytes_max_ = 1;
    const auto reader = open();
    Addresses addresses;
    EXPECT_EQ(read_once(*reader, Offset{0}, Offset{events}, addresses).value().size(), std::size_t{events});
    addresses.front().first.base_offset = Offset{7}; // as if the records before it were compacted away
    EXPECT_FALSE(fetch(*reader, addresses).ok());
}

TEST_F(TopicLogTest, ADeadClusterIsSaidSoLongBeforePatienceEnds) {
    cluster_.down();
    auto topics = open_topics(real_.env(), {cluster_.settings(), folder_ + "/kafka", {topic_name}}).value();
    const auto began = real_.env().clock.monotonic();
    const auto found = topics->find(topic_name);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind, ErrorKind::retry_later);
    EXPECT_NE(found.error().message.find("Connection refused"), std::string::npos) << found.error().message;
    EXPECT_LT(real_.env().clock.monotonic() - began, cluster_.settings().patience / 2);
    cluster_.up();
    EXPECT_TRUE(topics->find(topic_name).ok()) << "and one that is back is believed";
}

TEST_F(TopicLogTest, ASlowClusterIsWaitedFor) {
    cluster_.round_trip(std::chrono::milliseconds(700));
    auto topics = open_topics(real_.env(), {cluster_.settings(), folder_ + "/kafka", {topic_name}}).value();
    EXPECT_TRUE(topics->exists(topic_name).value());
}

} // namespace
} // namespace questlog::kafka
