#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every limit has a name. What a client may send, and what the program holds in memory.
namespace questlog::limits {

// One HTTP request.
inline constexpr std::size_t request_line_bytes_max = 8 * 1024;
inline constexpr std::size_t header_bytes_max = 32 * 1024;
inline constexpr std::size_t header_fields_max = 100;
inline constexpr std::size_t body_bytes_max = 1024 * 1024;
inline constexpr std::size_t unzipped_bytes_max = 8 * 1024 * 1024; ///< Of a body that came zipped.
inline constexpr std::size_t unzipped_ratio_max = 100;             ///< Of that to the body as it came.
inline constexpr std::chrono::milliseconds header_timeout{5'000};
inline constexpr std::chrono::milliseconds body_timeout{10'000};
inline constexpr std::chrono::milliseconds idle_timeout{75'000};
inline constexpr std::chrono::milliseconds send_timeout{10'000};
inline constexpr std::size_t body_bytes_per_second_min = 1024;
inline constexpr std::size_t connections_max = 10'000;
inline constexpr std::size_t unsent_bytes_max =
    1024 * 1024; ///< Answers that one slow client leaves unread; then it is not read from.

inline constexpr std::chrono::milliseconds landed_wait_max{30'000};    ///< Then wait=landed is answered 202.
inline constexpr std::chrono::milliseconds forwarded_wait_max{10'000}; ///< Then what waits to be forwarded gets 504.

// What one process read of a partition of Kafka's, to read it again from its own disk.
inline constexpr std::int64_t kafka_cache_bytes_max = std::int64_t{1} << 30;

// One event.
inline constexpr std::size_t event_bytes_max = 32 * 1024;
inline constexpr std::size_t json_depth_max = 64;
inline constexpr std::size_t event_type_bytes_max = 256;
inline constexpr std::size_t message_id_bytes_max = 128;

// The events of one POST /events, each with the request's headers: half a batch, so that an empty one has room.
inline constexpr std::size_t events_with_headers_bytes_max = 8 * 1024 * 1024;

// Message ids that are remembered, of a partition.
inline constexpr std::chrono::milliseconds repeat_window_default{24 * 60 * 60 * 1000};
inline constexpr std::int64_t repeat_window_ms_max = 7 * 86'400'000;
inline constexpr std::int64_t repeat_ids_default = 10'000'000;
inline constexpr std::int64_t repeat_ids_max = 100'000'000;

// The log.
inline constexpr std::size_t batch_bytes_max = 16 * 1024 * 1024; ///< One commit; a reader refuses a longer batchLength.
inline constexpr std::chrono::milliseconds commit_wait_max{10'000}; ///< Then its requests are answered 503.
inline constexpr std::size_t decompressed_batch_bytes_max =
    64 * 1024 * 1024; ///< A reader refuses what would become more.
inline constexpr std::int64_t segment_bytes_default = 64 * 1024 * 1024;
inline constexpr std::int64_t segment_bytes_min = 1024 * 1024;
inline constexpr std::int64_t segment_bytes_max = 1024 * 1024 * 1024;
inline constexpr std::int64_t segment_ms_min = 1000;
inline constexpr std::int64_t segment_ms_max = 315'360'000'000;             ///< Ten years.
inline constexpr std::int64_t retention_bytes_max = std::int64_t{1} << 60;  ///< Of a partition; more than disks hold.
inline constexpr std::int64_t retention_ms_max = 3'153'600'000'000;         ///< A hundred years.
inline constexpr std::chrono::milliseconds retention_check_default{30'000}; ///< How often `serve` looks.
inline constexpr std::int64_t retention_check_ms_min = 100;
inline constexpr std::int64_t retention_check_ms_max = 86'400'000;
inline constexpr std::int32_t partitions_max = 1024;
inline constexpr std::int64_t sync_interval_ms_max = 60'000;

// Stopping.
inline constexpr std::chrono::milliseconds drain_timeout{
    8'000}; ///< In-flight requests at SIGTERM; exit follows within 10 s.
inline constexpr std::chrono::milliseconds drain_forwarded_wait{
    6'000}; ///< Of it, for events to be forwarded; the rest is for the answers that became 504 to go out.

// Tables.
inline constexpr std::int64_t cut_bytes_default = 64 * 1024 * 1024;  ///< Of a partition, landed at a time.
inline constexpr std::chrono::milliseconds cut_time_default{60'000}; ///< Of its events; and how long it must be idle.
inline constexpr std::int64_t cut_bytes_min = 64 * 1024;
inline constexpr std::int64_t cut_bytes_max = 256 * 1024 * 1024; ///< A cut's records are held in memory.
inline constexpr std::int64_t cut_ms_min = 100;
inline constexpr std::int64_t cut_ms_max = 86'400'000;
inline constexpr std::size_t continuous_tables_max = 1000; ///< By inference; further types are dead letters.
inline constexpr std::size_t columns_max = 1000;           ///< Columns a table gets by inference.
inline constexpr std::size_t event_types_max = 65'000;     ///< Distinct event types one plan tells apart.

} // namespace questlog::limits
