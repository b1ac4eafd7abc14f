#include "base/crc32c.h"
#include "log/simulated_log.h"
#include "log/topic_metadata.h"

#include <set>

namespace questlog::log {
namespace {

class TopicsTest : public testing::Test {
protected:
    io::SimEnv sim_{1};
    Topics topics_{sim_.env(), "/data/log"};
};

TEST_F(TopicsTest, ACreatedTopicIsFoundListedAndKeptThroughAPowerCut) {
    EXPECT_FALSE(*topics_.exists("game-events"));
    EXPECT_TRUE(topics_.list()->empty());
    const auto made = topics_.create("game-events", {3, {{"segment.bytes", "2097152"}}});
    ASSERT_TRUE(made.ok()) << made.error().message;
    sim_.power_cut();
    const auto found = topics_.find("game-events");
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(found->id, made->id);
    EXPECT_EQ(found->partitions, 3);
    EXPECT_EQ(found->segment_bytes, 2'097'152);
    EXPECT_EQ(found->configs, made->configs);
    ASSERT_TRUE(topics_.create("a.topic", {}).ok());
    ASSERT_EQ(topics_.list()->size(), 2U);
    EXPECT_EQ((*topics_.list())[0].name, "a.topic");
}

TEST_F(TopicsTest, SegmentMsIsKept) {
    ASSERT_TRUE(topics_.create("t", {1, {{"segment.ms", "3600000"}}}).ok());
    EXPECT_EQ(topics_.find("t")->settings.segment_ms, 3'600'000);
}

TEST_F(TopicsTest, CompressionTypeHasKafkasNamesAndIsKept) {
    const std::vector<std::pair<std::string, std::optional<Compression>>> known{{"producer", std::nullopt},
                                                                                {"uncompressed", Compression::none},
                                                                                {"lz4", Compression::lz4},
                                                                                {"zstd", Compression::zstd}};
    for (const auto& [name, compression] : known) {
        ASSERT_TRUE(topics_.create(name, {1, {{"compression.type", name}}}).ok()) << name;
        EXPECT_EQ(topics_.find(name)->settings.compression, compression) << name;
    }
    for (const std::string bad : {"", "none", "snappy", "gzip", "ZSTD"}) {
        const auto refused = topics_.create("t", {1, {{"compression.type", bad}}});
        ASSERT_FALSE(refused.ok()) << bad;
        EXPECT_NE(refused.error().message.find("uncompressed, lz4 or zstd"), std::string::npos);
    }
}

TEST_F(TopicsTest, IdsAreDistinctUuidsInKafkasText) {
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) {
        const auto id = make_topic_id(sim_.env().entropy);
        ASSERT_EQ(id.size(), 22U);
        ASSERT_NE(id.front(), '-');
        ASSERT_EQ(id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                  std::string::npos);
        ASSERT_NE(std::string("AQgw").find(id.back()), std::string::npos)
            << "22 characters hold 132 bits, a UUID has 128";
        ids.insert(id);
    }
    EXPECT_EQ(ids.size(), 1000U);
}

TEST_F(TopicsTest, ASecondCreationIsRefusedAndSaysSo) {
    ASSERT_TRUE(topics_.create("game-events", {}).ok());
    const auto again = topics_.create("game-events", {});
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().kind, ErrorKind::reject);
    EXPECT_NE(again.error().message.find("already exists"), std::string::npos);
}

