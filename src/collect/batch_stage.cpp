#include "collect/batch_stage.h"

#include "event/message_id.h"
#include "log/key_partition.h"

#include <algorithm>

namespace questlog::collect {
namespace {

/// Length, attributes, offset delta, key length, value length, header count: the most a record adds. The time since the
/// batch's first record comes to it; in the request that opens a commit that is 0, one byte.
constexpr std::size_t record_overhead_max = 4 + 1 + 4 + 4 + 4 + 1;
constexpr std::size_t later_time_bytes_max = 10;
constexpr std::size_t id_overhead = 1 + event::message_id_key.size() + 2; ///< The header's key, and the two lengths.

/// Buffers of all batches of one commit are kept from commit to commit up to so much; a larger one is given back.
constexpr std::size_t kept_bytes_max = 4 * 1024 * 1024;

} // namespace

BatchStage::BatchStage(io::Clock& clock, log::LogWriter& log, std::size_t commit_bytes_max, std::vector<SeenIds> seen)
    : clock_(clock), log_(log), commit_bytes_max_(commit_bytes_max), seen_(std::move(seen)),
      spread_to_{log.topic().partitions - 1} {
    for (Partition partition{0}; partition.value < log.topic().partitions; ++partition.value) {
        const log::PartitionWriter& writer = log.partition(partition);
        ends_.push_back({writer.next_offset(), writer.next_offset(), writer.max_timestamp()});
    }
    open_.batches.resize(ends_.size());
    in_flight_.batches.resize(ends_.size());
}

/// The most that so many more events add to what bytes_of() says: each may be the first of its partition.
std::size_t BatchStage::framing_max(std::size_t events, bool first_request) const {
    const std::size_t untouched = open_.batches.size() - (first_request ? 0 : open_.partitions.size());
    return std::min(events, untouched) * log::batch_header_bytes +
           events * (record_overhead_max + (first_request ? 1 : later_time_bytes_max));
}

bool BatchStage::has_room(std::size_t events, std::size_t bytes) const {
    if (open_.events == 0) return can_have_room(events, bytes);
    return open_.bytes + bytes + framing_max(events, false) <= commit_bytes_max_;
}

bool BatchStage::can_have_room(std::size_t events, std::size_t bytes) const {
    return bytes + framing_max(events, true) <= commit_bytes_max_;
}

void BatchStage::begin_request() {
    // While a commit is in flight turns come and go unseen, so each request reads the clock.
    if (!moment_ || flying_) moment_ = Moment{clock_.wall_ms(), clock_.monotonic()};
    if (open_.events == 0) spread_to_.value = (spread_to_.value + 1) % log_.topic().partitions;
    open_.arrivals.push_back(moment_->monotonic);
}

std::size_t BatchStage::bytes_of(const StagedEvent& event) {
    const std::size_t id = event.message_id.empty() ? 0 : event.message_id.size() + id_overhead;
    return event.value.size() + id + (event.key ? event.key->size() : 0);
}

Partition BatchStage::partition_for(const StagedEvent& event) const {
    if (event.key) return log::partition_of_key(*event.key, log_.topic().partitions);
    if (!event.message_id.empty()) return log::partition_of_key(event.message_id, log_.topic().partitions);
    return spread_to_;
}

std::optional<Repeated> BatchStage::find(const StagedEvent& event) const {
    if (event.message_id.empty()) return std::nullopt;
    const Partition partition = partition_for(event);
    const End& end = end_of(partition);
    const TimestampMs now = std::max(end.newest, moment_ && !flying_ ? moment_->wall : clock_.wall_ms());
    const auto first = seen_[static_cast<std::size_t>(partition.value)].find(event::hash_of(event.message_id), now);
    if (!first) return std::nullopt;
    Repeated repeated{{partition, *first}, Repeated::In::log};
    if (*first >= end.durable)
        repeated.in = flying_ && *first < end.next ? Repeated::In::flight : Repeated::In::open_commit;
    return repeated;
}

Position BatchStage::add(const StagedEvent& event) {
    const Partition partition = partition_for(event);
    StagedCommit::Batch& batch = batch_of(open_, partition);
    if (batch.builder.empty()) {
        const End& end = end_of(partition);
        batch.builder.begin(end.next);
        batch.newest = end.newest;
        open_.partitions.push_back(partition);
        open_.bytes += batch.builder.bytes();
    }
    const Position position{partition, batch.builder.next_offset()};
    const std::size_t before = batch.builder.bytes();
    batch.newest = std::max(batch.newest, moment_->wall);
    const log::RecordHeader header{event::message_id_key, event.message_id};
    batch.builder.add(batch.newest, event.value, event.key, {&header, event.message_id.empty() ? 0U : 1U});
    if (!event.message_id.empty())
        seen_of(partition).add({event::hash_of(event.message_id), position.offset, batch.newest});
    open_.bytes += batch.builder.bytes() - before;
    ++open_.events;
    return position;
}

std::span<const PartitionAppend> BatchStage::take() {
    std::swap(open_, in_flight_);
    clear(open_);
    moment_.reset();
    flying_ = true;
    appends_.clear();
    for (const Partition partition : in_flight_.partitions) {
        log::BatchBuilder& builder = batch_of(in_flight_, partition).builder;
        log::PartitionWriter& writer = log_.partition(partition);
        if (builder.next_offset().plus(-builder.count()) != writer.next_offset()) {
            failed();
            return {};
        }
        appends_.push_back({&writer, &builder});
    }
    for (const Partition partition : in_flight_.partitions) {
        End& end = end_of(partition);
        end.next = batch_of(in_flight_, partition).builder.next_offset();
        end.newest = batch_of(in_flight_, partition).newest;
    }
    return appends_;
}

void BatchStage::landed() {
    flying_ = false;
    for (const Partition partition : in_flight_.partitions)
        end_of(partition).durable = batch_of(in_flight_, partition).builder.next_offset();
}

void BatchStage::failed() {
    flying_ = false;
    for (const Partition partition : in_flight_.partitions) {
        const log::PartitionWriter& writer = log_.partition(partition);
        End& end = end_of(partition);
        end.next = writer.next_offset();
        end.newest = writer.max_timestamp();
        seen_of(partition).forget_from(end.next);
    }
}

void BatchStage::drop_open() {
    for (const Partition partition : open_.partitions) seen_of(partition).forget_from(end_of(partition).next);
    clear(open_);
    moment_.reset();
}

void BatchStage::clear(StagedCommit& commit) {
    for (const Partition partition : commit.partitions)
        batch_of(commit, partition).builder.shrink(kept_bytes_max / commit.partitions.size());
    commit.partitions.clear();
    commit.arrivals.clear();
    commit.bytes = 0;
    commit.events = commit.mismatched = 0;
}

std::vector<Offset> BatchStage::durable_ends() const {
    std::vector<Offset> ends;
    for (const End& end : ends_) ends.push_back(end.durable);
    return ends;
}

} // namespace questlog::collect
