#pragma once

#include "app/context.h"
#include "base/result.h"
#include "log/event_log.h"

#include <chrono>
#include <optional>

namespace questlog::app {

/// Sees when partitions are added to a topic of Kafka's: then what reads it is to be opened anew. One thread.
class AddedPartitions {
public:
    explicit AddedPartitions(const Context& context) : context_(context) {}
    /// Whether it has more than `known` says. The cluster is asked every five seconds. `reject` where the topic is
    /// gone.
    Result<bool> look(log::TopicSource& topics, const log::Topic& known);

private:
    const Context& context_;
    std::optional<std::chrono::nanoseconds> looked_at_;
};

} // namespace questlog::app
