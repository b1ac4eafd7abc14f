#pragma once

#include "app/context.h"
#include "base/metrics.h"
#include "base/repeated_action.h"
#include "base/result.h"
#include "kafka/forwarder.h"
#include "log/event_log.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace questlog::app {

/// Ships the served topic to the configured cluster, and tells the collector what that means for it.
class ForwardingStage {
public:
    /// `log` is open for as long as the stage lives, and `context` outlives it.
    static Result<std::unique_ptr<ForwardingStage>> open(const Context& context, const log::LogWriter& log,
                                                         Metrics& metrics);
    ~ForwardingStage() { stop(); }
    ForwardingStage(const ForwardingStage&) = delete;
    ForwardingStage& operator=(const ForwardingStage&) = delete;

    /// Told on a thread of the stage's how far each partition has arrived, when that has changed. To be set before
    /// begin().
    std::function<void(std::vector<Offset> ends)> on_forwarded;
    void begin();
    /// The log grows no more: waits for the rest to arrive, but not for long. What does not is sent after the next
    /// start.
    void stop();

    void wake() { forwarder_->wake(); } ///< The log has grown. Any thread, cheap.
    /// Why the collector is to take no events now; empty: it may. Any thread; cheap while it may.
    [[nodiscard]] std::string refusal() const;
    [[nodiscard]] std::string standing() const; ///< What waits for Kafka, as a clause.
    [[nodiscard]] std::vector<Offset> forwarded() const { return forwarder_->acknowledged(); }

private:
    ForwardingStage(const Context& context, std::unique_ptr<log::LogReader> log, Metrics& metrics);
    void look();
    Result<std::int64_t> unforwarded_bytes();

    const Context& context_;
    std::unique_ptr<log::LogReader> log_;
    std::unique_ptr<kafka::Forwarder> forwarder_;
    Gauge lag_;
    Gauge spool_bytes_;
    Gauge reachable_;
    std::atomic<bool> is_full_ = false;
    std::optional<RepeatedAction> looks_; ///< Last: its thread uses the others.
};

} // namespace questlog::app
