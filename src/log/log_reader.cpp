#include "io/lock_error.h"
#include "log/event_log.h"
#include "log/log_files.h"
#include "log/recovery.h"
#include "log/segment_check.h"
#include "log/segment_cursor.h"
#include "log/segment_fetcher.h"
#include "log/segment_table.h"
#include "log/segment_walk.h"
#include "log/synced_end.h"
#include "log/time_search.h"
#include "log/topic_lock.h"

#include <algorithm>

namespace questlog::log {

namespace {

constexpr int open_attempts_max = 10; // each one waits for the writer or the recovery that is in its way
constexpr std::chrono::milliseconds poll_first{1};
constexpr std::chrono::milliseconds poll_longest{20};

class SegmentReader final : public PartitionReader {
public:
    SegmentReader(io::Files& files, Partition partition, const std::string& directory,
                  std::unique_ptr<io::SharedWord> durable_end)
        : files_(files), directory_(directory), partition_(partition), table_(files, directory),
          durable_end_(std::move(durable_end)) {}

    [[nodiscard]] Partition partition() const override { return partition_; }

    Result<Offset> start_offset() override {
        CHECK_OK(table_.refresh());
        return table_.start();
    }

    Result<Offset> end_offset() override { return durable_offset(); }

    Result<std::int64_t> bytes() override { return bytes_below(durable_offset()); }

    Result<std::int64_t> bytes_below(Offset end) override {
        while (true) {
            CHECK_OK(table_.refresh());
            const Offset start = table_.start();
            auto counted = count_bytes(end);
            if (counted.ok()) return counted;
            CHECK_OK(table_.refresh());
            if (table_.start() == start) return counted; // else a segment may have expired as it was counted
        }
    }

    Result<std::vector<Hole>> holes() override { return read_holes(files_, directory_); }

    Result<std::unique_ptr<BatchCursor>> read(Offset from, Offset to) override {
        const Offset end = durable_offset();
        if (to > end) return internal("a read up to offset {} was asked for beyond the durable end {}", to, end);
        CHECK_OK(table_.refresh());
        const Offset start = table_.start();
        if (from < start)
            return reject("offset {} is not in the log any more: it has expired, and the log begins at offset {}", from,
                          start);
        if (table_.count() == 0 && from < to) return corrupt("the segments of partition {} are gone", partition_);
        return std::unique_ptr<BatchCursor>(std::make_unique<SegmentCursor>(table_, from, to));
    }

    Result<std::unique_ptr<RecordFetcher>> fetcher() override {
        return std::unique_ptr<RecordFetcher>(std::make_unique<SegmentFetcher>(table_, *durable_end_));
    }

    Result<Offset> find_time(TimestampMs time) override {
        const Offset end = durable_offset();
        CHECK_OK(table_.refresh());
        // Segments before `low` begin before `time`, those from `high` on do not, or hold nothing durable.
        const std::int32_t first = table_.first();
        std::int32_t low = first;
        std::int32_t high = std::max(first, table_.find(end.plus(-1)) + 1);
        while (low < high) {
            const std::int32_t middle = low + (high - low) / 2;
            TRY(begins_before, is_before(middle, {table_.base_of(middle), 0}, time));
            if (!begins_before)
                high = middle;
            else
                low = middle + 1;
        }
        if (low == first) return find_time_from(*this, std::min(table_.start(), end), time);
        const std::int32_t segment = low - 1;
        table_.use_index(segment);
        const auto place = table_.before(segment, time);
        const auto told = is_before(segment, place, time); // an index is only a hint
        return find_time_from(*this, told.ok() && *told ? place.offset : table_.base_of(segment), time);
    }

    [[nodiscard]] Offset durable_offset() { return decode_durable_end(durable_end_->load()).offset; }

    Result<SyncState> sync_state() override {
        SyncState state;
        TRY(synced, read_synced_end(files_, directory_));
        TRY(lost, read_lost_events(files_, directory_));
        state.synced_end = synced;
        state.lost_events = lost;
        return state;
    }

    Status make_durable(Offset to) override {
        TRY(synced, read_synced_end(files_, directory_));
        if (!synced || *synced >= to) return {};
        CHECK_OK(table_.refresh());
        for (auto i = std::max(table_.find(*synced), 0); i < static_cast<std::int32_t>(table_.count()); ++i) {
            if (table_.base_of(i) >= to) break;
            TRY(file, table_.file(i));
            CHECK_OK(file->sync_data()); // whoever wrote it
        }
        return {};
    }

private:
    Result<std::int64_t> count_bytes(Offset end) {
        if (table_.count() == 0 || end <= table_.start()) return 0;
        SegmentCursor cursor(table_, end, end);
        CHECK_OK(cursor.seek());
        std::int64_t bytes = cursor.position();
        for (std::int32_t i = table_.first(); i < cursor.segment(); ++i) {
            TRY(file, table_.file(i));
            TRY(size, file->size());
            bytes += size;
        }
        return bytes;
    }

    /// Whether the batch at the place, CRC and all, is older than `time`.
    Result<bool> is_before(std::int32_t segment, SegmentTable::Place place, TimestampMs time) {
        TRY(file, table_.file(segment));
        FileWindow window(batch_header_bytes);
        window.attach(std::move(file));
        TRY(look, look_at_batch(window, place.position, place.offset));
        if (look.what == Look::What::batch) return look.header.base_timestamp < time;
        return corrupt("{} is damaged at byte {} (offset {}): {}; {}", table_.path_of(segment), place.position,
                       place.offset, look.what == Look::What::fault ? look.fault : "the file ends here", damage_advice);
    }

