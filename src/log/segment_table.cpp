#include "log/segment_table.h"

#include "log/log_start.h"

#include <algorithm>
#include <utility>

namespace questlog::log {

namespace {

constexpr std::size_t open_files_max = 4;

} // namespace

Status SegmentTable::refresh() {
    TRY(found, list_segments(files_, directory_));
    state_.with([&](State& state) {
        for (const Offset base : found.bases) {
            if (!state.segments.empty() && base <= state.segments.back().base) continue;
            state.segments.push_back(Segment{base, {{base, 0}}, false, {}, {}});
        }
        if (found.start <= state.start) return;
        state.start = found.start;
        state.open.clear(); // so that nothing here keeps what expired on the disk
    });
    return {};
}

Offset SegmentTable::start() {
    return state_.with([](State& state) { return state.start; });
}

std::int32_t SegmentTable::first() {
    return state_.with([](State& state) {
        const auto found = std::ranges::lower_bound(state.segments, state.start, {}, &Segment::base);
        return static_cast<std::int32_t>(found - state.segments.begin());
    });
}

std::size_t SegmentTable::count() {
    return state_.with([](State& state) { return state.segments.size(); });
}

Offset SegmentTable::base_of(std::int32_t segment) {
    return state_.with([&](State& state) { return state.segments.at(static_cast<std::size_t>(segment)).base; });
}

std::int32_t SegmentTable::find(Offset offset) {
    return state_.with([&](State& state) {
        const auto after = std::ranges::upper_bound(state.segments, offset, {}, &Segment::base);
        return static_cast<std::int32_t>(after - state.segments.begin()) - 1;
    });
}

Result<std::int32_t> SegmentTable::find_start(Offset offset) {
    auto segment = find(offset);
    if (segment < 0 || base_of(segment) != offset) {
        CHECK_OK(refresh());
        segment = find(offset);
    }
    return segment >= 0 && base_of(segment) == offset ? segment : -1;
}

/// The segment's file is not there: it expired, or it is damage.
Error SegmentTable::missing(std::int32_t segment, const Error& error) {
    const auto start = read_log_start(files_, directory_);
    if (!start.ok()) return start.error();
    if (base_of(segment) < *start)
        return reject("the events from offset {} on have expired while they were to be read: the log now begins at "
                      "offset {}; read from there",
                      base_of(segment), *start);
    return corrupt("{}, and it is a part of the log; {}", error.message, damage_advice);
}

Result<std::shared_ptr<io::File>> SegmentTable::open(std::int32_t segment) {
    auto file = files_.open(path_of(segment), io::Open::read);
    if (!file.ok()) {
        return file.error().kind == ErrorKind::reject ? missing(segment, file.error()) : file.error();
    }
    const std::shared_ptr<io::File> shared(std::move(*file));
    state_.with([&](State& state) {
        state.segments.at(static_cast<std::size_t>(segment)).file = shared;
        if (state.open.size() == open_files_max) state.open.erase(state.open.begin());
        state.open.push_back(shared);
    });
    return shared;
}

Result<std::shared_ptr<io::File>> SegmentTable::file(std::int32_t segment) {
    auto held =
        state_.with([&](State& state) { return state.segments.at(static_cast<std::size_t>(segment)).file.lock(); });
    if (held) return held;
    return open(segment);
}

Result<std::shared_ptr<io::File>> SegmentTable::reopen(std::int32_t segment) {
    auto opened = open(segment);
    generation_.fetch_add(1, std::memory_order_acq_rel);
    return opened;
}

SegmentTable::Place SegmentTable::nearest(std::int32_t segment, Offset offset) {
    return state_.with([&](State& state) {
        const auto& places = state.segments.at(static_cast<std::size_t>(segment)).places;
        auto after = places.upper_bound(offset);
        if (after == places.begin()) return Place{state.segments.at(static_cast<std::size_t>(segment)).base, 0};
        --after;
        return Place{after->first, after->second};
    });
}

std::optional<SegmentIndex> SegmentTable::find_index(Offset base, Offset end) {
    const auto stat = files_.stat(segment_file(directory_, base));
    if (!stat.ok() || stat->size < indexed_segment_bytes_min) return std::nullopt;
    auto index = read_index(files_, directory_, base, end, stat->size);
    return index ? index : make_index(files_, directory_, base, end);
}

void SegmentTable::use_index(std::int32_t segment) {
    const auto number = static_cast<std::size_t>(segment);
    const auto next = state_.with([&](State& state) -> std::optional<Offset> {
        if (number + 1 >= state.segments.size() || std::exchange(state.segments[number].index_used, true))
            return std::nullopt;
        return state.segments[number + 1].base;
    });
    if (!next) return;
    auto index = find_index(base_of(segment), *next);
    if (!index) return;
    state_.with([&](State& state) {
        Segment& one = state.segments[number];
        for (const IndexEntry& entry : index->entries) one.places.emplace(entry.offset, entry.position);
        one.index = std::move(index->entries);
    });
}

void SegmentTable::forget_places(std::int32_t segment) {
    state_.with([&](State& state) {
        Segment& one = state.segments.at(static_cast<std::size_t>(segment));
        one.places = {{one.base, 0}};
        one.index.clear();
    });
}

SegmentTable::Place SegmentTable::before(std::int32_t segment, TimestampMs time) {
    return state_.with([&](State& state) {
        const Segment& one = state.segments.at(static_cast<std::size_t>(segment));
        const auto after = std::ranges::lower_bound(one.index, time, {}, &IndexEntry::base_timestamp);
        if (after == one.index.begin()) return Place{one.base, 0};
        return Place{std::prev(after)->offset, std::prev(after)->position};
    });
}

void SegmentTable::note(std::int32_t segment, Place place) {
    state_.with([&](State& state) {
        auto& places = state.segments.at(static_cast<std::size_t>(segment)).places;
        const auto after = places.lower_bound(place.offset);
        const bool known_before =
            after != places.begin() && place.position - std::prev(after)->second < place_distance_bytes;
        const bool known_after = after != places.end() && after->second - place.position < place_distance_bytes;
        if (!known_before && !known_after) places.emplace(place.offset, place.position);
    });
}

} // namespace questlog::log
