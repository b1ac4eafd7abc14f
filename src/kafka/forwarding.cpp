#include "kafka/forwarding.h"

#include "base/operator_log.h"
#include "kafka/in_flight.h"
#include "kafka/log_feed.h"
#include "kafka/origin.h"

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
constexpr std::int64_t batch_bytes_least = 4'096; ///< A smaller limit is one record a batch.

/// Another producer may do better.
bool is_of_the_producer(rd_kafka_resp_err_t code) {
    switch (code) {
    case RD_KAFKA_RESP_ERR__FATAL:
    case RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE:
    case RD_KAFKA_RESP_ERR__STATE:
    case RD_KAFKA_RESP_ERR__INCONSISTENT:
    case RD_KAFKA_RESP_ERR__FENCED:
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
    case RD_KAFKA_RESP_ERR__DESTROY:
    case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT:
    case RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE:
    case RD_KAFKA_RESP_ERR__TRANSPORT:
    case RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
    case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING:
    case RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID:
    case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
    // The next one looks for the topic before it sends, and tells what is wrong with it.
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART: return true;
    default: return false;
    }
}

/// What may stand for the reason of others.
bool is_consequence(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR__FATAL || code == RD_KAFKA_RESP_ERR__GAPLESS_GUARANTEE ||
           code == RD_KAFKA_RESP_ERR__PURGE_QUEUE || code == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT;
}

std::string cure_of(rd_kafka_resp_err_t code, const std::string& topic) {
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE)
        return fmt::format("raise max.message.bytes of topic {}, or message.max.bytes of the broker", topic);
    if (code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED || code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)
        return fmt::format("allow this client to write to topic {}, idempotently", topic);
    return "see the configuration of the topic and the log of the broker";
}

} // namespace

struct Forwarding::Lane {
    Lane(log::PartitionReader& reader, const Found& found) : partition(reader.partition()), feed(reader, found.next) {
        in_flight.begin(found.next, found.last, found.topic_end);
    }

    /// The first record goes alone. A broker that knows nothing of a producer takes any of its batches as the first
    /// one, also the second where it has refused the first; once it knows one, it takes none that leaves a gap.
    [[nodiscard]] bool may_send(std::chrono::nanoseconds now, std::chrono::nanoseconds proof_age_max) {
        if (in_flight.size() == 0 && proven && now - proven_at > proof_age_max) proven = false;
        return proven || in_flight.size() == 0;
    }

    Partition partition;
    LogFeed feed;
    InFlight in_flight;
    bool proven = false;
    std::chrono::nanoseconds proven_at{};
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
        TRY(end, reader.end_offset());
        const auto known = checkpoint ? checkpoint->last[static_cast<std::size_t>(i)] : std::nullopt;
        TRY(found, find_end(world_.consumer, world_.topic, Partition{i}, known, end, world_.stop));
        lanes_.push_back(std::make_unique<Lane>(reader, found));
    }
    TRY(made, RecordProducer::make(cluster, world_.tuning.compression, world_.experience.limits, world_.topic.name));
    producer_ = std::move(made);
    announce();
    // What was refused is not mended before it has arrived.
    if (world_.board.state() != ForwarderState::refused) world_.board.change(ForwarderState::running, "");
    progress_ = looked_at_ = world_.clock.monotonic();
    return {};
}

Result<Forwarding::Ended> Forwarding::run() {
    while (!world_.stop()) {
        TRY(sent, send_some());
        all_sent_ = sent == Sent::nothing;
        const auto wait = sent == Sent::nothing     ? idle_wait
                          : sent == Sent::something ? std::chrono::milliseconds{}
                                                    : full_wait;
        CHECK_OK(take_reports(wait));
        CHECK_OK(look_at_cluster());
        if (broken_) return Ended::broken;
    }
    await_the_last();
    return Ended::stopped;
}

Result<Forwarding::Sent> Forwarding::send_some() {
    world_.woken = false;
    Sent all = Sent::nothing;
    for (const auto& lane : lanes_) {
        TRY(sent, send_some_of(*lane));
        all = std::max(all, sent);
        if (all == Sent::all_there_is_room_for || broken_) break;
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

Status Forwarding::take_reports(std::chrono::milliseconds wait) {
    std::optional<Failure> failure;
    std::optional<Error> gone_back;
    bool moved = false;
    producer_->reports(wait, [&](const Report& report) {
        Lane& lane = *lanes_[static_cast<std::size_t>(report.partition.value)];
        if (report.error != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (!failure || (is_consequence(failure->code) && !is_consequence(report.error)))
                failure = {report.partition, lane.in_flight.event(report.number), report.error};
            return;
        }
        if (gone_back) return;
        const Offset event = lane.in_flight.event(report.number);
        if (!lane.in_flight.acknowledged(report.number, report.record)) {
            gone_back = another_topic(world_.topic, report.partition, lane.in_flight.last(),
                                      fmt::format("event {} has got offset {} below it", event, report.record));
            return;
        }
        lane.proven = true;
        moved = true;
    });
    if (moved) {
        world_.experience.tries = 0;
        announce();
        world_.board.change(ForwarderState::running, "");
    }
    if (gone_back) return *gone_back;
    return failure ? failed(*failure) : Status();
}

Status Forwarding::failed(const Failure& failure) {
    rd_kafka_resp_err_t code = failure.code;
    if (is_consequence(code) && producer_->fatal() != RD_KAFKA_RESP_ERR_NO_ERROR) code = producer_->fatal();
    if (code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && world_.experience.limits.batch_bytes_max > 1) {
        // Of a batch. It may be one record that is: then that is told when it goes alone.
        std::int64_t& bytes = world_.experience.limits.batch_bytes_max;
        bytes = bytes / 4 < batch_bytes_least ? 1 : bytes / 4;
        broken_ = true;
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
    if (!waiting) progress_ = now;
    const bool silent = now - progress_ > world_.tuning.silence_max;
    if (world_.board.state() == ForwarderState::refused && all_sent_ && !waiting)
        world_.board.change(ForwarderState::running, "");
    const bool known_down = world_.board.state() == ForwarderState::unreachable;
    if (known_down ? waiting : doubt_.empty() && !silent) return {}; // where it is down, an acknowledgement tells more

    const auto partitions = topic_partitions(world_.consumer, world_.topic.name, look_timeout);
    if (!partitions.ok()) {
        if (partitions.error().kind != ErrorKind::retry_later) return partitions.error();
        world_.board.change(ForwarderState::unreachable, partitions.error().message);
        return {};
    }
    if (*partitions < world_.topic.log_partitions) return again("the topic is not what it was");
    if (silent) {
        world_.board.change(ForwarderState::unreachable,
                            fmt::format("Kafka {} acknowledges nothing of what is sent", producer_->bootstrap()));
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

/// What has arrived.
void Forwarding::announce() {
    const auto now = world_.clock.monotonic();
    progress_ = now;
    ForwarderBoard::Arrivals arrivals;
    for (const auto& lane : lanes_) {
        arrivals.ends.push_back(lane->in_flight.end());
        arrivals.last.push_back(lane->in_flight.last());
        if (lane->in_flight.size() == 0) lane->proven_at = now;
    }
    world_.board.arrived(arrivals);
    world_.on_acknowledged(arrivals.ends);
}

} // namespace questlog::kafka
