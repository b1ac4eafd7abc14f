#include "base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace questlog {
namespace {

double seconds_of(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

const prometheus::Histogram::BucketBoundaries& latency_buckets() {
    static const prometheus::Histogram::BucketBoundaries seconds{
        0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
        0.025,   0.05,     0.1,     0.25,   0.5,     1,      2.5,   5,      10};
    return seconds;
}

} // namespace

void Counter::add(std::int64_t n) {
    counter_->Increment(static_cast<double>(n));
}

std::int64_t Counter::value() const {
    return static_cast<std::int64_t>(counter_->Value());
}

void Gauge::set(double value) {
    gauge_->Set(value);
}

void LatencyHistogram::observe(std::chrono::nanoseconds duration) {
    histogram_->Observe(seconds_of(duration));
}

void LatencyHistogram::observe(const std::vector<std::chrono::nanoseconds>& durations) {
    const auto& bounds = latency_buckets();
    std::vector<double> counts(bounds.size() + 1);
    double sum = 0;
    for (const auto duration : durations) {
        const double value = seconds_of(duration);
        std::size_t bucket = 0;
        while (bucket < bounds.size() && value > bounds[bucket]) ++bucket;
        counts[bucket] += 1;
        sum += value;
    }
    histogram_->ObserveMultiple(counts, sum);
}

Metrics::Metrics() : registry_(std::make_shared<prometheus::Registry>()) {}
Metrics::~Metrics() = default;

Counter Metrics::counter(const std::string& name, const std::string& help, const std::string& label,
                         const std::string& label_value) {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
    prometheus::Labels labels;
    if (!label.empty()) labels.emplace(label, label_value);
    return Counter(&family.Add(labels));
}

Gauge Metrics::gauge(const std::string& name, const std::string& help) {
    return Gauge(&prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add({}));
}

LatencyHistogram Metrics::latency(const std::string& name, const std::string& help) {
    auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(*registry_);
    return LatencyHistogram(&family.Add({}, latency_buckets()));
}

std::string Metrics::exposition() const {
    return prometheus::TextSerializer().Serialize(registry_->Collect());
}

} // namespace questlog
