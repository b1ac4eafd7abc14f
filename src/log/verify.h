#pragma once

#include "log/event_log.h"

#include <functional>
#include <optional>
#include <string>

namespace questlog::log {

/// One thing that is not as it must be.
struct LogFault {
    Partition partition;
    std::string path;
    std::optional<std::int64_t> byte; ///< Where in the file; nullopt: the file as a whole.
    std::int64_t bytes = 0;           ///< How many are damaged.
    Offset from;                      ///< Offsets [from, to) cannot be read.
    Offset to;
    std::string what;
};

struct VerifyReport {
    std::int64_t partitions = 0;
    std::int64_t segments = 0;
    std::int64_t batches = 0;
    std::int64_t events = 0;
    std::int64_t bytes = 0; ///< Of the segments' data.
    std::int64_t faults = 0;
    std::int64_t lost = 0;     ///< Events that cannot be read because of the faults.
    std::int64_t given_up = 0; ///< Offsets that earlier repairs gave up: no fault.
    std::int64_t expired = 0;  ///< Offsets that retention has removed: no fault either.
};

struct VerifyOptions {
    std::optional<Partition> partition; ///< Only this one.
    std::function<void(const LogFault& fault)> on_fault;
    std::function<void(const std::string& note)> on_note; ///< What is worth knowing and no fault.
    std::function<void(std::int64_t done_bytes, std::int64_t total_bytes)> on_progress;
};

/// Reads every byte of the topic's log and checks it: CRCs, offsets, records, the durable end, indexes and the record
/// of holes against the data. Changes nothing, recovers nothing, takes no lock. Beside a live writer it reads up to the
/// durable end. An error: it could not look; what it found is in the report.
Result<VerifyReport> verify(io::Env env, const Topics& topics, const Topic& topic, const VerifyOptions& options);

/// `reject` where the topic has no such partition.
Status check_partition(const Topic& topic, std::optional<Partition> partition);

} // namespace questlog::log
