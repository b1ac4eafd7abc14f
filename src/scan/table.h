#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "event/schema.h"
#include "scan/expression.h"

#include <optional>
#include <string>
#include <vector>

namespace questlog::scan {

struct SetColumn {
    std::string column;
    Expression expression;
};

/// A snapshot table as a job declares it: which events, munged how, filtered by what.
struct TableDeclaration {
    std::string name; ///< SQL name: the last part of `path`, or the job's name where nothing is written.
    std::string path; ///< Under the lake root, e.g. "tmp/sword_purchases". Empty: nothing is written.
    std::string topic;
    std::vector<SetColumn> set;      ///< Applied first, all at once, to the columns as they are in the events.
    std::optional<Expression> where; ///< Applied after `set`: it sees the new values.
    event::Schema declared;          ///< What the catalogue says of its events: the columns while there are none yet.

    /// Hex digest of all that decides the table's content (topic, set, where, and the version of their meaning).
    [[nodiscard]] std::string digest() const;
    /// The event types whose events can be in the table; nullopt: any.
    [[nodiscard]] std::optional<std::vector<std::string>> event_types() const;
};

/// A half-open range of one partition.
struct PartitionRange {
    Partition partition;
    Offset from;
    Offset to;
};
using LogRange = std::vector<PartitionRange>; ///< One per partition, in order of partition.

} // namespace questlog::scan
