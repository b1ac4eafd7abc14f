#pragma once

#include "log/event_log.h"
#include "log/recovery.h"

#include <memory>
#include <string>
#include <string_view>

namespace questlog::log {

struct InspectedPartition {
    Partition partition;
    std::string directory;
    Offset start; ///< What is below it has expired.
    Offset durable_end;
    RecoveryBound bound; ///< What must be there.
    bool closed = false;
    bool writer_alive = false;
    std::size_t segments = 0;
};

struct InspectedSegment {
    std::string path;
    Offset base;
    std::int64_t bytes = 0;
};

struct InspectedBatch {
    BatchHeader header;
    std::int64_t position = 0;
    bool durable = false; ///< Below the durable end.
};

struct InspectedFault {
    std::string path;
    std::int64_t position = 0;
    Offset offset;       ///< The offset that should stand there.
    bool damage = false; ///< False: a torn batch that was never acknowledged.
    std::string what;
    std::int64_t next_batch = -1; ///< Where a valid batch follows; -1: nowhere in this file.
};

/// How `log inspect` words what it found: one line for each thing.
class InspectLines {
public:
    virtual ~InspectLines() = default;
    [[nodiscard]] virtual std::string topic(const Topic& topic) const = 0;
    [[nodiscard]] virtual std::string partition(const InspectedPartition& partition) const = 0;
    [[nodiscard]] virtual std::string segment(const InspectedSegment& segment) const = 0;
    [[nodiscard]] virtual std::string batch(const InspectedBatch& batch) const = 0;
    [[nodiscard]] virtual std::string record(const Record& record) const = 0;
    [[nodiscard]] virtual std::string fault(const InspectedFault& fault) const = 0;
};

[[nodiscard]] std::unique_ptr<InspectLines> make_text_lines();
[[nodiscard]] std::unique_ptr<InspectLines> make_json_lines();

} // namespace questlog::log
