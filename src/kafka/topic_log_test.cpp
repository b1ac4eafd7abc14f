#include "kafka/topic_log_fixture.h"

namespace questlog::kafka {
namespace {

TEST_F(TopicLogTest, RecordsOfAnyProducerAreReadAsTheyAre) {
    put({{-1, 1'795'384'733'873, "hero", R"({"event_type": "default"})", {{"message_id", "m1"}}},
         of_others("no JSON")});
    const auto reader = open();
    auto cursor = reader->partition(Partition{0}).read(Offset{0}, Offset{2}).value();
    log::Batch batch;
    ASSERT_TRUE(cursor->next(batch).value());
    log::RecordCursor records(batch.header, batch.records);
    log::Record record;
    ASSERT_TRUE(records.next(record).value());
    EXPECT_EQ(record.key, "hero");
    EXPECT_EQ(record.value, R"({"event_type": "default"})");
    EXPECT_EQ(record.timestamp, TimestampMs{1'795'384'733'873});
    EXPECT_EQ(log::find_header(record, "message_id"), "m1");
    ASSERT_TRUE(records.next(record).value());
    EXPECT_EQ(record.key, std::nullopt);
    EXPECT_EQ(record.value, "no JSON");
    EXPECT_FALSE(cursor->next(batch).value());
    EXPECT_EQ(reader->topic().partitions, 1);
    EXPECT_EQ(reader->topic().id.size(), 22U);
}

TEST_F(TopicLogTest, HeadersAreThereForWhoAsksForThem) {
    put({from(0, "a"), from(0, "a again")});
    for (const bool as_they_lie : {false, true})
        for (const bool with_headers : {false, true}) {
            as_they_lie_ = as_they_lie;
            with_headers_ = with_headers;
            const auto reader = open();
            auto cursor = reader->partition(Partition{0}).read(Offset{0}, Offset{2}).value();
            log::Batch batch;
            ASSERT_TRUE(cursor->next(batch).value());
            EXPECT_EQ(batch.header.record_count, as_they_lie ? 2 : 1) << "with them or without";
            log::RecordCursor records(batch.header, batch.records);
            log::Record record;
            while (records.next(record).value()) {
                const auto origin = log::find_header(record, origin_header);
                EXPECT_EQ(origin, with_headers ? std::optional<std::string_view>("log-a:0:0") : std::nullopt);
            }
        }
}

TEST_F(TopicLogTest, WhatItsForwarderSentTwiceIsReadOnce) {
    put({from(0, "a"), from(1, "b"), of_others("x"), from(1, "b again"), from(0, "a again"), from(2, "c"),
         from(0, "another's", "log-b")});
    EXPECT_EQ(all(), (std::vector<FoundEvent>{{0, "a"}, {1, "b"}, {2, "x"}, {5, "c"}, {6, "another's"}}));
}

TEST_F(TopicLogTest, TellsWhichLogsItsRecordsWereForwardedFrom) {
    using Ids = std::set<std::string>;
    put({of_others("x"), from(0, "a"), from(7, "another's", "log-b")});
    const auto origins = [](log::LogReader& reader, std::int64_t before) {
        return reader.partition(Partition{0}).origins(Offset{before}).value();
    };
    EXPECT_EQ(origins(*open(), 1), Ids{});
    EXPECT_EQ(origins(*open(), 2), Ids{"log-a"});
    const auto reader = open();
    ASSERT_TRUE(read_all(*reader).ok());
    EXPECT_EQ(origins(*reader, 3), (Ids{"log-a", "log-b"}));
    collect({{"not there yet"}});
    const std::string own = embedded_->find(topic_name).value().id;
    const auto with_embedded = open();
    EXPECT_EQ(origins(*with_embedded, 3), (Ids{"log-a", "log-b"}));
    EXPECT_EQ(origins(*with_embedded, 4), (Ids{"log-a", "log-b", own}));
    EXPECT_EQ(log::open_reader(real_.env(), *embedded_, writer_->topic())
                  .value()
                  ->partition(Partition{0})
                  .origins(Offset{1})
                  .value(),
              Ids{});
}

TEST_F(TopicLogTest, AlsoWhereTheReadingBeginsBetweenTheTwo) {
    put({from(0, "a"), from(1, "b"), from(2, "c"), from(1, "b again"), from(2, "c again"), from(3, "d")});
    const auto reader = open();
    EXPECT_EQ(read(*reader, Offset{3}, Offset{6}).value(), (std::vector<FoundEvent>{{5, "d"}}));
    EXPECT_EQ(read(*reader, Offset{4}, Offset{6}).value(), (std::vector<FoundEvent>{{5, "d"}})) << "from the cache";
    EXPECT_EQ(read(*reader, Offset{0}, Offset{6}).value(),
              (std::vector<FoundEvent>{{0, "a"}, {1, "b"}, {2, "c"}, {5, "d"}}))
        << "what lies before the cache";
}

TEST_F(LongTopicTest, WhatWasLearntOfOriginsOutlivesTheProcess) {
    put_many();
    EXPECT_EQ(all().size(), events);
    ASSERT_TRUE(std::filesystem::exists(folder_ + "/kafka/game-events-0.origins"));
    put({from(events - 2, "again"), from(events, "new")});
    const auto reader = open();
    EXPECT_EQ(read(*reader, Offset{events + 1}, Offset{events + 3}).value(),
              (std::vector<FoundEvent>{{events + 2, "new"}}));
}

TEST_F(LongTopicTest, ATopicThatWasMadeAnewIsNotTakenForTheOldOne) {
    put_many();
    EXPECT_EQ(all().size(), events);
    MockCluster other;
    other.create(topic_name, 1);
    std::vector<StoredRecord> records(events + 5, of_others("of another life"));
    other.put(topic_name, 0, records);
    ReaderOptions options{other.settings(), folder_ + "/kafka", {topic_name}};
    auto topics = open_topics(real_.env(), std::move(options)).value();
    auto reader = topics->open(topics->find(topic_name).value(), {}).value();
    const auto found = read_all(*reader);
    ASSERT_FALSE(found.ok());
    EXPECT_EQ(found.error().kind, ErrorKind::corrupt);
    EXPECT_NE(found.error().message.find("deleted and made anew"), std::string::npos) << found.error().message;
    EXPECT_NE(found.error().message.find("game-events-*.origins"), std::string::npos) << "what to remove";

    MockCluster shorter;
    shorter.create(topic_name, 1);
    shorter.put(topic_name, 0, {of_others("x")});
    topics = open_topics(real_.env(), {shorter.settings(), folder_ + "/kafka", {topic_name}}).value();
    reader = topics->open(topics->find(topic_name).value(), {}).value();
    EXPECT_FALSE(read_all(*reader).ok());
}

TEST_F(TopicLogTest, AShortTopicIsKnownAgainToo) {
    put({of_others("one"), of_others("two")});
    EXPECT_EQ(all().size(), 2U);
    MockCluster other;
    other.create(topic_name, 1);
    other.put(topic_name, 0, {of_others("of"), of_others("another"), of_others("life")});
    auto topics = open_topics(real_.env(), {other.settings(), folder_ + "/kafka", {topic_name}}).value();
    auto reader = topics->open(topics->find(topic_name).value(), {}).value();
    EXPECT_FALSE(read_all(*reader).ok());
}

TEST_F(TopicLogTest, EventsAreCountedWithoutWhatIsThereTwice) {
    put({from(0, "a"), from(1, "b"), from(1, "b"), of_others("c"), from(0, "a"), from(2, "d")});
    const auto reader = open();
    auto& partition = reader->partition(Partition{0});
    EXPECT_EQ(partition.events_between(Offset{0}, Offset{6}).value(), 4); // from the topic
    EXPECT_EQ(partition.events_between(Offset{0}, Offset{6}).value(), 4); // from the cache
    EXPECT_EQ(partition.events_between(Offset{1}, Offset{5}).value(), 2);
    EXPECT_EQ(partition.events_between(Offset{2}, Offset{3}).value(), 0);
}

TEST_F(TopicLogTest, WhatIsNotForwardedYetComesAfterWhatIs) {
    collect({{"a", "b"}, {"c", "d", "e"}});
    const std::string log_id = embedded_->find(topic_name).value().id;
    EXPECT_EQ(all(), (std::vector<FoundEvent>{{0, "a"}, {1, "b"}, {2, "c"}, {3, "d"}, {4, "e"}})) << "nothing is";
    put({from(0, "a", log_id), of_others("x"), from(1, "b", log_id), from(2, "c", log_id)});
    EXPECT_EQ(all(), (std::vector<FoundEvent>{{0, "a"}, {1, "x"}, {2, "b"}, {3, "c"}, {4, "d"}, {5, "e"}}))
        << "the batch that is forwarded in part, in part";
    put({from(3, "d", log_id), from(4, "e", log_id)});
    EXPECT_EQ(all(), (std::vector<FoundEvent>{{0, "a"}, {1, "x"}, {2, "b"}, {3, "c"}, {4, "d"}, {5, "e"}})) << "all is";
}

TEST_F(TopicLogTest, TheSameOfACompressedLog) {
    collect({{std::string(500, 'a'), std::string(500, 'b'), std::string(500, 'c')}, {std::string(500, 'd')}},
            Compression::zstd);
    put({from(0, std::string(500, 'a'), embedded_->find(topic_name).value().id)});
    const auto found = all();
    ASSERT_EQ(found.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_EQ(found[i], (FoundEvent{static_cast<std::int64_t>(i), std::string(500, static_cast<char>('a' + i))}));
}

TEST_F(TopicLogTest, WhatIsForwardedWhileAReaderReadsStaysInItsPlace) {
    collect({{"a", "b", "c"}});
    const std::string log_id = embedded_->find(topic_name).value().id;
    put({from(0, "a", log_id)});
    const auto reader = open();
    EXPECT_EQ(reader->partition(Partition{0}).end_offset().value(), Offset{3});
    EXPECT_EQ(reader->partition(Partition{0}).unforwarded().value(), 2);
    put({of_others("x"), from(1, "b", log_id), from(2, "c", log_id)});
    collect({{"d"}});
    EXPECT_EQ(reader->partition(Partition{0}).end_offset().value(), Offset{3});
    EXPECT_EQ(read_all(*reader).value(), (std::vector<FoundEvent>{{0, "a"}, {1, "b"}, {2, "c"}}));
}

TEST_F(TopicLogTest, ACheckpointOfSeveralPartitionsTellsWhereToLook) {
    MockCluster cluster;
    cluster.create(topic_name, 2);
    log::Topics topics(real_.env(), folder_ + "/log");
    const log::Topic topic = topics.create(topic_name, {2, {}}).value();
    auto writer =
        log::open_writer(real_.env(), topics, topic, {.on_recovery = {}, .prepare_segments_in_background = false})
            .value();
    kafka::Checkpoint checkpoint{topic.id, {}};
    for (const int partition : {0, 1}) {
        auto& log = writer->partition(Partition{partition});
        log::BatchBuilder batch;
        batch.begin(Offset{0});
        for (const char* value : {"a", "b", "c"}) batch.add(TimestampMs{1'795'384'733'873}, value);
        ASSERT_TRUE(log.append(batch.seal()).ok());
        ASSERT_TRUE(log.sync().ok());
        cluster.put(topic_name, partition, {of_others("x")});
        std::vector<StoredRecord> forwarded;
        for (int event = 0; event <= partition; ++event) {
            forwarded.push_back(of_others("forwarded"));
            forwarded.back().headers = {{origin_header, fmt::format("{}:{}:{}", topic.id, partition, event)}};
        }
        cluster.put(topic_name, partition, forwarded);
        checkpoint.last.push_back(Arrived{Offset{0}, 1});
    }
    ASSERT_TRUE(CheckpointFile(real_.env(), folder_ + "/kafka", topic_name).write(checkpoint).ok());
    ReaderOptions options{cluster.settings(), folder_ + "/kafka", {topic_name}};
    options.embedded = std::make_unique<log::Topics>(topics);
    const auto source = open_topics(real_.env(), std::move(options)).value();
    const auto reader = source->open(source->find(topic_name).value(), {}).value();
    EXPECT_EQ(reader->partition(Partition{0}).unforwarded().value(), 2);
    EXPECT_EQ(reader->partition(Partition{1}).unforwarded().value(), 1) << "what came after the checkpoint is seen";
    EXPECT_EQ(reader->partition(Partition{1}).end_offset().value(), Offset{4});
    const std::vector<Offset> ends{Offset{2}, Offset{2}};
    EXPECT_EQ(arrived_below(*reader, ends, topic).value(), (std::vector<Offset>{Offset{1}, Offset{1}}));
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/kafka/game-events-0.origins")) << "no pass over the topic";
}

TEST_F(TopicLogTest, AsTheyLieRecordsAreReadThatAreThereTwiceAndNothingIsWritten) {
    collect({{"a", "b", "c"}});
    const std::string log_id = embedded_->find(topic_name).value().id;
    put({from(0, "a", log_id), from(1, "b", log_id), from(0, "a again", log_id)});
    as_they_lie_ = true;
    const auto reader = open();
    auto& partition = reader->partition(Partition{0});
    EXPECT_EQ(partition.end_offset().value(), Offset{4});
    auto cursor = partition.read(Offset{1}, Offset{4}).value();
    std::string values;
    log::Batch batch;
    while (cursor->next(batch).value()) {
        log::RecordCursor records(batch.header, batch.records);
        log::Record record;
        while (records.next(record).value())
            if (record.offset >= Offset{1}) values += fmt::format("{} {},", record.offset, record.value);
    }
    EXPECT_EQ(values, "1 b,2 a again,3 c,") << "the last one is not forwarded yet";
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/kafka/game-events-0.origins"));
}

TEST_F(TopicLogTest, ATimeIsFoundInKafkaOrAfterIt) {
    collect({{"a", "b", "c", "d"}});
    const std::string log_id = embedded_->find(topic_name).value().id;
    put({from(0, "a", log_id), from(1, "b", log_id)});
    const auto reader = open();
    auto& partition = reader->partition(Partition{0});
    EXPECT_EQ(partition.find_time(TimestampMs{1'795'384'733'873 + 3}).value(), Offset{3});
    EXPECT_EQ(partition.find_time(TimestampMs{1'795'384'733'873 + 99}).value(), Offset{4}) << "its end";
    for (const std::int64_t before : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{-2}, INT64_MIN})
        EXPECT_EQ(partition.find_time(TimestampMs{before}).value(), Offset{0}) << before;
}

TEST_F(TopicLogTest, AReaderWaitsForWhatComes) {
    put({of_others("a")});
    const auto reader = open();
    const std::vector<Offset> ends{Offset{1}};
    EXPECT_FALSE(reader->wait_beyond(ends, std::chrono::milliseconds(1)).value());
    put({of_others("b")});
    EXPECT_TRUE(reader->wait_beyond(ends, std::chrono::milliseconds(10'000)).value());
}

} // namespace
} // namespace questlog::kafka
