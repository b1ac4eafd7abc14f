#include "log/segment_fetcher.h"

#include "base/limits.h"
#include "log/segment_walk.h"
#include "log/varint.h"

#include <algorithm>

namespace questlog::log {

namespace {

constexpr std::size_t window_bytes_min = 4 * 1024;
constexpr std::size_t window_bytes_max = 1024 * 1024;
constexpr std::size_t length_bytes_max = 5; // a record's length, as a varint of 32 bits
/// Reading over a gap costs about as much as a system call here: the window grows below it and shrinks above.
constexpr std::int64_t gap_bytes_worth_reading = 8 * 1024;

} // namespace

Result<std::optional<std::span<const std::byte>>> record_at(FileWindow& window, std::int64_t at) {
    TRY(start, window.at(at, length_bytes_max));
    VarintReader reader(start);
    const std::int32_t length = reader.take_int();
    const auto length_bytes = static_cast<std::size_t>(reader.position() - start.data());
    if (reader.failed() || length < 0 || static_cast<std::size_t>(length) > limits::batch_bytes_max)
        return std::optional<std::span<const std::byte>>();
    TRY(bytes, window.at(at, length_bytes + static_cast<std::size_t>(length)));
    return std::optional(bytes);
}

SegmentFetcher::SegmentFetcher(SegmentTable& table, io::SharedWord& durable_end)
    : table_(table), durable_end_(durable_end), window_(window_bytes_min) {}

Status SegmentFetcher::prepare(std::int32_t segment, std::int64_t at, Offset base_offset) {
    const auto generation = table_.generation();
    if (segment != segment_ || generation != generation_) {
        if (static_cast<std::size_t>(segment) >= table_.count()) CHECK_OK(table_.refresh());
        if (segment < 0 || static_cast<std::size_t>(segment) >= table_.count())
            return internal("a record was asked for in segment {}, and there is none", segment);
        TRY(file, table_.file(segment));
        window_.attach(std::move(file));
        segment_ = segment;
        generation_ = generation;
    }
    if (base_offset >= trusted_end_) {
        window_.forget();
        trusted_end_ = decode_durable_end(durable_end_.load()).offset;
        if (base_offset >= trusted_end_)
            return internal("a record of batch {} was asked for beyond the durable end {}", base_offset, trusted_end_);
    }
    if (!window_.holds(at, length_bytes_max)) {
        const std::int64_t gap = at - window_.end();
        const bool near = gap > -static_cast<std::int64_t>(window_bytes_max) && gap < gap_bytes_worth_reading;
        const auto bytes = window_.window_bytes();
        window_.set_window_bytes(near ? std::min(bytes * 2, window_bytes_max) : std::max(bytes / 2, window_bytes_min));
    }
    return {};
}

Result<Record> SegmentFetcher::fetch(const BatchAddress& batch, std::uint32_t position) {
    return batch.is_compressed ? fetch_compressed(batch, position) : fetch_stored(batch, position);
}

Result<Record> SegmentFetcher::fetch_stored(const BatchAddress& batch, std::uint32_t position) {
    const std::int64_t at = batch.records_at + std::int64_t{position};
    CHECK_OK(prepare(batch.segment, at, batch.base_offset));
    TRY(bytes, record_at(window_, at));
    if (!bytes)
        return corrupt("{}: no record begins at byte {}; was the log changed while it was read?",
                       table_.path_of(batch.segment), at);
    std::size_t used = 0;
    auto record = parse_record(batch.base_offset, batch.base_timestamp, *bytes, used);
    if (!record.ok()) return record.error().within(fmt::format("{} at byte {}", table_.path_of(batch.segment), at));
    return record;
}

Result<Record> SegmentFetcher::fetch_compressed(const BatchAddress& batch, std::uint32_t position) {
    const bool is_there =
        !records_.empty() && batch.segment == decompressed_.segment && batch.records_at == decompressed_.records_at;
    if (!is_there) CHECK_OK(decompress(batch));
    if (position >= records_.size())
        return corrupt("{}: no record begins at byte {} of batch {}", table_.path_of(batch.segment), position,
                       batch.base_offset);
    std::size_t used = 0;
    auto record = parse_record(batch.base_offset, batch.base_timestamp, records_.subspan(position), used);
    if (!record.ok())
        return record.error().within(fmt::format("{}, batch {}", table_.path_of(batch.segment), batch.base_offset));
    return record;
}

Status SegmentFetcher::decompress(const BatchAddress& batch) {
    records_ = {};
    const std::int64_t at = batch.records_at - static_cast<std::int64_t>(batch_header_bytes);
    CHECK_OK(prepare(batch.segment, at, batch.base_offset));
    TRY(look, look_at_batch(window_, at, batch.base_offset));
    if (look.what != Look::What::batch)
        return corrupt("{}: no batch begins at byte {}; was the log changed while it was read?",
                       table_.path_of(batch.segment), at);
    const auto records = decompressor_.records(look.header, look.bytes);
    if (!records.ok()) return records.error().within(fmt::format("{} at byte {}", table_.path_of(batch.segment), at));
    records_ = *records;
    decompressed_ = batch;
    return {};
}

} // namespace questlog::log
