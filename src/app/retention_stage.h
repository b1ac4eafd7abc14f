#pragma once

#include "app/context.h"
#include "base/metrics.h"
#include "base/repeated_action.h"
#include "log/event_log.h"
#include "log/retention.h"
#include "query/retention.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace questlog::app {

/// What Kafka needs of a log that is forwarded to it, up to which it has arrived there.
[[nodiscard]] query::Claim claim_of_kafka(std::vector<Offset> forwarded);

/// Lets the served topic's old segments expire, on a thread of its own beside the collector: at its start, and every
/// Config::retention_check from then on, also while nothing comes in. Without limits there is nothing to do, and no
/// thread. What tables keep beyond the limits, and what keeps a round from being done, is told once and not each time.
class RetentionStage {
public:
    /// `log` is open for as long as the stage lives: its lock is what allows to trim. `context` outlives the stage.
    /// `forwarded`: where Kafka has the log, how far; no segment expires that it has not, and tables are landed from
    /// there. Empty: there is no cluster.
    RetentionStage(const Context& context, const log::LogWriter& log, Metrics& metrics,
                   std::function<std::vector<Offset>()> forwarded);
    ~RetentionStage() = default;
    RetentionStage(const RetentionStage&) = delete;
    RetentionStage& operator=(const RetentionStage&) = delete;

    /// Waits for a round that is under way. Before the log is closed.
    void stop() { rounds_.reset(); }

private:
    [[nodiscard]] bool run();
    Status round();
    Result<std::vector<query::Claim>> claims();
    Status trim(const log::TrimPlan& plan);
    void tell_once(const std::string& text);

    const Context& context_;
    log::Topics topics_;
    log::Topic topic_;
    log::RetentionLimits limits_;
    std::function<std::vector<Offset>()> forwarded_;
    Counter removed_events_;
    Counter removed_bytes_;
    Gauge kept_bytes_;
    std::unique_ptr<log::LogReader> reader_; ///< Remembers places in the log from round to round.
    std::string told_;                       ///< What was told last; empty: nothing is to be told.
    bool broken_ = false;                    ///< A sync has failed: nothing may be trimmed any more in this process.

    std::optional<RepeatedAction> rounds_; ///< Last: its thread uses the others.
};

} // namespace questlog::app
