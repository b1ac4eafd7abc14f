#pragma once

#include "app/toml_table.h"
#include "base/limits.h"
#include "collect/collector.h"
#include "event/event_limits.h"
#include "http/server.h"

#include <chrono>
#include <cstddef>

namespace questlog::app {

/// [limits] of questlog.toml: what a client may send, how long it may take, and how many there may be. docs/formats/
/// config.md says what each one's consequence is.
struct ClientLimits {
    std::size_t request_line_bytes = limits::request_line_bytes_max;
    std::size_t header_bytes = limits::header_bytes_max;
    std::size_t header_fields = limits::header_fields_max;
    std::size_t body_bytes = limits::body_bytes_max;
    std::size_t unzipped_bytes = limits::unzipped_bytes_max;
    std::size_t unzipped_ratio = limits::unzipped_ratio_max;
    event::EventLimits event;
    std::chrono::milliseconds header_timeout = limits::header_timeout;
    std::chrono::milliseconds body_timeout = limits::body_timeout;
    std::size_t body_bytes_per_second = limits::body_bytes_per_second_min;
    std::chrono::milliseconds idle_timeout = limits::idle_timeout;
    std::chrono::milliseconds send_timeout = limits::send_timeout;
    std::size_t connections = limits::connections_max;
    std::chrono::milliseconds commit_wait = limits::commit_wait_max;
    std::chrono::milliseconds landed_wait = limits::landed_wait_max;
    std::chrono::milliseconds forwarded_wait = limits::forwarded_wait_max;

    void apply(http::ServerOptions& options) const;
    void apply(collect::CollectorOptions& options) const;
};

/// Reads the table's keys over the defaults.
Status parse_limits(TomlTable& table, ClientLimits& limits);

} // namespace questlog::app
