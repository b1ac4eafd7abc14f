#include "collect/collector_metrics.h"

#include <fmt/format.h>
#include <iterator>

namespace questlog::collect {
namespace {

Counter rejected(Metrics& metrics, const std::string& reason) {
    return metrics.counter("questlog_events_rejected_total",
                           "Events that were answered with an error and not stored (unreadable_body: whole requests).",
                           "reason", reason);
}

void append_metric(std::string& out, std::string_view name, std::string_view type, std::string_view help,
                   std::int64_t value) {
    fmt::format_to(std::back_inserter(out), "# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

} // namespace

CollectorMetrics::CollectorMetrics(Metrics& metrics)
    : metrics_(metrics),
      accepted_(metrics.counter("questlog_events_accepted_total", "Events that are durable and were answered so.")),
      repeated_(metrics.counter("questlog_events_repeated_total",
                                "Events that by their message ids came before: they were answered, and not stored.")),
      invalid_calls_(rejected(metrics, "invalid_call")), invalid_events_(rejected(metrics, "invalid_event")),
      unreadable_bodies_(rejected(metrics, "unreadable_body")), queue_full_(rejected(metrics, "queue_full")),
      not_taken_(rejected(metrics, "not_taken")), log_failed_(rejected(metrics, "log_failed")),
      undecided_(metrics.counter("questlog_events_undecided_total",
                                 "Events that were answered 503 because the disk did not: they may be stored or not.")),
      mismatched_(metrics.counter("questlog_events_mismatched_total",
                                  "Accepted events whose fields are not as declared (on_mismatch = keep).")),
      unconfirmed_(metrics.counter("questlog_answers_unconfirmed_total",
                                   "Requests that were answered 504: their events are stored here, and were not "
                                   "confirmed in time by where the log is forwarded to.")),
      ack_(metrics.latency("questlog_ack_seconds", "From a request's arrival to its events being durable.")),
      fsync_(metrics.latency("questlog_fsync_seconds", "Syncing one commit.")) {}

void CollectorMetrics::update(const Tally& tally) {
    const auto raise = [](Counter& counter, std::int64_t from, std::int64_t to) {
        if (to > from) counter.add(to - from);
    };
    raise(accepted_, shown_.accepted, tally.accepted);
    raise(repeated_, shown_.repeated, tally.repeated);
    raise(invalid_calls_, shown_.invalid_calls, tally.invalid_calls);
    raise(invalid_events_, shown_.invalid_events, tally.invalid_events);
    raise(unreadable_bodies_, shown_.unreadable_bodies, tally.unreadable_bodies);
    raise(queue_full_, shown_.queue_full, tally.queue_full);
    raise(not_taken_, shown_.not_taken, tally.not_taken);
    raise(log_failed_, shown_.log_failed, tally.log_failed);
    raise(undecided_, shown_.undecided, tally.undecided);
    raise(mismatched_, shown_.mismatched, tally.mismatched);
    raise(unconfirmed_, shown_.unconfirmed, tally.unconfirmed);
    shown_ = tally;
}

void CollectorMetrics::acknowledged(const std::vector<std::chrono::nanoseconds>& arrivals,
                                    std::chrono::nanoseconds now) {
    waits_.clear();
    for (const auto arrival : arrivals) waits_.push_back(now - arrival);
    ack_.observe(waits_);
}

std::string CollectorMetrics::exposition(const http::ServerStats& server,
                                         const std::vector<Offset>& durable_ends) const {
    std::string out = metrics_.exposition();
    append_metric(out, "questlog_http_connections", "gauge", "Open connections.", server.connections_open);
    append_metric(out, "questlog_http_connections_accepted_total", "counter", "Connections taken.",
                  server.connections_accepted);
    append_metric(out, "questlog_http_connections_refused_total", "counter",
                  "Connections over the limit, answered 503.", server.connections_refused);
    append_metric(out, "questlog_http_requests_total", "counter", "Requests that were read whole.", server.requests);
    append_metric(out, "questlog_http_bad_requests_total", "counter", "Requests refused for framing, syntax or size.",
                  server.bad_requests);
    append_metric(out, "questlog_http_timeouts_total", "counter", "Requests and answers that took a client too long.",
                  server.timeouts);
    out += "# HELP questlog_log_end_offset One past the last durable event.\n# TYPE questlog_log_end_offset gauge\n";
    for (std::size_t partition = 0; partition < durable_ends.size(); ++partition)
        fmt::format_to(std::back_inserter(out), "questlog_log_end_offset{{partition=\"{}\"}} {}\n", partition,
                       durable_ends[partition]);
    return out;
}

} // namespace questlog::collect
