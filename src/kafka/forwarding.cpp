#include "kafka/forwarding.h"

#include "base/operator_log.h"
#include "kafka/in_flight.h"
#include "kafka/log_feed.h"
#include "kafka/origin.h"
#include "kafka/produce_error.h"

#include <algorithm>
#include <utility>

namespace questlog::kafka {
namespace {

constexpr std::chrono::milliseconds idle_wait{20}; ///< Until the log is looked at without having been woken.
constexpr std::chrono::milliseconds full_wait{100};
constexpr std::chrono::milliseconds look_interval{100};
constexpr std::chrono::milliseconds look_timeout{1'000};
constexpr int records_at_once = 1'000; ///< Of a partition, until reports are taken and it is the next one's turn.
constexpr int tries_max = 5;

} // namespace

struct Forwarding::Lane {
    Lane(log::PartitionReader& reader, const Found& found) : partition(reader.partition()), feed(reader, found.next) {
        in_flight.begin(found.next, found.last, found.topic_end);
    }

    /// The first record goes alone. A broker that knows nothing of a producer takes any of its batches as the first
    /// one, also the second where it has refused the first; once it knows one, it takes none that leaves a gap.
    [[nodiscard]] bool may_send(std::chrono::nanoseconds now, std::chrono::nanoseconds proof_age_max) {
        if (in_flight.size() == 0 && proven && now - heard_at > proof_age_max) proven = false;
        return proven || in_flight.size() == 0;
    }

