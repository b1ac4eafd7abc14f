#pragma once

#include "base/compressor.h"
#include "base/result.h"
#include "base/strong.h"
#include "io/env.h"
#include "log/hole.h"
#include "log/record_batch.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

/// The log as the rest of the program sees it. The embedded segment log (segment_*.h) implements these interfaces.
namespace questlog::log {

/// When a commit reaches the disk. Under `interval` and `never` a kill loses nothing that was acknowledged, and a power
/// cut what was not synced: since the last interval, or the last roll of a segment or clean stop.
enum class Sync : std::uint8_t { always, interval, never };

/// What a topic's configs ask for; what they leave open is the server's configuration (WriterOptions).
struct TopicSettings {
    std::optional<Compression> compression;      ///< compression.type
    std::optional<std::int64_t> segment_ms;      ///< segment.ms
    std::optional<std::int64_t> retention_bytes; ///< retention.bytes; -1: any amount
    std::optional<std::int64_t> retention_ms;    ///< retention.ms; -1: of any age
    std::optional<bool> retention_force;         ///< retention.force
    auto operator<=>(const TopicSettings&) const = default;
};

/// A topic's identity and settings, as they lie in its metadata file.
struct Topic {
    std::string name; ///< Kafka's rule: [A-Za-z0-9._-]{1,249}, not "." or "..".
    std::string id;   ///< UUID in Kafka's text form: 22 characters, URL-safe base64. The log id of receipts.
    std::int32_t partitions = 1;
    std::int64_t segment_bytes = 0;
    std::vector<std::pair<std::string, std::string>> configs; ///< As given with --config, sorted by name.
    TopicSettings settings{};                                 ///< What `configs` say.
};

struct TopicOptions {
    std::int32_t partitions = 1;
    std::vector<std::pair<std::string, std::string>>
        configs; ///< Known ones: docs/formats/config.md. Others are refused.
};

class LogReader;

/// Where topics are found and read: a data folder's own log, or a cluster.
class TopicSource {
public:
    virtual ~TopicSource() = default;
    virtual Result<std::vector<Topic>> list() = 0;
    virtual Result<std::vector<std::string>> names() = 0; ///< Of the same, also of one that cannot be read.
    /// `reject` where it is missing, naming the command that makes it.
    virtual Result<Topic> find(const std::string& name) = 0;
    virtual Result<bool> exists(const std::string& name) = 0;
    /// `on_recovery` is told what was done to the log before it could be read.
    virtual Result<std::unique_ptr<LogReader>> open(const Topic& topic,
                                                    const std::function<void(const std::string&)>& on_recovery) = 0;
};

/// The topics of one data directory, under `DIR/log`. Safe beside a running server: each topic has a lock of its own.
class Topics final : public TopicSource {
public:
    Topics(io::Env env, std::string log_directory);

