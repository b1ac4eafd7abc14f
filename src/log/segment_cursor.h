#pragma once

#include "log/batch_codec.h"
#include "log/event_log.h"
#include "log/file_window.h"
#include "log/segment_table.h"
#include "log/segment_walk.h"

namespace questlog::log {

/// Reads the batches of one partition in order, over all its segments, in windows of about 1 MiB.
class SegmentCursor final : public BatchCursor {
public:
    /// [from, to) is below the durable end. `table` outlives the cursor.
    SegmentCursor(SegmentTable& table, Offset from, Offset to);

    Result<bool> next(Batch& batch) override;

    /// Goes to the batch that holds `from`, or to where it would stand if `from` is the end of the log.
    Status seek();
    [[nodiscard]] std::int32_t segment() const { return segment_; }
    [[nodiscard]] std::int64_t position() const { return position_; }

private:
    /// At a place that holds no batch: goes to the segment that begins with the offset that follows, or looks at the
    /// present one anew. False if both were done.
    Result<bool> move_on();
    Status enter(std::int32_t segment);
    void advance(const BatchHeader& header);
    [[nodiscard]] Error damage(const Look& look);
    [[nodiscard]] Error damage(std::string_view fault);

    SegmentTable& table_;
    Offset from_;
    Offset to_;
    FileWindow window_;
    BatchDecompressor decompressor_;
    std::int32_t segment_ = -1;
    std::int64_t position_ = 0;
    Offset expected_; ///< The offset that follows at position_.
    std::int64_t noted_position_ = 0;
    bool reopened_ = false;
};

} // namespace questlog::log
