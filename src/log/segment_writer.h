#pragma once

#include "base/guarded.h"
#include "log/batch_codec.h"
#include "log/event_log.h"
#include "log/recovery.h"
#include "log/segment_preparer.h"

#include <memory>
#include <mutex>
#include <optional>

namespace questlog::log {

struct SegmentOptions {
    std::int64_t segment_bytes = 0; ///< A segment is rolled before it would hold more.
    Compression compression = Compression::none;
    Sync sync = Sync::always;
    std::optional<std::int64_t> segment_ms; ///< A segment is rolled before a batch that is so much younger.
};

/// Appends to the segments of one partition. Made from a partition that is recovered.
class SegmentWriter final : public PartitionWriter {
public:
    SegmentWriter(io::Files& files, SegmentPreparer& preparer, std::string directory, const SegmentOptions& options,
                  std::unique_ptr<io::SharedWord> durable_end, const RecoveredPartition& recovered);

    /// Makes the partition ready for appends: says durably that it is open, and fills the last segment up with zeros.
    Status open();

    [[nodiscard]] Offset next_offset() const override { return next_offset_; }
    [[nodiscard]] TimestampMs max_timestamp() const override { return max_timestamp_; }
    Status append(std::span<const std::byte> batch) override;
    Status take_back() override;
    Status sync() override;
    /// Under Sync::interval and never: syncs what is acknowledged. Any thread.
    Status flush();
    Status close();

private:
    /// Where the data ended before the last append.
    struct Before {
        std::int64_t position = 0;
        Offset next_offset;
        TimestampMs max_timestamp;
        std::optional<TimestampMs> first_timestamp;
    };
    struct Reached {
        std::shared_ptr<io::File> file;
        Offset end;
        std::optional<Error> failure; ///< Of a flush.
    };
    Status roll_if_due(const BatchHeader& header, std::int64_t batch_bytes);
    Status roll(std::int64_t batch_bytes);
    Status finish_segment();
    Status sync_entry();
    Status publish();
    Status cut_to_position();
    Status broken(const Error& error);
    [[nodiscard]] std::int64_t next_capacity() const;
    [[nodiscard]] Space space_for_next() const;

    io::Files& files_;
    SegmentPreparer& preparer_;
    std::string directory_;
    std::int64_t segment_bytes_;
    std::optional<std::int64_t> segment_ms_;
    BatchCompressor compressor_;
    std::unique_ptr<io::SharedWord> durable_end_;

    std::shared_ptr<io::File> file_;     ///< The last segment; null before the first.
    std::shared_ptr<io::File> spare_;    ///< The next one, taken but not yet named.
    std::int64_t position_ = 0;          ///< Where the next batch goes.
    std::int64_t batches_ = 0;           ///< Written to it since it was opened,
    std::int64_t batch_bytes_ = 0;       ///< and their bytes.
    std::int64_t capacity_ = 0;          ///< Bytes that are there, zero from position_ on.
    std::optional<Offset> last_segment_; ///< Base offset of the segment that open() goes on with.
    Offset next_offset_;
    TimestampMs max_timestamp_;
    std::optional<TimestampMs> first_timestamp_; ///< Of the last segment's first batch, if there is one.
    bool spare_begun_ = false;                   ///< The next segment is being made ahead.
    bool entry_unsynced_ = false;                ///< The last segment has its name, and a power cut may take it away.
    bool unsynced_ = false;                      ///< A batch is written and not synced;
    Before before_;                              ///< what there was before it.
    std::optional<Error> broken_;                ///< Why nothing is accepted any more.

    // Where the log is not synced at each commit; unused where it is.
    Sync sync_;
    std::mutex flush_mutex_;                     ///< One flush at a time.
    std::unique_ptr<io::SharedWord> synced_end_; ///< Under flush_mutex_.
    Guarded<Reached> reached_;                   ///< Acknowledged up to here.
};

} // namespace questlog::log