    /// Makes the topic, durably. `reject` if it exists (error says so) or a name or option is wrong.
    Result<Topic> create(const std::string& name, const TopicOptions& options);
    Result<std::vector<Topic>> list() override;
    Result<std::vector<std::string>> names() override;
    Result<Topic> find(const std::string& name) override;
    Result<bool> exists(const std::string& name) override;
    Result<std::unique_ptr<LogReader>> open(const Topic& topic,
                                            const std::function<void(const std::string&)>& on_recovery) override;
    [[nodiscard]] const std::string& directory() const { return directory_; }

private:
    io::Env env_;
    std::string directory_;
};

/// Appends to one partition. One thread at a time.
/// append(): the batch is ordered and written, NOT yet durable, and no reader sees it.
/// sync(): every append before it survives power loss and is visible to readers of every process.
/// take_back(): the append that was not synced has not happened.
class PartitionWriter {
public:
    virtual ~PartitionWriter() = default;
    [[nodiscard]] virtual Offset next_offset() const = 0;
    /// The greatest timestamp in the partition, so that a caller never goes below it. -1 where it is empty.
    [[nodiscard]] virtual TimestampMs max_timestamp() const = 0;
    /// Where an earlier batch is not synced yet, it is synced first: only the last batch of a log can ever be torn.
    /// `batch` is one sealed batch with base offset next_offset(); compressed here, if the log is. `retry_later` on a
    /// full disk, or without a file descriptor for the next segment: nothing was appended, and a later append may
    /// succeed. Any other error: the writer refuses everything until the log is reopened.
    virtual Status append(std::span<const std::byte> batch) = 0;
    /// For a commit of several partitions of which one cannot be appended to: undoes the append before it, which nobody
    /// was told of, durably. After an error the process must end.
    virtual Status take_back() = 0;
    /// After an error the process must end: what was appended may or may not be on disk, and retrying can lie.
    /// Under Sync::interval and never it makes visible only, and fails if a sync in the background has failed.
    virtual Status sync() = 0;
};

/// The one writer of a topic; holds its lock. open() recovers first.
class LogWriter {
public:
    virtual ~LogWriter() = default; ///< Without close(): as a crash; the next open recovers.
    [[nodiscard]] virtual const Topic& topic() const = 0;
    virtual PartitionWriter& partition(Partition partition) = 0;
    /// Under Sync::interval and never: syncs what is acknowledged and not synced. Any thread; under `interval` it is
    /// called in the background. After an error the next append or sync says so too.
    virtual Status flush() { return {}; }
    /// Syncs, trims the zeros that were filled ahead, and marks every partition as cleanly closed.
    virtual Status close() = 0;
};

struct WriterOptions {
    /// Told once for each thing that recovery did (a torn tail cut, a tail written again); for the operator's log.
    std::function<void(const std::string&)> on_recovery;
    /// False: every file that must be ready ahead of need is made inline (simulation); true: on a thread of its own.
    bool prepare_segments_in_background = true;
    /// Of the batches of a topic that does not say itself.
    Compression compression = Compression::none;
    /// Likewise: a batch goes to a new segment where its timestamps pass those of the present one's first batch by so
    /// much. nullopt: a segment may be of any age.
    std::optional<std::int64_t> segment_ms{};
    Sync sync = Sync::always;
    std::chrono::milliseconds sync_interval{1000}; ///< Under Sync::interval: what a power cut may take. Not simulated.
};

/// `retry_later` naming the holder's pid while another writer is alive; `corrupt` naming file and byte where the log is
/// damaged below its durable end.
Result<std::unique_ptr<LogWriter>> open_writer(io::Env env, const Topics& topics, const Topic& topic,
                                               const WriterOptions& options);

/// Where a batch lies, and what reading one record of it needs.
struct BatchAddress {
    std::int32_t segment = 0;    ///< Opaque.
    bool is_compressed = false;  ///< Then its records are addressed by their positions among the decompressed ones.
    std::int64_t records_at = 0; ///< Position of the first record byte in the segment file.
    Offset base_offset;
    TimestampMs base_timestamp;
};

/// One batch as a reader gets it: checked (CRC, continuity), records decompressed. Valid until the cursor moves.
struct Batch {
    BatchHeader header;
    std::int32_t segment = 0;           ///< As in its address.
    std::int64_t records_at = 0;        ///< Likewise.
    std::span<const std::byte> records; ///< Followed by at least 64 readable bytes (for SIMD parsers).

