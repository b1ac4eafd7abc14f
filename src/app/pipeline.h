#pragma once

#include "app/config.h"
#include "app/context.h"
#include "app/forwarding_stage.h"
#include "app/landing_stage.h"
#include "app/retention_stage.h"
#include "base/line_output.h"
#include "base/metrics.h"
#include "base/result.h"
#include "collect/collector.h"
#include "control/server.h"
#include "event/catalogue.h"
#include "http/listener.h"
#include "http/server.h"
#include "io/env.h"
#include "log/event_log.h"

#include <cstdint>
#include <memory>
#include <string>

namespace questlog::app {

/// What a 200 does not promise under the configured `sync`, in one line; empty: it means durable.
[[nodiscard]] std::string durability_waiver(const Config& config);

/// `questlog serve` as an object: the stages in the order that data flows through them. Read open() first.
class Pipeline {
public:
    /// Listens, opens the log (creating the configured topic where it is missing), and wires the collector between
    /// them. `context` outlives the pipeline. The port is bound first, so that a taken one is told before the log is
    /// touched.
    static Result<std::unique_ptr<Pipeline>> open(const Context& context, const http::ListenAddress& address);

    /// Serves until request_stop(), then drains: answers what is in flight, syncs and closes the log. An error means
    /// that the process must end as it is; the next start recovers.
    Status run();
    /// Any thread. From here on /readyz says no.
    void request_stop() {
        control_->request_stop();
        collector_->drain();
        server_->request_stop();
    }

    [[nodiscard]] const std::string& url() const { return url_; }
    [[nodiscard]] const log::Topic& topic() const { return log_->topic(); }
    [[nodiscard]] std::int64_t events() const; ///< In the log now, over all partitions.

private:
    Pipeline() = default;

    // Built from top to bottom, torn down from bottom to top.
    std::string url_; ///< Where requests come in.
    Metrics metrics_;
    std::unique_ptr<http::Server> server_;          // requests come in here,
    std::unique_ptr<event::Catalogue> catalogue_;   // become events by its declarations,
    std::unique_ptr<log::LogWriter> log_;           // and are durable here
    std::unique_ptr<LineOutput> access_log_;        // beside it,
    std::unique_ptr<collect::Collector> collector_; // before the answer goes out.
    std::unique_ptr<ForwardingStage> forwarding_;   // From there it goes to Kafka, if there is one,
    std::unique_ptr<LandingStage> landing_;         // and to the tables,
    std::unique_ptr<RetentionStage> retention_;     // and what is old enough expires.
    std::unique_ptr<control::Server> control_;      // Beside them: what the operator asks for.
};

} // namespace questlog::app
