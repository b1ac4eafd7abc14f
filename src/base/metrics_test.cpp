#include "base/metrics.h"

#include <gtest/gtest.h>

namespace questlog {
namespace {

using std::chrono::microseconds;

TEST(Metrics, ExpositionHoldsWhatWasCounted) {
    Metrics metrics;
    auto accepted = metrics.counter("questlog_events_accepted_total", "Events accepted");
    accepted.add(3);
    auto by_reason = metrics.counter("questlog_events_rejected_total", "Events rejected", "reason", "too_large");
    by_reason.add();
    metrics.gauge("questlog_open", "Open").set(2.5);
    const std::string text = metrics.exposition();
    EXPECT_NE(text.find("questlog_events_accepted_total 3"), std::string::npos) << text;
    EXPECT_NE(text.find("questlog_events_rejected_total{reason=\"too_large\"} 1"), std::string::npos) << text;
    EXPECT_NE(text.find("questlog_open 2.5"), std::string::npos) << text;
    EXPECT_EQ(accepted.value(), 3);
}

TEST(Metrics, LatenciesFallIntoTheSameBucketsOneByOneAndTogether) {
    Metrics one;
    Metrics many;
    const std::vector<std::chrono::nanoseconds> durations{microseconds(10), microseconds(11), microseconds(900),
                                                          std::chrono::seconds(60)};
    auto single = one.latency("questlog_ack_seconds", "Ack");
    for (const auto duration : durations) single.observe(duration);
    many.latency("questlog_ack_seconds", "Ack").observe(durations);
    EXPECT_EQ(one.exposition(), many.exposition());
    EXPECT_NE(many.exposition().find("questlog_ack_seconds_count 4"), std::string::npos);
    EXPECT_NE(many.exposition().find("questlog_ack_seconds_bucket{le=\"1e-05\"} 1"), std::string::npos)
        << many.exposition();
}

} // namespace
} // namespace questlog
