#include "log/segment_cursor.h"

#include "log/hole.h"

namespace questlog::log {

SegmentCursor::SegmentCursor(SegmentTable& table, Offset from, Offset to) : table_(table), from_(from), to_(to) {}

Status SegmentCursor::enter(std::int32_t segment) {
    TRY(file, table_.file(segment));
    window_.attach(std::move(file));
    segment_ = segment;
    reopened_ = false;
    return {};
}

Status SegmentCursor::seek() {
    const auto segment = table_.find(from_);
    if (segment < 0) return internal("offset {} is below every segment", from_);
    CHECK_OK(enter(segment));
    if (from_ > table_.base_of(segment)) table_.use_index(segment);
    auto place = table_.nearest(segment, from_);
    if (place.position > 0) {
        // A place may come from an index, or be that of a file that was replaced: a whole batch must stand there.
        TRY(look, look_at_batch(window_, place.position, place.offset));
        if (look.what == Look::What::fault && from_ < to_) {
            table_.forget_places(segment);
            place = table_.nearest(segment, from_);
        }
    }
    expected_ = place.offset;
    position_ = noted_position_ = place.position;
    while (expected_ < from_) {
        TRY(look, look_at_header(window_, position_, expected_));
        if (look.what == Look::What::batch) {
            if (look.header.end_offset() > from_) return {};
            advance(look.header);
            continue;
        }
        TRY(moved, move_on());
        if (!moved) return damage(look);
    }
    return {};
}

void SegmentCursor::advance(const BatchHeader& header) {
    position_ += header.bytes();
    expected_ = header.end_offset();
    reopened_ = false;
    if (position_ - noted_position_ >= SegmentTable::place_distance_bytes) {
        table_.note(segment_, {expected_, position_});
        noted_position_ = position_;
    }
}

Result<bool> SegmentCursor::move_on() {
    TRY(next, table_.find_start(expected_));
    if (next >= 0 && next != segment_) {
        CHECK_OK(enter(next));
        position_ = noted_position_ = 0;
        return true;
    }
    if (reopened_) return false;
    TRY(file, table_.reopen(segment_));
    window_.attach(std::move(file));
    reopened_ = true;
    return true;
}

Error SegmentCursor::damage(std::string_view fault) {
    return corrupt("{} is damaged at byte {} (offset {}): {}; {}", table_.path_of(segment_), position_, expected_,
                   fault, damage_advice);
}

Error SegmentCursor::damage(const Look& look) {
    return damage(look.what == Look::What::end_of_file ? "the file ends here" : look.fault);
}

Result<bool> SegmentCursor::next(Batch& batch) {
    if (from_ >= to_) return false;
    if (segment_ < 0) CHECK_OK(seek());
    while (expected_ < to_) {
        TRY(look, look_at_batch(window_, position_, expected_));
        if (look.what != Look::What::batch) {
            TRY(moved, move_on());
            if (!moved) return damage(look);
            continue;
        }
        if (is_hole(look.header)) {
            advance(look.header);
            continue;
        }
        const auto records = decompressor_.records(look.header, look.bytes);
        if (!records.ok()) return damage(records.error().message);
        batch.header = look.header;
        batch.segment = segment_;
        batch.records_at = position_ + static_cast<std::int64_t>(batch_header_bytes);
        batch.records = *records;
        advance(look.header);
        return true;
    }
    return false;
}

} // namespace questlog::log