    io::Files& files_;
    std::string directory_;
    Partition partition_;
    SegmentTable table_;
    std::unique_ptr<io::SharedWord> durable_end_;
};

class SegmentLogReader final : public LogReader {
public:
    SegmentLogReader(io::Clock& clock, Topic topic) : clock_(clock), topic_(std::move(topic)) {}

    void add_partition(std::unique_ptr<SegmentReader> partition) { partitions_.push_back(std::move(partition)); }

    [[nodiscard]] const Topic& topic() const override { return topic_; }

    PartitionReader& partition(Partition partition) override {
        return *partitions_.at(static_cast<std::size_t>(partition.value));
    }

    Result<bool> wait_beyond(std::span<const Offset> ends, std::chrono::milliseconds limit) override {
        if (ends.size() != partitions_.size())
            return internal("{} ends were given for {} partitions", ends.size(), partitions_.size());
        const auto deadline = clock_.monotonic() + limit;
        auto pause = poll_first;
        while (true) {
            for (std::size_t i = 0; i < ends.size(); ++i)
                if (partitions_[i]->durable_offset() > ends[i]) return true;
            const auto now = clock_.monotonic();
            if (now >= deadline) return false;
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now);
            clock_.sleep(std::min(pause, left));
            pause = std::min(pause * 2, poll_longest);
        }
    }

private:
    io::Clock& clock_;
    Topic topic_;
    std::vector<std::unique_ptr<SegmentReader>> partitions_;
};

using Words = std::vector<std::unique_ptr<io::SharedWord>>;

Result<Words> map_words(io::Files& files, const std::string& log_directory, const Topic& topic, io::Open mode) {
    Words words;
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
        TRY(word, map_durable_end(files, partition_directory(log_directory, topic.name, Partition{i}), mode));
        words.push_back(std::move(word));
    }
    return words;
}

/// Whether every partition says that it was closed cleanly, and its last segment bears that out. Where it does not, the
/// word or the segment is damaged, and it is recovery that can tell.
Result<bool> all_closed(io::Files& files, const std::string& log_directory, const Topic& topic, Words& words) {
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
        const auto says = decode_durable_end(words[static_cast<std::size_t>(i)]->load());
        if (!says.closed) return false;
        TRY(true_of_files, ends_at(files, partition_directory(log_directory, topic.name, Partition{i}), says.offset));
        if (!true_of_files) return false;
    }
    return true;
}

/// True if a writer that has recovered lives, or the log was closed cleanly: what the words say can be read.
Result<bool> readable(io::Files& files, const std::string& log_directory, const Topic& topic) {
    const auto path = lock_file(log_directory, topic.name);
    auto no_recovery = files.lock(path, recovery_slot, io::Files::Share::shared, recovery_wait);
    if (!no_recovery.ok())
        return no_recovery.error().within(fmt::format("the log of topic '{}' is being recovered", topic.name));
    TRY(live, files.locked(path, writer_slot));
    if (live) return true;
    TRY(words, map_words(files, log_directory, topic, io::Open::read));
    return all_closed(files, log_directory, topic, words);
}

/// What the next writer would do, done now for a reader. Success too if another process was quicker.
Status recover_for_reading(io::Files& files, const std::string& log_directory, const Topic& topic,
                           const std::function<void(const std::string&)>& on_recovery) {
    auto lock = lock_for_writing(files, log_directory, topic);
    if (!lock.ok()) {
        const bool held = io::is_held_by_another(lock.error());
        return held ? Status() : Status(lock.error());
    }
    TRY(words, map_words(files, log_directory, topic, io::Open::write));
    for (std::int32_t i = 0; i < topic.partitions; ++i) {
        const auto directory = partition_directory(log_directory, topic.name, Partition{i});
        CHECK_OK(recover_partition(files, directory, *words[static_cast<std::size_t>(i)], on_recovery));
    }
    return {};
}

} // namespace

Result<std::vector<Offset>> ends_of(LogReader& log) {
    std::vector<Offset> ends;
    for (Partition i{0}; i.value < log.topic().partitions; ++i.value) {
        TRY(end, log.partition(i).end_offset());
        ends.push_back(end);
    }
    return ends;
}

Result<std::unique_ptr<LogReader>> open_reader(io::Env env, const Topics& topics, const Topic& topic,
                                               const std::function<void(const std::string&)>& on_recovery) {
    const auto& log_directory = topics.directory();
    for (int attempt = 0; attempt < open_attempts_max; ++attempt) {
        TRY(ready, readable(env.files, log_directory, topic));
        if (!ready) {
            CHECK_OK(recover_for_reading(env.files, log_directory, topic, on_recovery));
            continue;
        }
        TRY(words, map_words(env.files, log_directory, topic, io::Open::read));
        auto reader = std::make_unique<SegmentLogReader>(env.clock, topic);
        for (std::int32_t i = 0; i < topic.partitions; ++i)
            reader->add_partition(std::make_unique<SegmentReader>(
                env.files, Partition{i}, partition_directory(log_directory, topic.name, Partition{i}),
                std::move(words[static_cast<std::size_t>(i)])));
        return std::unique_ptr<LogReader>(std::move(reader));
    }
    return retry_later("the log of topic '{}' is opened and left uncleanly again and again; look at its writer",
                       topic.name);
}

} // namespace questlog::log
