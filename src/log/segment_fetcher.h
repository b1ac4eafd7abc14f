#pragma once

#include "log/batch_codec.h"
#include "log/event_log.h"
#include "log/file_window.h"
#include "log/segment_table.h"

namespace questlog::log {

/// The bytes of the record that begins there, and what of the window follows them; nullopt: none begins there.
Result<std::optional<std::span<const std::byte>>> record_at(FileWindow& window, std::int64_t at);

/// Fetches records by address. Its window grows to 1 MiB while the records asked for lie close together, and shrinks to
/// a few KiB where most of what it would read is other types' events.
class SegmentFetcher final : public RecordFetcher {
public:
    /// `table` and `durable_end` outlive the fetcher.
    SegmentFetcher(SegmentTable& table, io::SharedWord& durable_end);

    Result<Record> fetch(const BatchAddress& batch, std::uint32_t position) override;

private:
    Status prepare(std::int32_t segment, std::int64_t at, Offset base_offset);
    Result<Record> fetch_stored(const BatchAddress& batch, std::uint32_t position);
    Result<Record> fetch_compressed(const BatchAddress& batch, std::uint32_t position);
    Status decompress(const BatchAddress& batch);

    SegmentTable& table_;
    io::SharedWord& durable_end_;
    FileWindow window_;
    std::int32_t segment_ = -1;
    std::uint64_t generation_ = 0;
    Offset trusted_end_; ///< Batches below it were durable before the window was read: what it holds of them is final.

    BatchDecompressor decompressor_;
    std::span<const std::byte> records_; ///< Of the batch that was decompressed last.
    BatchAddress decompressed_;          ///< That batch; meaningless while there are no records.
};

} // namespace questlog::log
