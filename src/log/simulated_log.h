#pragma once

#include "io/sim_env.h"
#include "log/event_log.h"
#include "log/log_files.h"
#include "log/retention.h"

#include <gtest/gtest.h>
#include <random>

/// For tests: one topic on a simulated machine, and beside it a model of what the log must hold.
namespace questlog::log {

enum class End : std::uint8_t { kill, power_cut }; ///< Of a process, or of the machine under it.

class SimulatedLog {
public:
    explicit SimulatedLog(std::uint64_t seed, std::int64_t segment_bytes = 16 * 1024, std::int32_t partitions = 1)
        : sim(seed), topics(sim.env(), "/data/log"), random_(seed) {
        auto created = topics.create("game-events", {partitions, {}});
        EXPECT_TRUE(created.ok());
        topic = std::move(created).value();
        topic.segment_bytes = segment_bytes; // smaller than a topic can ask for, so that segments roll often
    }

    /// Opens the writer; its error where it refuses.
    Status open() {
        writer.reset();
        WriterOptions options;
        options.prepare_segments_in_background = false;
        options.compression = compression;
        options.sync = sync_mode;
        options.on_recovery = [this](const std::string& what) { recoveries.push_back(what); };
        auto opened = open_writer(sim.env(), topics, topic, options);
        if (!opened.ok()) return opened.error();
        writer = std::move(opened).value();
        return {};
    }

    /// One batch of `events` events, of random sizes up to `bytes_max` unless they are given.
    Status append(int events, std::size_t bytes_max = 300) {
        auto& partition = writer->partition(Partition{0});
        builder_.begin(partition.next_offset());
        std::vector<std::string> values;
        for (int i = 0; i < events; ++i) {
            values.push_back(fmt::format("{{\"event\": {}, ", appended.size() + values.size()));
            values.back().append(random_() % bytes_max, static_cast<char>('a' + random_() % 26));
            builder_.add(TimestampMs{clock_ms_ += static_cast<std::int64_t>(random_() % 3)}, values.back());
        }
        auto status = partition.append(builder_.seal());
        // After an error other than "retry later" the batch may be on disk all the same, whole.
        if (status.ok() || status.error().kind != ErrorKind::retry_later)
            appended.insert(appended.end(), values.begin(), values.end());
        return status;
    }

    Status sync() {
        CHECK_OK(writer->partition(Partition{0}).sync());
        acked = appended.size();
        return {};
    }

    Status commit(int events, std::size_t bytes_max = 300) {
        CHECK_OK(append(events, bytes_max));
        return sync();
    }

    Status close() {
        CHECK_OK(writer->close());
        acked = appended.size();
        writer.reset();
        return {};
    }

    void crash() {
        sim.crash();
        writer.reset();
    }

    void power_cut() {
        sim.power_cut();
        writer.reset();
    }

    /// Removes what `limits` let go of below `floor`, as the process that holds the writer does.
    Result<TrimPlan> trim(const RetentionLimits& limits, Offset floor) {
        TRY(reader, open_reader(sim.env(), topics, topic));
        TRY(age, look_at_age(sim.env(), topics, *reader, Partition{0}, limits));
        auto plan = plan_trim(age, limits, floor);
        may_expire = std::max(may_expire, limits.force ? appended.size() : static_cast<std::size_t>(floor.value));
        CHECK_OK(log::trim(sim.env().files, topics, topic, plan));
        return plan;
    }

    /// Every event that a reader sees, in order, of a log that begins at 0.
    Result<std::vector<std::string>> read_all() {
        TRY(reader, open_reader(sim.env(), topics, topic));
        return read_all(*reader);
    }

    Result<std::vector<std::string>> read_all(LogReader& reader) {
        TRY(seen, read(reader));
        if (seen.start != 0) return internal("the log begins at offset {}", seen.start);
        return std::move(seen.values);
    }

    struct Seen {
        std::size_t start = 0;
        std::vector<std::string> values; ///< From there on.
        [[nodiscard]] std::size_t end() const { return start + values.size(); }
    };
    Result<Seen> read() {
        TRY(reader, open_reader(sim.env(), topics, topic));
        return read(*reader);
    }
    Result<Seen> read(LogReader& reader) {
        auto& partition = reader.partition(Partition{0});
        TRY(start, partition.start_offset());
        TRY(end, partition.end_offset());
        TRY(cursor, partition.read(start, end));
        Seen seen{static_cast<std::size_t>(start.value), {}};
        Batch batch;
        while (true) {
            TRY(more, cursor->next(batch));
            if (!more) break;
            RecordCursor records(batch.header, batch.records);
            Record record;
            while (true) {
                TRY(another, records.next(record));
                if (!another) break;
                if (record.offset.value != static_cast<std::int64_t>(seen.end()))
                    return internal("offset {} where {} follows", record.offset, seen.end());
                seen.values.emplace_back(record.value);
            }
        }
        if (seen.end() != static_cast<std::size_t>(end.value))
            return internal("{} events up to the end {}", seen.end(), end);
        return seen;
    }

    /// What a reader sees is what was appended, in order; all that was acknowledged, and all that was ever shown, but
    /// for what may have expired. What is seen is shown, so it must stay; what is not seen is gone, so it never comes
    /// back.
    void expect_kept(const std::string& when) {
        const auto seen = read();
        ASSERT_TRUE(seen.ok()) << when << ": " << seen.error().message;
        ASSERT_LE(seen->end(), appended.size()) << when;
        ASSERT_GE(seen->end(), acked) << when << ": an acknowledged event is gone";
        ASSERT_GE(seen->end(), shown) << when << ": an event that was shown is gone";
        ASSERT_LE(seen->start, may_expire) << when << ": an event expired that someone needs";
        ASSERT_GE(seen->start, started) << when << ": the log begins where it did before";
        for (std::size_t i = seen->start; i < seen->end(); ++i)
            ASSERT_EQ(seen->values[i - seen->start], appended[i]) << when << ": offset " << i;
        shown = seen->end();
        started = seen->start;
    }

    /// After a recovery what was not kept never was.
    void forget_lost() {
        appended.resize(shown);
        acked = shown;
    }

    [[nodiscard]] std::string directory() const { return partition_directory("/data/log", topic.name, Partition{0}); }
    [[nodiscard]] std::vector<std::string> segments() const {
        std::vector<std::string> paths;
        for (const auto& name : sim.names(directory()))
            if (segment_base_of(name)) paths.push_back(directory() + "/" + name);
        return paths;
    }

    io::SimEnv sim;
    Topics topics;
    Topic topic;
    std::unique_ptr<LogWriter> writer;
    std::vector<std::string> recoveries;
    std::vector<std::string> appended;           ///< By offset.
    std::size_t acked = 0;                       ///< The first so many were acknowledged.
    std::size_t shown = 0;                       ///< The first so many were seen by a reader.
    std::size_t may_expire = 0;                  ///< No one needs the first so many any more.
    std::size_t started = 0;                     ///< Where a reader last saw the log begin.
    Compression compression = Compression::none; ///< Of the next writer.
    Sync sync_mode = Sync::always;               ///< Likewise.

private:
    BatchBuilder builder_;
    std::mt19937_64 random_;
    std::int64_t clock_ms_ = 1'577'880'000'000;
};

} // namespace questlog::log
