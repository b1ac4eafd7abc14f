#pragma once

#include "io/real_env.h"
#include "kafka/checkpoint.h"
#include "kafka/mock_cluster.h"
#include "kafka/origin.h"
#include "kafka/topic_log.h"
#include "log/record_batch.h"

#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <optional>

/// For tests: a topic of the mock cluster, and a collector's log beside it.
namespace questlog::kafka {

inline constexpr const char* topic_name = "game-events";

/// An event as a reader finds it: first by a cursor, and then again by its address.
struct FoundEvent {
    std::int64_t offset = -1;
    std::string value;
    auto operator<=>(const FoundEvent&) const = default;
};

class TopicLogTest : public ::testing::Test {
protected:
    TopicLogTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "questlog-kafka-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        cluster_.create(topic_name, 1);
    }
    ~TopicLogTest() override {
        writer_.reset();
        std::filesystem::remove_all(folder_);
    }

    static StoredRecord from(std::int64_t offset, std::string value, std::string log_id = "log-a") {
        return {-1,
                1'795'384'733'873 + offset,
                std::nullopt,
                std::move(value),
                {{origin_header, fmt::format("{}:0:{}", log_id, offset)}}};
    }
    static StoredRecord of_others(std::string value) {
        return {-1, 1'795'384'733'873, std::nullopt, std::move(value), {}};
    }

    void put(const std::vector<StoredRecord>& records) { cluster_.put(topic_name, 0, records); }

    std::unique_ptr<log::LogReader> open() {
        ReaderOptions options{cluster_.settings(), folder_ + "/kafka", {topic_name}};
        if (embedded_) options.embedded = std::make_unique<log::Topics>(*embedded_);
        options.cache_bytes_max = cache_bytes_max_;
        options.as_they_lie = as_they_lie_;
        if (with_headers_) options.with_headers = *with_headers_;
        options.stop = stop_;
        auto topics = open_topics(real_.env(), std::move(options));
        EXPECT_TRUE(topics.ok()) << topics.error().message;
        topics_ = std::move(topics).value();
        return topics_->open(topics_->find(topic_name).value(), {}).value();
    }

    using Addresses = std::vector<std::pair<log::BatchAddress, std::uint32_t>>;

    /// All records in [from, to), or the error that ends the reading.
    Result<std::vector<FoundEvent>> read(log::LogReader& reader, Offset from, Offset to) {
        Addresses addresses;
        TRY(found, read_once(reader, from, to, addresses));
        TRY(again, fetch(reader, addresses));
        EXPECT_EQ(found, again);
        return found;
    }
    static Result<std::vector<FoundEvent>> read_once(log::LogReader& reader, Offset from, Offset to,
                                                     Addresses& addresses) {
        auto& partition = reader.partition(Partition{0});
        TRY(cursor, partition.read(from, to));
        std::vector<FoundEvent> found;
        log::Batch batch;
        while (true) {
            TRY(more, cursor->next(batch));
            if (!more) break;
            log::RecordCursor records(batch.header, batch.records);
            log::Record record;
            while (true) {
                const std::uint32_t position = records.position();
                TRY(another, records.next(record));
                if (!another) break;
                if (record.offset < from || record.offset >= to) continue;
                found.push_back({record.offset.value, std::string(record.value)});
                addresses.emplace_back(batch.address(), position);
            }
        }
        return found;
    }
    static Result<std::vector<FoundEvent>> fetch(log::LogReader& reader, const Addresses& addresses) {
        TRY(fetcher, reader.partition(Partition{0}).fetcher());
        std::vector<FoundEvent> found;
        for (const auto& [batch, position] : addresses) {
            TRY(record, fetcher->fetch(batch, position));
            found.push_back({record.offset.value, std::string(record.value)});
        }
        return found;
    }
    Result<std::vector<FoundEvent>> read_all(log::LogReader& reader) {
        TRY(start, reader.partition(Partition{0}).start_offset());
        TRY(end, reader.partition(Partition{0}).end_offset());
        return read(reader, start, end);
    }
    std::vector<FoundEvent> all() {
        const auto reader = open();
        auto found = read_all(*reader);
        EXPECT_TRUE(found.ok()) << found.error().message;
        return found.ok() ? std::move(found).value() : std::vector<FoundEvent>{};
    }

    /// A collector's log of its own, with these events in one batch for each list.
    void collect(const std::vector<std::vector<std::string>>& batches, Compression compression = Compression::none) {
        if (embedded_ == nullptr) {
            embedded_ = std::make_unique<log::Topics>(real_.env(), folder_ + "/log");
            ASSERT_TRUE(embedded_->create(topic_name, {}).ok());
        }
        if (writer_ == nullptr)
            writer_ = log::open_writer(
                          real_.env(), *embedded_, embedded_->find(topic_name).value(),
                          {.on_recovery = {}, .prepare_segments_in_background = false, .compression = compression})
                          .value();
        auto& partition = writer_->partition(Partition{0});
        for (const auto& values : batches) {
            log::BatchBuilder batch;
            batch.begin(partition.next_offset());
            for (const auto& value : values)
                batch.add(TimestampMs{1'795'384'733'873 + batch.next_offset().value}, value);
            ASSERT_TRUE(partition.append(batch.seal()).ok());
            ASSERT_TRUE(partition.sync().ok());
        }
    }

    io::RealEnv real_;
    MockCluster cluster_;
    std::string folder_;
    bool as_they_lie_ = false;
    std::optional<bool> with_headers_; ///< nullopt: as readers are by themselves.
    std::function<bool()> stop_;
    std::int64_t cache_bytes_max_ = limits::kafka_cache_bytes_max;
    std::unique_ptr<log::Topics> embedded_;
    std::unique_ptr<log::LogWriter> writer_;
    std::unique_ptr<log::TopicSource> topics_;
};

class LongTopicTest : public TopicLogTest {
protected:
    static constexpr int events = 20'000;

    /// Followed by one that is there for the second time.
    void put_many() {
        std::vector<StoredRecord> records;
        for (int i = 0; i < events; ++i) records.push_back(from(i, fmt::format("event {}", i)));
        records.push_back(from(events - 1, "again"));
        put(records);
    }
};

} // namespace questlog::kafka
