#pragma once

#include "io/real_env.h"
#include "kafka/forwarder.h"
#include "kafka/mock_cluster.h"
#include "kafka/origin.h"

#include <condition_variable>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// For tests: an embedded log in a directory of its own, and what forwards it.
namespace questlog::kafka {

/// What a wait for something that happens on other threads may take.
inline constexpr std::chrono::seconds patience{30};

class ForwardedLog {
public:
    explicit ForwardedLog(std::int32_t partitions = 1) {
        std::string pattern = (std::filesystem::temp_directory_path() / "questlog-kafka-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
        log::Topics topics(real_.env(), directory_ + "/log");
        auto created = topics.create("game-events", {partitions, {{"segment.bytes", "1048576"}}});
        EXPECT_TRUE(created.ok());
        topic = *created;
        writer_ = std::move(log::open_writer(real_.env(), topics, topic, {})).value();
        reader_ = std::move(log::open_reader(real_.env(), topics, topic)).value();
        options.topic = topic.name;
        options.partitions = partitions;
        options.directory = directory_ + "/kafka";
        options.checkpoint_interval = std::chrono::milliseconds(20);
        options.retry = std::chrono::milliseconds(20);
        options.refused_retry = std::chrono::milliseconds(50);
    }
    ~ForwardedLog() {
        stop();
        reader_.reset();
        writer_.reset();
        std::filesystem::remove_all(directory_);
    }
    ForwardedLog(const ForwardedLog&) = delete;
    ForwardedLog& operator=(const ForwardedLog&) = delete;

    /// Commits `events` events, each in a batch with the others. The value of each is its partition and offset.
    void commit(int events, int partition = 0) {
        auto& writer = writer_->partition(Partition{partition});
        builder_.begin(writer.next_offset());
        for (int i = 0; i < events; ++i) {
            const auto offset = builder_.next_offset();
            const std::string key = fmt::format("key {}", offset);
            const std::vector<log::RecordHeader> headers{{"h", "1"}, {"second header", ""}};
            const bool plain = offset.value % 2 == 0;
            builder_.add(TimestampMs{1'577'880'000'000 + offset.value}, value(partition, offset.value),
                         plain ? std::nullopt : std::optional<std::string_view>(key),
                         plain ? std::span<const log::RecordHeader>() : headers);
        }
        ASSERT_TRUE(writer.append(builder_.seal()).ok());
        ASSERT_TRUE(writer.sync().ok());
        if (forwarder) forwarder->wake();
    }
    static std::string value(int partition, std::int64_t offset) {
        return fmt::format("{}:{} {}", partition, offset, std::string(100, 'x'));
    }

    void start(const MockCluster& cluster) { start(cluster.settings()); }
    void start(const ClientSettings& cluster) {
        options.cluster = cluster;
        forwarder = std::make_unique<Forwarder>(options, real_.env(), *reader_);
        forwarder->on_acknowledged = [this](const std::vector<Offset>& ends) {
            const std::lock_guard lock(mutex_);
            ends_ = ends;
            if (first_end_ == 0) first_end_ = ends[0].value;
            ++told_;
            changed_.notify_all();
        };
        forwarder->begin();
    }
    void stop() {
        if (forwarder) forwarder->stop();
        forwarder.reset();
        ends_.clear();
    }

    /// Until all events before `end` are acknowledged.
    void await(std::int64_t end, int partition = 0) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(
            lock, patience, [&] { return !ends_.empty() && ends_[static_cast<std::size_t>(partition)].value >= end; }))
            << "acknowledged: " << (ends_.empty() ? -1 : ends_[static_cast<std::size_t>(partition)].value) << "; "
            << name_of(forwarder->state()) << ' ' << forwarder->status().text;
    }
    void await(ForwarderState state) {
        io::Clock& clock = real_.env().clock;
        for (const auto deadline = clock.monotonic() + patience;
             forwarder->state() != state && clock.monotonic() < deadline;)
            clock.sleep(std::chrono::milliseconds(1));
        EXPECT_EQ(name_of(forwarder->state()), name_of(state)) << forwarder->status().text;
    }
    /// The text of a refusal that comes.
    std::string refusal() {
        await(ForwarderState::refused);
        return forwarder->status().text;
    }
    /// Of partition 0, as it was told first.
    std::int64_t first_end() {
        const std::lock_guard lock(mutex_);
        return first_end_;
    }
    int told() {
        const std::lock_guard lock(mutex_);
        return told_;
    }

    /// What our readers take of it from a partition: the offsets, without those that are there for the second time.
    [[nodiscard]] std::vector<std::int64_t> taken(const std::vector<StoredRecord>& records) const {
        OriginsSeen seen;
        std::vector<std::int64_t> offsets;
        for (const StoredRecord& record : records) {
            const std::string header = record.header(origin_header);
            const auto origin = parse_origin(header);
            if (!origin || origin->log_id != topic.id || !seen.see(*origin)) continue;
            if (record.value.starts_with(fmt::format("{}:{} ", origin->partition, origin->offset)))
                offsets.push_back(origin->offset.value);
        }
        return offsets;
    }

    [[nodiscard]] std::string checkpoint_path() const { return options.directory + "/" + options.topic + ".forwarded"; }
    CheckpointFile checkpoint() { return {real_.env(), options.directory, options.topic}; }
    io::Env env() { return real_.env(); }
    log::LogReader& reader() { return *reader_; }

    log::Topic topic;
    ForwarderOptions options;
    std::unique_ptr<Forwarder> forwarder;

private:
    io::RealEnv real_;
    std::string directory_;
    std::unique_ptr<log::LogWriter> writer_;
    std::unique_ptr<log::LogReader> reader_;
    log::BatchBuilder builder_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Offset> ends_;
    std::int64_t first_end_ = 0;
    int told_ = 0;
};

inline std::vector<std::int64_t> numbers(std::int64_t end) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(end));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
    return all;
}

} // namespace questlog::kafka
