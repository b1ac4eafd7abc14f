#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
} // namespace prometheus

namespace questlog {

/// A number that only grows. Any thread; owned by its Metrics.
class Counter {
public:
    explicit Counter(prometheus::Counter* counter) : counter_(counter) {}
    void add(std::int64_t n = 1);
    [[nodiscard]] std::int64_t value() const;

private:
    prometheus::Counter* counter_;
};

class Gauge {
public:
    explicit Gauge(prometheus::Gauge* gauge) : gauge_(gauge) {}
    void set(double value);

private:
    prometheus::Gauge* gauge_;
};

/// Durations, counted in buckets from 10 µs to 10 s.
class LatencyHistogram {
public:
    explicit LatencyHistogram(prometheus::Histogram* histogram) : histogram_(histogram) {}
    void observe(std::chrono::nanoseconds duration);
    /// `durations` at once, under one lock.
    void observe(const std::vector<std::chrono::nanoseconds>& durations);

private:
    prometheus::Histogram* histogram_;
};

/// The process's measurements, in Prometheus' text format. One object a process; any thread.
class Metrics {
public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    Counter counter(const std::string& name, const std::string& help, const std::string& label = {},
                    const std::string& label_value = {});
    Gauge gauge(const std::string& name, const std::string& help);
    LatencyHistogram latency(const std::string& name, const std::string& help);
    /// Text exposition format 0.0.4.
    [[nodiscard]] std::string exposition() const;

private:
    std::shared_ptr<prometheus::Registry> registry_;
};

} // namespace questlog