    Partition partition;
    LogFeed feed;
    InFlight in_flight;
    bool proven = false;
    std::chrono::nanoseconds
        heard_at{}; ///< When something of it was acknowledged, or sent while nothing was in flight.
};

struct Forwarding::Failure {
    Partition partition;
    Offset event;
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
};

Forwarding::Forwarding(World world) : world_(std::move(world)) {}
Forwarding::~Forwarding() = default;

Status Forwarding::start(const ClientSettings& cluster, const std::optional<Checkpoint>& checkpoint) {
    CHECK_OK(ensure_topic(world_.consumer, world_.topic, checkpoint, world_.stop));
    for (std::int32_t i = 0; i < world_.topic.log_partitions; ++i) {
        log::PartitionReader& reader = world_.log.partition(Partition{i});
        const auto known = checkpoint ? checkpoint->last[static_cast<std::size_t>(i)] : std::nullopt;
        TRY(found, find_end(world_.consumer, world_.topic, reader, known, world_.stop));
        lanes_.push_back(std::make_unique<Lane>(reader, found));
    }
    ProducerLimits limits = world_.tuning.limits;
    limits.batch_bytes_max = world_.experience.request.bytes();
    TRY(made, RecordProducer::make(cluster, world_.tuning.compression, limits, world_.topic.name));
    producer_ = std::move(made);
    announce();
    // What was refused is not mended before it has arrived.
    if (world_.board.state() != ForwarderState::refused) world_.board.change(ForwarderState::running, "");
    looked_at_ = world_.clock.monotonic();
    return {};
}

Status Forwarding::run() {
    while (!world_.stop()) {
        const bool ends = wants_larger_requests(); // by another producer, once nothing is in flight
        if (ends && !in_flight()) {
            world_.experience.request.grow();
            return {};
        }
        Sent sent = Sent::nothing;
        if (!ends) {
            TRY(some, send_some());
            sent = some;
            all_sent_ = sent == Sent::nothing;
        }
        const auto wait = sent == Sent::nothing     ? idle_wait
                          : sent == Sent::something ? std::chrono::milliseconds{}
                                                    : full_wait;
        CHECK_OK(take_reports(wait));
        CHECK_OK(look_at_cluster());
        if (broken_) return {};
    }
    await_the_last();
    return {};
}

Result<Forwarding::Sent> Forwarding::send_some() {
    world_.woken = false;
    Sent all = Sent::nothing;
    for (std::size_t i = 0; i < lanes_.size() && !broken_; ++i) {
        TRY(sent, send_some_of(*lanes_[turn_]));
        all = std::max(all, sent);
        turn_ = (turn_ + 1) % lanes_.size();
        if (sent == Sent::all_there_is_room_for) break;
    }
    return all;
}

Result<Forwarding::Sent> Forwarding::send_some_of(Lane& lane) {
    const auto now = world_.clock.monotonic();
    for (int count = 0; count < records_at_once; ++count) {
        const Sent so_far = count == 0 ? Sent::nothing : Sent::something;
        if (!lane.may_send(now, world_.tuning.proof_age_max)) return so_far;
        TRY(record, lane.feed.peek());
        if (const auto expired = lane.feed.expired())
            log_warn("events {} to {} of partition {} of topic {} had expired before they were forwarded to Kafka",
                     expired->from, expired->to.plus(-1), lane.partition, world_.topic.name);
        if (record == nullptr) return so_far;
        write_origin({world_.topic.log_id, lane.partition, record->offset}, origin_);
        if (lane.in_flight.size() == 0) lane.heard_at = now;
        const std::uint64_t number = lane.in_flight.sent(record->offset);
        const auto code = producer_->send(lane.partition, *record, origin_, number);
        if (!code.ok()) return code.error();
        if (*code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            lane.feed.take();
            continue;
        }
        lane.in_flight.take_back();
        if (*code == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Sent::all_there_is_room_for;
        CHECK_OK(take_reports({})); // they say more
        if (!broken_) CHECK_OK(failed({lane.partition, record->offset, *code}));
        return so_far;
    }
    return Sent::something;
}

bool Forwarding::wants_larger_requests() const {
    return world_.experience.request.may_grow(world_.clock.monotonic());
}

Status Forwarding::take_reports(std::chrono::milliseconds wait) {
    std::optional<Failure> failure;
    std::string gone_back;
    bool moved = false;
    std::chrono::nanoseconds now{};
    producer_->reports(wait, [&](const Report& report) {
        Lane& lane = *lanes_[static_cast<std::size_t>(report.partition.value)];
        if (report.error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (!failure || (is_consequence(failure->code) && !is_consequence(report.error)))
                failure = {report.partition, lane.in_flight.event(report.number), report.error};
            return;
        }
        if (!gone_back.empty()) return;
        const Offset event = lane.in_flight.event(report.number);
        if (!lane.in_flight.acknowledged(report.number, report.record)) {
            gone_back = fmt::format("event {} of partition {} has got offset {}, below those before it", event,
                                    report.partition, report.record);
            return;
        }
        if (!moved) now = world_.clock.monotonic();
        lane.proven = true;
        lane.heard_at = now;
        moved = true;
    });
    if (moved) {
        world_.experience.tries = 0;
        announce();
        if (!is_silent(now)) world_.board.change(ForwarderState::running, "");
    }
    if (!gone_back.empty()) return again(gone_back); // which looks at what topic that is
    return failure ? failed(*failure) : Status();
}

Status Forwarding::failed(const Failure& failure) {
    rd_kafka_resp_err_t code = failure.code;
    if (is_consequence(code) && producer_->fatal() != RD_KAFKA_RESP_ERR_NO_ERROR) code = producer_->fatal();
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && world_.experience.request.shrink(world_.clock.monotonic())) {
        broken_ = true; // of a batch; it may be one record that is: then that is told when it goes alone
        return {};
    }
    const std::string what =
        fmt::format("event {} of partition {}: {}", failure.event, failure.partition, rd_kafka_err2str(code));
    if (is_of_the_producer(code)) return again(what);
    return reject("Kafka refuses {}; {}", what, cure_of(code, world_.topic.name));
}

Status Forwarding::again(const std::string& why) {
    if (++world_.experience.tries > tries_max) {
        world_.experience.tries = 0;
        return reject("{} producers failed in a row: {}; see the log of the broker", tries_max + 1, why);
    }
    broken_ = true;
    return {};
}

/// Whether it answers, where there is reason to doubt it.
Status Forwarding::look_at_cluster() {
    const auto now = world_.clock.monotonic();
    if (broken_ || now - looked_at_ < look_interval) return {};
    looked_at_ = now;
    if (std::string complaint = producer_->complaint(); !complaint.empty()) doubt_ = std::move(complaint);
    const bool waiting = in_flight();
    const bool silent = is_silent(now);
    if (world_.board.state() == ForwarderState::refused && all_sent_ && !waiting)
        world_.board.change(ForwarderState::running, "");
    const bool known_down = world_.board.state() == ForwarderState::unreachable;
    if (known_down ? waiting : doubt_.empty() && !silent) return {}; // where it is down, an acknowledgement tells more

    const auto partitions = world_.consumer.partitions(world_.topic.name, look_timeout);
    if (!partitions.ok()) {
        if (partitions.error().kind != ErrorKind::retry_later) return partitions.error();
        world_.board.change(ForwarderState::unreachable, partitions.error().message);
        return {};
    }
    if (*partitions < world_.topic.log_partitions) return again("the topic is not what it was");
    if (silent) {
        world_.board.change(
            ForwarderState::unreachable,
            fmt::format("Kafka {} acknowledges nothing of what is sent to some partition", producer_->bootstrap()));
        return {};
    }
    doubt_.clear();
    world_.board.change(ForwarderState::running, "");
    return {};
}

void Forwarding::await_the_last() {
    const auto deadline = world_.clock.monotonic() + world_.tuning.stop_wait;
    while (in_flight() && !broken_ && world_.board.state() == ForwarderState::running) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - world_.clock.monotonic());
        if (left.count() <= 0 || !take_reports(std::min(left, full_wait)).ok()) return;
    }
}

bool Forwarding::in_flight() const {
    return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->in_flight.size() > 0; });
}

/// Of some partition nothing was acknowledged for long.
bool Forwarding::is_silent(std::chrono::nanoseconds now) const {
    return std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& lane) {
        return lane->in_flight.size() > 0 && now - lane->heard_at > world_.tuning.silence_max;
    });
}

/// What has arrived.
void Forwarding::announce() {
    ForwarderBoard::Arrivals arrivals;
    for (const auto& lane : lanes_) {
        arrivals.ends.push_back(lane->in_flight.end());
        arrivals.last.push_back(lane->in_flight.last());
    }
    world_.board.arrived(arrivals);
    world_.on_acknowledged(arrivals.ends);
}

} // namespace questlog::kafka
