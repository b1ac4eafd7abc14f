#include "scan/repeats.h"

#include "base/offset_spans.h"
#include "event/message_id.h"

#include <algorithm>
#include <numeric>

namespace questlog::scan {
namespace {

/// The sightings by their ids, each id's in order.
class ById {
public:
    explicit ById(const std::vector<event::IdSighting>& sightings) : sightings_(sightings), order_(sightings.size()) {
        std::iota(order_.begin(), order_.end(), std::uint32_t{0});
        std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
            return sightings_[a].id != sightings_[b].id ? sightings_[a].id < sightings_[b].id : a < b;
        });
        for (const event::IdSighting& sighting : sightings_) mark(sighting.id) = true;
    }

    /// The number of the first sighting that has the id; -1: none has it.
    [[nodiscard]] std::int64_t first_of(const event::MessageHash& id) const {
        if (!marks_[slot_of(id)]) return -1;
        const auto found = std::lower_bound(
            order_.begin(), order_.end(), id,
            [&](std::uint32_t number, const event::MessageHash& wanted) { return sightings_[number].id < wanted; });
        return found != order_.end() && sightings_[*found].id == id ? std::int64_t{*found} : -1;
    }
    /// Calls pair(earlier, later) for each two in a row that have the same id.
    template <class Pair> void for_each_pair(Pair&& pair) const {
        for (std::size_t i = 1; i < order_.size(); ++i)
            if (sightings_[order_[i - 1]].id == sightings_[order_[i]].id) pair(order_[i - 1], order_[i]);
    }

private:
    static constexpr std::size_t mark_bits = 22; ///< 512 KiB: in the cache, while millions are looked for.
    [[nodiscard]] static std::size_t slot_of(const event::MessageHash& id) {
        return static_cast<std::size_t>(id.low >> (64 - mark_bits));
    }
    std::vector<bool>::reference mark(const event::MessageHash& id) { return marks_[slot_of(id)]; }

    const std::vector<event::IdSighting>& sightings_;
    std::vector<std::uint32_t> order_;
    std::vector<bool> marks_ = std::vector<bool>(std::size_t{1} << mark_bits);
};

/// Where the latest earlier one with an id was: how many had ids before it, and its time.
struct Met {
    std::int64_t number = -1; ///< -1: nowhere.
    TimestampMs time;
};

bool is_within(const event::RepeatWindow& window, std::int64_t ids_since, std::int64_t ms_since) {
    return ids_since <= window.ids && ms_since <= window.time.count();
}

} // namespace

bool has_message_id(const log::Record& record, event::MessageHash& id) {
    if (record.header_count == 0) return false;
    const auto text = log::find_header(record, event::message_id_key);
    if (!text || !event::is_stored_message_id(*text)) return false;
    id = event::hash_of(*text);
    return true;
}

Status visit_ids(log::PartitionReader& log, Offset from, Offset to, const SightingSink& sink) {
    if (from >= to) return {};
    TRY(cursor, log.read(from, to));
    log::Batch batch;
    while (true) {
        TRY(more, cursor->next(batch));
        if (!more) return {};
        log::RecordCursor records(batch.header, batch.records);
        log::Record record;
        while (true) {
            TRY(another, records.next(record));
            if (!another) break;
            event::MessageHash id;
            if (record.offset >= from && record.offset < to && has_message_id(record, id))
                sink({id, record.offset, record.timestamp});
        }
    }
}

Status visit_earlier_ids(log::PartitionReader& log, const EarlierIds& earlier, Offset below, TimestampMs time,
                         const event::RepeatWindow& window, const SightingSink& sink) {
    const TimestampMs since = time.plus(-window.time.count());
    bool is_in_window = false;
    if (earlier.recorded)
        CHECK_OK(earlier.recorded(std::min(below, earlier.recorded_to), since, [&](const event::IdSighting& id) {
            is_in_window = true;
            sink(id);
        }));
    TRY(start, log.start_offset());
    Offset from = std::max(start, earlier.recorded_to);
    if (from >= below) return {};
    if (!is_in_window) {
        TRY(first, log.find_time(since));
        from = std::max(from, first);
    }
    return visit_ids(log, from, below, sink);
}

Result<std::vector<OffsetSpan>> find_repeats(const std::vector<event::IdSighting>& sightings,
                                             const event::RepeatWindow& window, const VisitEarlier& earlier) {
    std::vector<OffsetSpan> repeats;
    if (sightings.empty()) return repeats;
    if (sightings.size() > UINT32_MAX) return internal("too many message ids to look at at once");
    const ById by_id(sightings);
    std::vector<Met> met(sightings.size()); // of the first with its id
    std::int64_t count = 0;
    const auto least = std::ranges::min_element(sightings, {}, &event::IdSighting::time);
    if (earlier)
        CHECK_OK(earlier(least->time, [&](const event::IdSighting& sighting) {
            if (const std::int64_t first = by_id.first_of(sighting.id); first >= 0)
                met[static_cast<std::size_t>(first)] = {count, sighting.time};
            ++count;
        }));
    std::vector<bool> repeated(sightings.size());
    for (std::size_t i = 0; i < met.size(); ++i)
        if (met[i].number >= 0)
            repeated[i] = is_within(window, count + static_cast<std::int64_t>(i) - met[i].number,
                                    sightings[i].time.minus(met[i].time));
    by_id.for_each_pair([&](std::uint32_t first, std::uint32_t second) {
        repeated[second] = is_within(window, std::int64_t{second} - std::int64_t{first},
                                     sightings[second].time.minus(sightings[first].time));
    });
    for (std::size_t i = 0; i < repeated.size(); ++i)
        if (repeated[i]) append_offset(repeats, sightings[i].offset);
    return repeats;
}

} // namespace questlog::scan
