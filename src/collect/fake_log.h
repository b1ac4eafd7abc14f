#pragma once

#include "io/env.h"
#include "log/event_log.h"
#include "log/record_batch.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// A clock and a log in memory that a test can break, for the tests of this folder. They keep the contracts of io/env.h
/// and log/event_log.h, and fail the test where the collector breaks them.
namespace questlog::collect {

class FakeClock final : public io::Clock {
public:
    TimestampMs wall_ms() override { return TimestampMs{wall.load()}; }
    std::chrono::nanoseconds monotonic() override { return std::chrono::nanoseconds(elapsed.load()); }
    void sleep(std::chrono::milliseconds duration) override { pass(duration); }
    void pass(std::chrono::nanoseconds duration) { elapsed += duration.count(); }

    std::atomic<std::int64_t> wall{1'533'407'232'000}; ///< 2018-08-04 18:27:12 UTC
    std::atomic<std::int64_t> elapsed{0};
};

struct LoggedEvent {
    TimestampMs timestamp;
    std::string value;
    std::string message_id; ///< Of its record's only header; empty: it has none.
    std::optional<std::string> key;
};

/// One partition in memory. append() and sync() run on whichever thread commits; the rest of the test waits for it.
class FakePartition final : public log::PartitionWriter {
public:
    explicit FakePartition(FakeClock& clock) : clock_(clock) {}

    [[nodiscard]] Offset next_offset() const override { return Offset{static_cast<std::int64_t>(events.size())}; }
    [[nodiscard]] TimestampMs max_timestamp() const override {
        return events.empty() ? TimestampMs{-1} : events.back().timestamp;
    }

    Status append(std::span<const std::byte> batch) override {
        if (append_error) return *append_error;
        const auto header = log::parse_batch_header(batch);
        EXPECT_TRUE(header.ok() && log::batch_crc_ok(batch));
        EXPECT_EQ(header->base_offset, next_offset()) << "offsets must follow the log's end";
        EXPECT_LE(batch.size(), limits::batch_bytes_max);
        log::RecordCursor cursor(header.value(), batch.subspan(log::batch_header_bytes));
        log::Record record;
        for (auto next = cursor.next(record); next.ok() && next.value(); next = cursor.next(record))
            events.push_back({record.timestamp, std::string(record.value), message_id_of(record),
                              record.key ? std::optional<std::string>(*record.key) : std::nullopt});
        ++batches;
        return {};
    }

    Status take_back() override {
        if (take_back_error) return *take_back_error;
        EXPECT_GT(events.size(), durable) << "nothing to take back";
        events.resize(durable);
        --batches;
        return {};
    }

    Status sync() override {
        if (on_sync) on_sync();
        clock_.pass(sync_time);
        if (sync_error) return *sync_error;
        durable = events.size();
        return {};
    }

    static std::string message_id_of(const log::Record& record) {
        const auto headers = log::parse_headers(record);
        EXPECT_TRUE(headers.ok());
        if (!headers.ok() || headers->empty()) return {};
        EXPECT_EQ(headers->size(), 1U);
        EXPECT_EQ(headers->front().key, "message_id");
        return std::string(headers->front().value);
    }

    std::vector<LoggedEvent> events;
    std::size_t durable = 0; ///< events[..durable] are synced.
    std::size_t batches = 0;
    std::optional<Error> append_error; ///< Of every append until it is reset.
    std::optional<Error> sync_error;
    std::optional<Error> take_back_error;
    std::chrono::nanoseconds sync_time{0}; ///< The clock moves on by it at each sync.
    std::function<void()> on_sync;         ///< At each sync, before it does anything.

private:
    FakeClock& clock_;
};

class FakeLog final : public log::LogWriter {
public:
    FakeLog(FakeClock& clock, std::int32_t partition_count) {
        topic_.name = "game-events";
        topic_.id = "AAAAAAAAAAAAAAAAAAAAAQ";
        topic_.partitions = partition_count;
        for (std::int32_t i = 0; i < partition_count; ++i) partitions.push_back(std::make_unique<FakePartition>(clock));
    }
    [[nodiscard]] const log::Topic& topic() const override { return topic_; }
    log::PartitionWriter& partition(Partition partition) override {
        return *partitions.at(static_cast<std::size_t>(partition.value));
    }
    Status close() override { return {}; }
    [[nodiscard]] std::size_t durable_events() const {
        std::size_t events = 0;
        for (const auto& partition : partitions) events += partition->durable;
        return events;
    }

    std::vector<std::unique_ptr<FakePartition>> partitions;

private:
    log::Topic topic_;
};

} // namespace questlog::collect
