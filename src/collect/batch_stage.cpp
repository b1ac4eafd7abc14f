#include "collect/batch_stage.h"

#include "event/message_id.h"

#include <algorithm>

namespace questlog::collect {
namespace {

/// Length, attributes, offset delta, key length, value length, header count: the most a record adds. The time since the
/// batch's first record comes to it; in the request that opens a batch that is 0, one byte.
constexpr std::size_t record_overhead_max = 4 + 1 + 4 + 1 + 4 + 1;
constexpr std::size_t later_time_bytes_max = 10;
constexpr std::size_t id_overhead = 1 + event::message_id_key.size() + 2; ///< The header's key, and the two lengths.

} // namespace

BatchStage::BatchStage(io::Clock& clock, log::LogWriter& log, std::size_t batch_bytes_max)
    : clock_(clock), log_(log), batch_bytes_max_(batch_bytes_max) {
    for (Partition partition{0}; partition.value < log.topic().partitions; ++partition.value) {
        const log::PartitionWriter& writer = log.partition(partition);
        ends_.push_back({writer.next_offset(), writer.next_offset(), writer.max_timestamp()});
    }
}

bool BatchStage::has_room(std::size_t events, std::size_t bytes) const {
    if (open_.events == 0) return can_have_room(events, bytes);
    return open_.builder.bytes() + bytes + events * (record_overhead_max + later_time_bytes_max) <= batch_bytes_max_;
}

bool BatchStage::can_have_room(std::size_t events, std::size_t bytes) const {
    return log::batch_header_bytes + bytes + events * (record_overhead_max + 1) <= batch_bytes_max_;
}

void BatchStage::begin_request() {
    // While a commit is in flight turns come and go unseen, so each request reads the clock.
    if (!moment_ || flying_) moment_ = Moment{clock_.wall_ms(), clock_.monotonic()};
    if (open_.events == 0) open_batch();
    open_.arrivals.push_back(moment_->monotonic);
}

void BatchStage::open_batch() {
    open_.partition = next_partition_;
    next_partition_.value = (next_partition_.value + 1) % log_.topic().partitions;
    const End& end = end_of(open_.partition);
    open_.builder.begin(end.next);
    open_.newest = end.newest;
    open_.arrivals.clear();
}

std::size_t BatchStage::bytes_of(std::string_view value, std::string_view message_id) {
    if (message_id.empty()) return value.size();
    return value.size() + message_id.size() + id_overhead;
}

Position BatchStage::add(std::string_view value, std::string_view message_id) {
    const Position position{open_.partition, open_.builder.next_offset()};
    open_.newest = std::max(open_.newest, moment_->wall);
    const log::RecordHeader header{event::message_id_key, message_id};
    open_.builder.add(open_.newest, value, std::nullopt, {&header, message_id.empty() ? 0U : 1U});
    ++open_.events;
    return position;
}

log::PartitionWriter* BatchStage::take() {
    std::swap(open_, in_flight_);
    open_.events = open_.mismatched = 0;
    moment_.reset();
    log::PartitionWriter& writer = log_.partition(in_flight_.partition);
    const Offset base = in_flight_.builder.next_offset().plus(-in_flight_.builder.count());
    if (base != writer.next_offset()) {
        failed();
        return nullptr;
    }
    End& end = end_of(in_flight_.partition);
    end.next = in_flight_.builder.next_offset();
    end.newest = in_flight_.newest;
    flying_ = true;
    return &writer;
}

void BatchStage::landed() {
    flying_ = false;
    end_of(in_flight_.partition).durable = in_flight_.builder.next_offset();
}

void BatchStage::failed() {
    flying_ = false;
    const log::PartitionWriter& writer = log_.partition(in_flight_.partition);
    End& end = end_of(in_flight_.partition);
    end.next = writer.next_offset();
    end.newest = writer.max_timestamp();
}

std::vector<Offset> BatchStage::durable_ends() const {
    std::vector<Offset> ends;
    for (const End& end : ends_) ends.push_back(end.durable);
    return ends;
}

} // namespace questlog::collect
