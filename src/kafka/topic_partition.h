#pragma once

#include "base/guarded.h"
#include "io/env.h"
#include "kafka/batch_cache.h"
#include "kafka/client.h"
#include "kafka/origin_points.h"
#include "kafka/record_stream.h"
#include "log/event_log.h"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace questlog::kafka {

/// One partition of a topic, read: its records but those that are there for the second time (origin.h), as batches that
/// can be read again from the cache. Any thread.
///
/// What is there for the second time hangs on all records before it. What these say is kept in a file of the data
/// folder as far as this node has read, so that a reader that begins in the midst of the topic does not begin at its
/// start. With it lies the fingerprint of a record, by which a topic that was deleted and made anew is told from the
/// one that was read.
class TopicPartition {
public:
    /// `asker` outlives this.
    struct Options {
        std::string directory;
        std::int64_t cache_bytes_max = 0;
        bool as_they_lie = false;     ///< ReaderOptions::as_they_lie
        bool with_headers = true;     ///< ReaderOptions::with_headers
        std::function<bool()> stop{}; ///< ReaderOptions::stop
    };
    TopicPartition(io::Env env, const Client& asker, std::string topic, Partition partition, const Options& options);

    struct Ends {
        Offset low;
        Offset high; ///< Of what is committed.
    };
    Result<Ends> ends();
    Result<Offset> find_time(TimestampMs time, Offset end);
    [[nodiscard]] BatchCache& cache() { return cache_; }
    [[nodiscard]] Partition number() const { return partition_; }

    /// A stream that stands at the offset. It is given back when it is no longer needed, for the next one who asks.
    Result<std::unique_ptr<RecordStream>> stream_at(Offset at);
    void give_back(std::unique_ptr<RecordStream> stream);
    /// The next batch of the stream, which ends before `to`, in the cache, if anything is kept; its bytes are in
    /// `builder`. nullopt: no record is there before where the stream stands now.
    struct ReadBatch {
        CachedBatch cached;
        std::span<const std::byte> records; ///< In the builder.
    };
    Result<std::optional<ReadBatch>> read(RecordStream& stream, Offset to, log::BatchBuilder& builder);
    /// What all records below the offset say, which is not behind the partition's end. Those are read as far as they
    /// were not, and are in the cache then.
    Result<OriginsSeen> seen_before(Offset at);
    /// The logs that the records below the offset come from, and perhaps some that later ones do, as far as is known.
    Result<std::set<std::string>> origins(Offset at);
    /// The last event of the embedded log's partition that has arrived below the offset. Its forwarder's checkpoint
    /// says where to look from on; all records are read only where it says nothing.
    Result<std::optional<Offset>> last_of(const log::Topic& embedded, Partition partition, Offset at);
    /// `corrupt` where what was read may be of two topics, because the one that it began with was deleted and made anew
    /// under the same name meanwhile. To be asked after reading, before anything is made of what was read.
    Status confirm();
    /// What has been learnt of origins, into the file, where that is worth it.
    Status save();

private:
    struct Known {
        std::optional<OriginPoints> points; ///< nullopt: the file was not read yet.
        std::optional<Offset> saved;        ///< As far as the file goes; nullopt: there is none.
        std::vector<std::unique_ptr<RecordStream>> idle;
        /// A record that was read before all that is not confirmed; nullopt: nothing was read yet.
        std::optional<OriginPoints::Witness> anchor;
        Offset read_to;      ///< As far as was read,
        Offset confirmed_to; ///< and as far as that was of one topic.
    };
    Result<OriginPoints> load();
    Status check_witness(const OriginPoints::Witness& witness);
    [[nodiscard]] Error another_topic(std::string_view what) const;
    [[nodiscard]] Error ends_before(const OriginPoints::Witness& witness, Offset high) const;
    Result<std::unique_ptr<RecordStream>> open_stream();
    Result<OriginPoints::Point> point_before(Offset at);
    [[nodiscard]] std::string path() const;

    io::Env env_;
    const Client& asker_;
    std::string topic_;
    Partition partition_;
    std::string directory_;
    bool as_they_lie_;
    bool with_headers_;
    std::function<bool()> stop_;
    BatchCache cache_;
    Guarded<Known> known_;
};

} // namespace questlog::kafka