TEST_F(TopicsTest, WrongNamesAndOptionsAreRefused) {
    for (const std::string name : {"", ".", "..", "a/b", "a b", "ä", "a\n"})
        EXPECT_EQ(topics_.create(name, {}).error().kind, ErrorKind::reject) << name;
    EXPECT_FALSE(topics_.create(std::string(250, 'a'), {}).ok());
    EXPECT_TRUE(topics_.create(std::string(249, 'a'), {}).ok());
    EXPECT_FALSE(topics_.create("t", {0, {}}).ok());
    EXPECT_FALSE(topics_.create("t", {100'000, {}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"cleanup.policy", "compact"}}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"retention.ms", "-2"}}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"retention.ms", "a week"}}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"retention.bytes", "1GB"}}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"retention.force", "yes"}}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"segment.bytes", "12"}}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"segment.bytes", "2097152x"}}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"segment.ms", "999"}}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"segment.ms", "an hour"}}}).ok());
    EXPECT_FALSE(topics_.create("t", {1, {{"segment.bytes", "2097152"}, {"segment.bytes", "2097152"}}}).ok());
    EXPECT_FALSE(*topics_.exists("t"));
}

TEST_F(TopicsTest, RetentionIsReadAsKafkaMeansIt) {
    const auto settings = [&](const std::string& name, const TopicOptions& options) {
        EXPECT_TRUE(topics_.create(name, options).ok());
        return topics_.find(name)->settings;
    };
    EXPECT_EQ(settings("silent", {}), TopicSettings{});
    const auto said =
        settings("t", {1, {{"retention.ms", "-1"}, {"retention.bytes", "1073741824"}, {"retention.force", "true"}}});
    EXPECT_EQ(said.retention_ms, -1);
    EXPECT_EQ(said.retention_bytes, 1'073'741'824);
    EXPECT_EQ(said.retention_force, true);
}

TEST_F(TopicsTest, AMissingTopicNamesTheCommandThatMakesIt) {
    const auto missing = topics_.find("nope");
    EXPECT_EQ(missing.error().kind, ErrorKind::reject);
    EXPECT_NE(missing.error().message.find("questlog topic create --topic nope"), std::string::npos);
}

TEST_F(TopicsTest, EveryDamagedByteOfTheMetadataIsSeen) {
    ASSERT_TRUE(topics_.create("game-events", {1, {{"segment.bytes", "2097152"}}}).ok());
    const auto path = topic_file("/data/log", "game-events");
    const auto good = *sim_.contents(path);
    for (std::size_t i = 0; i < good.size(); ++i) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            sim_.put(path, good);
            sim_.flip_bit(path, static_cast<std::int64_t>(i), bit);
            ASSERT_EQ(topics_.find("game-events").error().kind, ErrorKind::corrupt) << "byte " << i << " bit " << bit;
        }
        sim_.put(path, good.substr(0, i));
        ASSERT_EQ(topics_.find("game-events").error().kind, ErrorKind::corrupt) << "cut at " << i;
    }
}

TEST_F(TopicsTest, ANewerFormatIsRefusedAndNamed) {
    auto text = encode_topic(Topic{"game-events", "F2hbjghYTdC0uevB7P0PWw", 1, 1024, {}});
    text.replace(text.find("version = 1"), 11, "version = 2");
    text.erase(text.rfind("crc32c"));
    text += fmt::format("crc32c = {:08x}\n", crc32c(text));
    const auto decoded = decode_topic(text, "game-events.topic");
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().kind, ErrorKind::reject);
    EXPECT_NE(decoded.error().message.find("version 2"), std::string::npos);
}

TEST_F(TopicsTest, ARenamedMetadataFileIsNoOtherTopic) {
    ASSERT_TRUE(topics_.create("game-events", {}).ok());
    sim_.put("/data/log/other.topic", *sim_.contents("/data/log/game-events.topic"));
    EXPECT_EQ(topics_.find("other").error().kind, ErrorKind::corrupt);
}

TEST_F(TopicsTest, SegmentsWithoutMetadataAreNotOverwritten) {
    ASSERT_TRUE(topics_.create("game-events", {}).ok());
    sim_.put("/data/log/game-events-0/00000000000000000000.log", "x");
    sim_.remove("/data/log/game-events.topic");
    const auto made = topics_.create("game-events", {});
    EXPECT_EQ(made.error().kind, ErrorKind::reject);
    EXPECT_NE(made.error().message.find("game-events-0"), std::string::npos);
}

/// For n = 0, 1, 2 …: the n-th operation of a creation is the last. The topic is there, whole, or not at all; and
/// events acknowledged into it later survive, whatever the creation left unsynced.
void stop_at_every_operation(io::SimEnv::Fault fault, bool power_cut) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        for (std::int64_t n = 0;; ++n) {
            const auto when = fmt::format("operation {} seed {}", n, seed);
            io::SimEnv sim(seed);
            Topics topics(sim.env(), "/data/log");
            sim.fail_operation(n, fault);
            const bool made = topics.create("game-events", {2, {}}).ok();
            ASSERT_EQ(made, !sim.fault_happened()) << when;
            sim.fail_nothing();
            if (power_cut)
                sim.power_cut();
            else
                sim.crash();
            ASSERT_TRUE(*topics.exists("game-events") || !made) << when;
            if (!*topics.exists("game-events")) {
                ASSERT_TRUE(topics.create("game-events", {2, {}}).ok()) << when;
            }
            const auto topic = topics.find("game-events");
            ASSERT_TRUE(topic.ok()) << when << topic.error().message;
            {
                const auto writer = open_writer(sim.env(), topics, *topic, {{}, false});
                ASSERT_TRUE(writer.ok()) << when << writer.error().message;
                BatchBuilder builder;
                builder.begin(Offset{0});
                builder.add(TimestampMs{1}, "event");
                auto& partition = (*writer)->partition(Partition{1});
                ASSERT_TRUE(partition.append(builder.seal()).ok() && partition.sync().ok()) << when;
            }
            sim.power_cut();
            const auto reader = open_reader(sim.env(), topics, *topic);
            ASSERT_TRUE(reader.ok()) << when << reader.error().message;
            ASSERT_EQ(*(*reader)->partition(Partition{1}).end_offset(), Offset{1}) << when;
            ASSERT_EQ(topics.find("game-events")->id, topic->id) << when;
            if (made) break;
        }
    }
}

TEST(TopicsModel, ACreationIsWholeOrNotThereAfterAPowerCut) {
    stop_at_every_operation(io::SimEnv::Fault::stop, true);
}
TEST(TopicsModel, ACreationIsWholeOrNotThereAfterAKill) {
    stop_at_every_operation(io::SimEnv::Fault::stop, false);
}
TEST(TopicsModel, ACreationMayMeetAFullDisk) {
    stop_at_every_operation(io::SimEnv::Fault::disk_full, false);
}

} // namespace
} // namespace questlog::log
