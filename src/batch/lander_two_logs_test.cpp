// An embedded log and the topic in Kafka that it is forwarded to: the same events, in two logs.
#include "batch/lander_fixture.h"
#include "lake/landed_logs.h"

namespace questlog::batch {
namespace {

using Rows = std::vector<std::string>;
using Ids = std::set<std::string>;

class ForwardedPartition final : public log::PartitionReader {
public:
    explicit ForwardedPartition(log::PartitionReader& own) : own_(own) {}

    [[nodiscard]] Partition partition() const override { return own_.partition(); }
    Result<Offset> start_offset() override { return own_.start_offset(); }
    Result<Offset> end_offset() override { return own_.end_offset(); }
    Result<std::int64_t> bytes() override { return own_.bytes(); }
    Result<std::int64_t> bytes_below(Offset end) override { return own_.bytes_below(end); }
    Result<Ids> origins(Offset before) override { return before > first_forwarded ? Ids{from} : Ids{}; }
    Result<std::unique_ptr<log::BatchCursor>> read(Offset begin, Offset end) override { return own_.read(begin, end); }
    Result<std::unique_ptr<log::RecordFetcher>> fetcher() override { return own_.fetcher(); }

    Offset first_forwarded; ///< What is before has come from other producers.
    std::string from = "embedded";

private:
    log::PartitionReader& own_;
};

/// As the topic in Kafka: another log with the same records.
class ForwardedLog final : public log::LogReader {
public:
    explicit ForwardedLog(log::LogReader& own) : only(own.partition(Partition{0})), topic_(own.topic()) {
        topic_.id = "of-kafka";
    }

    [[nodiscard]] const log::Topic& topic() const override { return topic_; }
    log::PartitionReader& partition(Partition /*partition*/) override { return only; }
    Result<bool> wait_beyond(std::span<const Offset> /*ends*/, std::chrono::milliseconds /*limit*/) override {
        return false;
    }

    ForwardedPartition only;

private:
    log::Topic topic_;
};

class LanderOfTwoLogsTest : public LanderFixture {
protected:
    LanderOfTwoLogsTest() { kafka_->only.from = reader_->topic().id; }

    std::unique_ptr<Lander> lander_of_kafka() {
        return std::make_unique<Lander>(LandingWorld{world_.env(), *kafka_, *store_,
                                                     [this]() -> Result<duck::Database*> { return database_.get(); }},
                                        options_, events_);
    }
    lake::LandingRecords records_of_kafka() { return {world_.env(), "/data/lake", "of-kafka", Partition{0}}; }
    static void expect_refused(Lander& lander, std::string_view words) {
        expect_failed(lander, ErrorKind::corrupt, words);
    }
    static void expect_failed(Lander& lander, ErrorKind kind, std::string_view words) {
        const Status done = lander.land_all();
        ASSERT_FALSE(done.ok()) << words;
        EXPECT_EQ(done.error().kind, kind);
        EXPECT_NE(done.error().message.find(words), std::string::npos) << done.error().message;
    }

    std::unique_ptr<ForwardedLog> kafka_ = std::make_unique<ForwardedLog>(*reader_);
};

TEST_F(LanderOfTwoLogsTest, WhatTheEmbeddedOneHasLandedIsNotLandedFromKafka) {
    append({event("sword", 1)});
    ASSERT_TRUE(lander_->land_all().ok());
    append({event("sword", 2)});
    const auto of_kafka = lander_of_kafka();
    for (int round = 0; round < 2; ++round) expect_refused(*of_kafka, "landed from the embedded log");
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1"}));
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "2"})) << "the one that has begun goes on";
}

TEST_F(LanderOfTwoLogsTest, WhatKafkaHasLandedIsNotLandedFromTheEmbeddedOne) {
    append({event("sword", 1)});
    const auto of_kafka = lander_of_kafka();
    ASSERT_TRUE(of_kafka->land_all().ok());
    EXPECT_EQ(records_of_kafka().books().value()->origins, Ids{reader_->topic().id});
    append({event("sword", 2)});
    for (int round = 0; round < 2; ++round) expect_refused(*lander_, "landed from the topic in Kafka");
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1"}));
    ASSERT_TRUE(of_kafka->land_all().ok());
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "2"}));
}

/// The first that is forwarded comes to a topic whose lander has run for long.
TEST_F(LanderOfTwoLogsTest, ALanderThatRunsIsToldByTheFirstRecordThatWasForwarded) {
    kafka_->only.first_forwarded = Offset{2};
    append({event("guild", 1)});
    const auto of_kafka = lander_of_kafka();
    ASSERT_TRUE(of_kafka->land_all().ok());
    ASSERT_TRUE(lander_->land_all().ok());
    append({event("guild", 2)});
    ASSERT_TRUE(of_kafka->land_all().ok()) << "other producers'";
    append({event("guild", 3)});
    expect_refused(*of_kafka, "landed from the embedded log");
    EXPECT_EQ(records_of_kafka().books().value()->landed_to, Offset{2});
    EXPECT_TRUE(records_of_kafka().books().value()->origins.empty());
}

/// Until the books are written anew, some tables have a cut already.
TEST_F(LanderOfTwoLogsTest, TheBooksSayWhereRecordsCameFromBeforeAnyIsLanded) {
    append({event("sword", 1)});
    Lander interrupted({world_.env(), *kafka_, *store_,
                        []() -> Result<duck::Database*> {
                            return Error{ErrorKind::retry_later, "the disk is full", 0};
                        }},
                       options_, events_);
    expect_failed(interrupted, ErrorKind::retry_later, "the disk is full");
    const auto books = records_of_kafka().books().value();
    ASSERT_TRUE(books);
    EXPECT_EQ(books->landed_to, Offset{0});
    expect_refused(*lander_, "landed from the topic in Kafka");
}

TEST_F(LanderOfTwoLogsTest, AnotherTopicsEventsAreLandedBesideIt) {
    kafka_->only.from = "of another collector";
    append({event("sword", 1)});
    ASSERT_TRUE(lander_->land_all().ok());
    ASSERT_TRUE(lander_of_kafka()->land_all().ok());
    append({event("sword", 2)});
    ASSERT_TRUE(lander_->land_all().ok());
    ASSERT_TRUE(lander_of_kafka()->land_all().ok());
    EXPECT_EQ(rows("sword", "SELECT n FROM %s ORDER BY n"), (Rows{"1", "1", "2", "2"}));
}

} // namespace
} // namespace questlog::batch
