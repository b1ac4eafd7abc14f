#include "log/segment_writer.h"

#include "base/limits.h"
#include "log/synced_end.h"

#include <algorithm>

namespace questlog::log {

namespace {

constexpr std::int64_t first_segment_bytes = 1024 * 1024;

/// Where batches are on average at least so long, writing zeros ahead of them costs more than it saves.
constexpr std::int64_t reserve_batch_bytes_min = 64 * 1024;

} // namespace

SegmentWriter::SegmentWriter(io::Files& files, SegmentPreparer& preparer, std::string directory,
                             const SegmentOptions& options, std::unique_ptr<io::SharedWord> durable_end,
                             const RecoveredPartition& recovered)
    : files_(files), preparer_(preparer), directory_(std::move(directory)), segment_bytes_(options.segment_bytes),
      segment_ms_(options.segment_ms), compressor_(options.compression), durable_end_(std::move(durable_end)),
      position_(recovered.last_segment_bytes), capacity_(recovered.last_segment_bytes),
      next_offset_(recovered.end_offset), max_timestamp_(recovered.max_timestamp),
      first_timestamp_(recovered.last_segment_first_timestamp), sync_(options.sync) {
    if (!recovered.segments.empty()) last_segment_ = recovered.segments.back();
}

Status SegmentWriter::open() {
    if (sync_ == Sync::always) {
        CHECK_OK(remove_synced_end(files_, directory_));
    } else {
        TRY(word, mark_synced_end(files_, directory_, next_offset_));
        synced_end_ = std::move(word);
    }
    // Durable before the first append: a power cut must not leave "closed" standing beside new data.
    durable_end_->store(encode(DurableEnd{next_offset_, false}));
    CHECK_OK(durable_end_->sync());
    if (!last_segment_) return {};
    TRY(file, files_.open(segment_file(directory_, *last_segment_), io::Open::write));
    file_ = std::move(file);
    std::int64_t capacity = std::min(first_segment_bytes, segment_bytes_);
    while (capacity <= position_ && capacity < segment_bytes_) capacity = std::min(capacity * 2, segment_bytes_);
    if (capacity <= position_) return {};
    TRY(free, files_.free_bytes(directory_));
    const std::int64_t wanted = capacity - position_;
    const std::int64_t zeros = affordable_bytes(wanted, std::min(wanted, prepared_bytes_min), free);
    const auto filled = fill_with_zeros(*file_, position_, position_ + zeros, false);
    if (filled.ok()) {
        capacity_ = position_ + zeros;
        return {};
    }
    // On a full disk the log opens all the same: the first append asks for a segment, and says so if there is no room.
    if (filled.error().kind != ErrorKind::retry_later) return filled;
    CHECK_OK(file_->truncate(position_));
    return file_->sync_data();
}

std::int64_t SegmentWriter::next_capacity() const {
    return std::min(segment_bytes_, std::max(first_segment_bytes, capacity_ * 2));
}

/// By the batches of the present segment.
Space SegmentWriter::space_for_next() const {
    return batches_ > 0 && batch_bytes_ / batches_ >= reserve_batch_bytes_min ? Space::reserved : Space::zeros;
}

Status SegmentWriter::broken(const Error& error) {
    broken_ = Error{ErrorKind::internal, error.message + "; the log takes nothing more until it is opened again",
                    error.system_errno};
    return *broken_;
}

Status SegmentWriter::append(std::span<const std::byte> batch) {
    if (broken_) return *broken_;
    TRY(header, parse_batch_header(batch));
    if (header.base_offset != next_offset_ || header.bytes() != static_cast<std::int64_t>(batch.size()) ||
        header.record_count == 0)
        return internal("a batch of {} bytes at offset {} was given to append where offset {} follows", batch.size(),
                        header.base_offset, next_offset_);
    // Written only after the batch before it is durable: so only the last batch of a log can ever be torn, unless the
    // log is not synced at each commit.
    CHECK_OK(sync());
    const auto stored = compressor_.compress(header, batch);
    const auto bytes = static_cast<std::int64_t>(stored.size());
    CHECK_OK(roll_if_due(header, bytes));
    CHECK_OK(sync_entry());
    if (const auto written = file_->write_at(position_, stored); !written.ok()) {
        if (written.error().kind != ErrorKind::retry_later) return broken(written.error());
        CHECK_OK(cut_to_position());
        return written;
    }
    before_ = {position_, next_offset_, max_timestamp_, first_timestamp_};
    unsynced_ = true;
    ++batches_;
    batch_bytes_ += bytes;
    position_ += bytes;
    next_offset_ = header.end_offset();
    max_timestamp_ = std::max(max_timestamp_, header.max_timestamp);
    if (!first_timestamp_) first_timestamp_ = header.base_timestamp;
    if (!spare_begun_ && !spare_ && position_ > capacity_ / 2) {
        preparer_.begin(directory_, next_capacity(), space_for_next());
        spare_begun_ = true;
    }
    return {};
}

Status SegmentWriter::take_back() {
    if (broken_) return *broken_;
    if (!unsynced_) return internal("{}: there is no append to take back", directory_);
    position_ = before_.position;
    next_offset_ = before_.next_offset;
    max_timestamp_ = before_.max_timestamp;
    first_timestamp_ = before_.first_timestamp;
    unsynced_ = false;
    return cut_to_position();
}

/// After a failed write any part of the batch may stand behind the data. It is taken away again, durably: else a
/// shorter batch in its place would leave the rest of it standing there.
Status SegmentWriter::cut_to_position() {
    if (auto truncated = file_->truncate(position_); !truncated.ok()) return broken(truncated.error());
    if (auto synced = file_->sync_data(); !synced.ok()) return broken(synced.error());
    capacity_ = position_; // the next append asks for a new segment
    return {};
}

Status SegmentWriter::sync() {
    if (broken_) return *broken_;
    if (sync_ != Sync::always) return publish();
    if (!unsynced_) return {};
    if (auto synced = file_->sync_data(); !synced.ok()) return broken(synced.error());
    durable_end_->store(encode(DurableEnd{next_offset_, false}));
    unsynced_ = false;
    return {};
}

/// What was appended is acknowledged without being synced: a kill leaves it where it is, a power cut may not.
Status SegmentWriter::publish() {
    const auto failure = reached_.with([&](Reached& reached) {
        if (file_) reached.file = file_;
        reached.end = next_offset_;
        return reached.failure;
    });
    if (failure) return broken(*failure);
    if (!unsynced_) return {};
    durable_end_->store(encode(DurableEnd{next_offset_, false}));
    unsynced_ = false;
    return {};
}

Status SegmentWriter::flush() {
    if (sync_ == Sync::always) return {};
    const std::lock_guard one_at_a_time(flush_mutex_);
    const Reached reached = reached_.with([](const Reached& now) { return now; });
    if (reached.failure) return *reached.failure;
    if (!reached.file || static_cast<std::uint64_t>(reached.end.value) == synced_end_->load()) return {};
    auto synced = reached.file->sync_data();
    if (synced.ok()) {
        synced_end_->store(static_cast<std::uint64_t>(reached.end.value));
        synced = synced_end_->sync();
    }
    if (!synced.ok()) reached_.with([&](Reached& now) { now.failure = synced.error(); });
    return synced;
}

/// No segment but the last has anything after its data, and the durable end on disk is never below the last one's base.
Status SegmentWriter::finish_segment() {
    CHECK_OK(flush());
    if (file_ && capacity_ > position_) {
        CHECK_OK(file_->truncate(position_));
        CHECK_OK(file_->sync_data());
        capacity_ = position_;
    }
    return durable_end_->sync();
}

Status SegmentWriter::roll_if_due(const BatchHeader& header, std::int64_t batch_bytes) {
    if (position_ + batch_bytes > capacity_) return roll(batch_bytes);
    if (!segment_ms_ || !first_timestamp_ || header.max_timestamp.minus(*first_timestamp_) < *segment_ms_) return {};
    const auto rolled = roll(batch_bytes);
    const bool goes_on =
        !rolled.ok() && rolled.error().kind == ErrorKind::retry_later && position_ + batch_bytes <= capacity_;
    if (!goes_on) return rolled;
    first_timestamp_ = header.max_timestamp; // no room for another segment: the present one serves on
    return {};
}

Status SegmentWriter::roll(std::int64_t batch_bytes) {
    const auto spare_path = spare_segment_file(directory_);
    if (!spare_) {
        spare_begun_ = false;
        const std::int64_t wanted = std::max(next_capacity(), batch_bytes);
        const std::int64_t least = std::max(std::min(next_capacity(), prepared_bytes_min), batch_bytes);
        auto taken = preparer_.take(directory_, wanted, least, space_for_next());
        if (!taken.ok())
            return taken.error().kind == ErrorKind::retry_later ? Status(taken.error()) : broken(taken.error());
        spare_ = std::move(*taken);
    }
    auto spare_bytes = spare_->size();
    if (!spare_bytes.ok()) return broken(spare_bytes.error());
    if (*spare_bytes < batch_bytes) { // kept from an append that failed, of a shorter batch
        spare_ = nullptr;
        return roll(batch_bytes);
    }
    if (auto finished = finish_segment(); !finished.ok()) return broken(finished.error());
    if (auto named = files_.rename(spare_path, segment_file(directory_, next_offset_)); !named.ok())
        return named.error().kind == ErrorKind::retry_later ? named : broken(named.error());
    file_ = std::move(spare_);
    position_ = 0;
    batches_ = batch_bytes_ = 0;
    first_timestamp_.reset();
    capacity_ = *spare_bytes;
    entry_unsynced_ = true;
    return {};
}

/// Nothing is written to a segment that a power cut could take away with its name.
Status SegmentWriter::sync_entry() {
    if (!entry_unsynced_) return {};
    if (auto synced = files_.sync_directory(directory_); !synced.ok())
        return synced.error().kind == ErrorKind::retry_later ? synced : broken(synced.error());
    entry_unsynced_ = false;
    return {};
}

Status SegmentWriter::close() {
    CHECK_OK(sync());
    if (auto finished = finish_segment(); !finished.ok()) return broken(finished.error());
    durable_end_->store(encode(DurableEnd{next_offset_, true}));
    if (auto synced = durable_end_->sync(); !synced.ok()) return broken(synced.error());
    broken_ = internal("{} is closed", directory_);
    return {};
}

} // namespace questlog::log