    [[nodiscard]] BatchAddress address() const {
        return {segment, header.codec != Codec::none, records_at, header.base_offset, header.base_timestamp};
    }
};

/// Reads batches in order. next() is false at the end of the range it was opened for.
class BatchCursor {
public:
    virtual ~BatchCursor() = default;
    virtual Result<bool> next(Batch& batch) = 0;
};

/// Reads single records again by address, best in ascending order: a compressed batch is decompressed once for all of
/// its records that are asked for in a row. One thread. Memory is bounded: about 1 MiB, and one decompressed batch.
class RecordFetcher {
public:
    virtual ~RecordFetcher() = default;
    /// The record `position` bytes after the batch's first, both uncompressed. Its value is followed by at least 64
    /// readable bytes and is valid until the next call.
    virtual Result<Record> fetch(const BatchAddress& batch, std::uint32_t position) = 0;
};

/// How far a partition is certainly on disk.
struct SyncState {
    std::optional<Offset> synced_end; ///< nullopt: synced at each commit; else what lies above may go in a power cut.
    std::int64_t lost_events = 0;     ///< Acknowledged, and found missing by recoveries, over the partition's life.
};

/// Reads one partition, with or without a live writer. Any thread may make cursors; each cursor is one thread's.
class PartitionReader {
public:
    virtual ~PartitionReader() = default;
    [[nodiscard]] virtual Partition partition() const = 0;
    /// The first offset that is there. It moves on where old events expire; what was opened to read those goes on to
    /// the end of their segment, or ends with `reject`, saying that they have expired.
    virtual Result<Offset> start_offset() = 0;
    /// The durable end, read anew at each call: one past the last visible event.
    virtual Result<Offset> end_offset() = 0;
    virtual Result<std::int64_t> bytes() = 0; ///< Bytes of batches between start and end. A cluster does not tell.
    /// Bytes of those between start and the batch that has `end`, which does not pass end_offset().
    virtual Result<std::int64_t> bytes_below(Offset end) = 0;
    /// The ids of the logs that its records before `before` were forwarded from, and perhaps of some later ones. None,
    /// where they were collected here.
    virtual Result<std::set<std::string>> origins(Offset before) {
        (void)before;
        return std::set<std::string>{};
    }
    /// How many of its last events only this node has yet: a cluster does not have them.
    virtual Result<std::int64_t> unforwarded() { return std::int64_t{0}; }
    /// What repairs gave up, by offset: read() steps over it. `corrupt` where that cannot be told.
    virtual Result<std::vector<Hole>> holes() { return std::vector<Hole>{}; }
    /// How many events there are from `from` to before `to`, as read() gives them. Where offsets need not have events,
    /// as in a cluster, this reads what was not read before.
    virtual Result<std::int64_t> events_between(Offset from, Offset to) {
        TRY(lost, holes());
        return to.minus(from) - lost_between(lost, from, to);
    }
    /// Every batch that holds an offset in [from, to); the first and the last may reach beyond. `to` must not pass
    /// end_offset(). Damage is `corrupt` and names file and byte; `reject` where `from` is below start_offset().
    virtual Result<std::unique_ptr<BatchCursor>> read(Offset from, Offset to) = 0;
    virtual Result<std::unique_ptr<RecordFetcher>> fetcher() = 0;
    /// The offset of the first event at or after `time`; the durable end where there is none. Reads a few KiB of some
    /// segments and then the log from near there on. Where time goes back within the partition, which no writer here
    /// lets it (log verify tells), it may be a later one.
    virtual Result<Offset> find_time(TimestampMs time);
    virtual Result<SyncState> sync_state() { return SyncState{}; }
    /// What is below `to`, which does not pass end_offset(), survives a power cut from now on, also where the log is
    /// not synced at each commit: a table must not be ahead of its log. An error as that of PartitionWriter::sync().
    virtual Status make_durable(Offset to) {
        (void)to;
        return {};
    }
};

class LogReader {
public:
    virtual ~LogReader() = default;
    [[nodiscard]] virtual const Topic& topic() const = 0;
    virtual PartitionReader& partition(Partition partition) = 0;
    /// Times never go back within a partition, so that all events of a span of time lie together. Other producers may
    /// give their records any times.
    [[nodiscard]] virtual bool ascends_in_time() const { return true; }
    /// Waits until some partition's end passes `ends[i]`, or `limit` is over; true if one did. Does not burn a core.
    virtual Result<bool> wait_beyond(std::span<const Offset> ends, std::chrono::milliseconds limit) = 0;
};

/// By partition.
Result<std::vector<Offset>> ends_of(LogReader& log);

/// Waits for a recovery that is under way. With no live writer after an unclean stop it first recovers under the lock,
/// and tells `on_recovery` what WriterOptions::on_recovery would be told.
Result<std::unique_ptr<LogReader>> open_reader(io::Env env, const Topics& topics, const Topic& topic,
                                               const std::function<void(const std::string&)>& on_recovery = {});

} // namespace questlog::log
