#pragma once

#include "base/metrics.h"
#include "base/strong.h"
#include "collect/tally.h"
#include "http/server.h"

#include <chrono>
#include <string>
#include <vector>

namespace questlog::collect {

/// The collector's part of GET /metrics. Counters are brought up to date commit by commit, not event by event.
class CollectorMetrics {
public:
    explicit CollectorMetrics(Metrics& metrics);

    void update(const Tally& tally);
    void synced(std::chrono::nanoseconds duration) { fsync_.observe(duration); }
    /// A commit is durable: how long each of its requests, by their arrivals, had to wait.
    void acknowledged(const std::vector<std::chrono::nanoseconds>& arrivals, std::chrono::nanoseconds now);

    /// Everything there is, in the text exposition format.
    [[nodiscard]] std::string exposition(const http::ServerStats& server,
                                         const std::vector<Offset>& durable_ends) const;

private:
    Metrics& metrics_;
    Counter accepted_;
    Counter repeated_;
    Counter invalid_calls_;
    Counter invalid_events_;
    Counter unreadable_bodies_;
    Counter queue_full_;
    Counter not_taken_;
    Counter log_failed_;
    Counter undecided_;
    Counter mismatched_;
    Counter unconfirmed_;
    LatencyHistogram ack_;
    LatencyHistogram fsync_;
    Tally shown_; ///< What the counters stand at.
    std::vector<std::chrono::nanoseconds> waits_;
};

} // namespace questlog::collect
