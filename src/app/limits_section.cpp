#include "app/limits_section.h"

namespace questlog::app {
namespace {

constexpr std::int64_t kilobyte = 1024;
constexpr std::int64_t megabyte = 1024 * kilobyte;
constexpr std::int64_t one_hour_ms = 3'600'000;

// Least: what questlog's own pages and an ordinary client need. Most: what its buffers and readers are made for.
Status take_count(TomlTable& table, std::string_view key, std::int64_t least, std::int64_t most, std::size_t& to) {
    TRY(number, table.integer(key, least, most));
    if (number) to = static_cast<std::size_t>(*number);
    return {};
}

Status take_time(TomlTable& table, std::string_view key, std::chrono::milliseconds& to) {
    TRY(number, table.integer(key, 100, one_hour_ms));
    if (number) to = std::chrono::milliseconds(*number);
    return {};
}

} // namespace

Status parse_limits(TomlTable& table, ClientLimits& limits) {
    constexpr auto commit_bytes = static_cast<std::int64_t>(questlog::limits::batch_bytes_max);
    CHECK_OK(take_count(table, "request_line_bytes", 256, 64 * kilobyte, limits.request_line_bytes));
    CHECK_OK(take_count(table, "header_bytes", kilobyte, 128 * kilobyte, limits.header_bytes));
    CHECK_OK(take_count(table, "header_fields", 10, 1'000, limits.header_fields));
    CHECK_OK(take_count(table, "body_bytes", kilobyte, commit_bytes, limits.body_bytes));
    CHECK_OK(take_count(table, "unzipped_bytes", kilobyte, commit_bytes, limits.unzipped_bytes));
    CHECK_OK(take_count(table, "unzipped_ratio", 1, 1'100, limits.unzipped_ratio)); // gzip's own is 1,032
    CHECK_OK(take_count(table, "event_bytes", kilobyte, 64 * kilobyte, limits.event.bytes_max));
    CHECK_OK(take_count(table, "json_depth", 1, 256, limits.event.depth_max));
    CHECK_OK(take_time(table, "header_timeout_ms", limits.header_timeout));
    CHECK_OK(take_time(table, "body_timeout_ms", limits.body_timeout));
    CHECK_OK(take_count(table, "body_bytes_per_second", 1, 1'000 * megabyte, limits.body_bytes_per_second));
    CHECK_OK(take_time(table, "idle_timeout_ms", limits.idle_timeout));
    CHECK_OK(take_time(table, "send_timeout_ms", limits.send_timeout));
    CHECK_OK(take_count(table, "connections", 1, 1'000'000, limits.connections));
    CHECK_OK(take_time(table, "commit_wait_ms", limits.commit_wait));
    CHECK_OK(take_time(table, "landed_wait_ms", limits.landed_wait));
    CHECK_OK(take_time(table, "forwarded_wait_ms", limits.forwarded_wait));
    return table.finish();
}

void ClientLimits::apply(http::ServerOptions& options) const {
    options.request_line_bytes_max = request_line_bytes;
    options.header_bytes_max = header_bytes;
    options.header_fields_max = header_fields;
    options.body_bytes_max = body_bytes;
    options.header_timeout = header_timeout;
    options.body_timeout = body_timeout;
    options.body_bytes_per_second_min = body_bytes_per_second;
    options.idle_timeout = idle_timeout;
    options.send_timeout = send_timeout;
    options.connections_max = connections;
}

void ClientLimits::apply(collect::CollectorOptions& options) const {
    options.unzipped = {unzipped_bytes, unzipped_ratio};
    options.event_limits = event;
    options.landed_wait_max = landed_wait;
    options.forwarded_wait_max = forwarded_wait;
    options.commit_wait_max = commit_wait;
}

} // namespace questlog::app
