#include "app/forwarding_stage.h"

#include "base/operator_log.h"
#include "base/plural.h"

#include <numeric>

namespace questlog::app {
namespace {

constexpr std::chrono::milliseconds lag_look_interval{250};
/// At a stop what has come last is still forwarded, if that is quick: nobody knows when the next start is.
constexpr std::chrono::milliseconds drain_wait{3'000};
constexpr std::chrono::milliseconds drain_look{5};

kafka::ForwarderOptions options_of(const Context& context, const log::Topic& topic) {
    kafka::ForwarderOptions options;
    options.cluster = context.config.kafka.client;
    options.topic = topic.name;
    options.partitions = topic.partitions;
    options.directory = context.kafka_directory();
    options.tuning.compression = context.config.kafka.compression;
    return options;
}

std::int64_t sum_of(const std::vector<std::int64_t>& lags) {
    return std::accumulate(lags.begin(), lags.end(), std::int64_t{0});
}

} // namespace

Result<std::unique_ptr<ForwardingStage>> ForwardingStage::open(const Context& context, const log::LogWriter& log,
                                                               Metrics& metrics) {
    log::Topics topics(context.env, context.log_directory());
    TRY(reader, topics.open(log.topic(), {}));
    return std::unique_ptr<ForwardingStage>(new ForwardingStage(context, std::move(reader), metrics));
}

ForwardingStage::ForwardingStage(const Context& context, std::unique_ptr<log::LogReader> log, Metrics& metrics)
    : context_(context), log_(std::move(log)),
      forwarder_(std::make_unique<kafka::Forwarder>(options_of(context, log_->topic()), context.env, *log_)),
      lag_(metrics.gauge("questlog_kafka_lag_events", "Events of the log that Kafka has not acknowledged yet.")),
      spool_bytes_(metrics.gauge("questlog_kafka_spool_bytes", "Bytes of the log that wait to be forwarded to Kafka.")),
      reachable_(metrics.gauge("questlog_kafka_reachable",
                               "1: Kafka takes what is forwarded. 0: it does not answer, or refuses it.")) {}

void ForwardingStage::begin() {
    forwarder_->on_acknowledged = [this](const std::vector<Offset>& ends) {
        if (on_forwarded) on_forwarded(ends);
    };
    forwarder_->begin();
    looks_.emplace(lag_look_interval, RepeatedAction::First::at_once, [this] {
        look();
        return true;
    });
}

void ForwardingStage::stop() {
    if (!looks_) return;
    looks_.reset();
    const auto deadline = context_.env.clock.monotonic() + drain_wait;
    while (forwarder_->reachable() && sum_of(forwarder_->status().lags) > 0 &&
           context_.env.clock.monotonic() < deadline)
        context_.env.clock.sleep(drain_look);
    forwarder_->stop();
}

void ForwardingStage::look() {
    const kafka::ForwarderStatus status = forwarder_->status();
    lag_.set(static_cast<double>(sum_of(status.lags)));
    reachable_.set(status.state == kafka::ForwarderState::running ? 1 : 0);
    const auto bytes = unforwarded_bytes();
    if (!bytes.ok()) return; // a segment has expired as it was counted: the next look is soon
    spool_bytes_.set(static_cast<double>(*bytes));
    const auto most = context_.config.kafka.spool_bytes_max;
    const bool is_full = most && *bytes > *most;
    if (is_full && !is_full_.load())
        log_warn("{} bytes wait to be forwarded to Kafka, more than spool_bytes_max ({}): new events are answered 503 "
                 "until there are fewer",
                 *bytes, *most);
    is_full_.store(is_full);
}

Result<std::int64_t> ForwardingStage::unforwarded_bytes() {
    const std::vector<Offset> ends = forwarder_->acknowledged();
    std::int64_t total = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
        auto& partition = log_->partition(Partition{static_cast<std::int32_t>(i)});
        TRY(end, partition.end_offset());
        if (ends[i] >= end) continue;
        TRY(all, partition.bytes_below(end));
        TRY(forwarded, partition.bytes_below(ends[i]));
        total += all - forwarded;
    }
    return total;
}

std::string ForwardingStage::refusal() const {
    if (is_full_.load(std::memory_order_relaxed)) return "too many events wait to be forwarded to Kafka";
    if (context_.config.kafka.ack == Ack::disk || forwarder_->reachable()) return {};
    return "Kafka does not take events: " + forwarder_->status().text;
}

std::string ForwardingStage::standing() const {
    const kafka::ForwarderStatus status = forwarder_->status();
    std::string text = plural(sum_of(status.lags), "event") + " to be forwarded to Kafka";
    if (status.state != kafka::ForwarderState::running) text += fmt::format(" ({})", kafka::name_of(status.state));
    return text;
}

} // namespace questlog::app
