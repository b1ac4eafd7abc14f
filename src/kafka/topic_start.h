#pragma once

#include "kafka/checkpoint.h"
#include "kafka/client.h"
#include "kafka/forwarding_setup.h"
#include "log/event_log.h"

#include <functional>
#include <string>
#include <vector>

/// Where a topic's forwarding begins: what is asked of the topic before anything is sent to it.
namespace questlog::kafka {

/// A partition of the topic as it was found.
struct Found {
    Offset next;                 ///< The first event that may be missing.
    std::optional<Arrived> last; ///< nullopt: no event is known there.
    std::int64_t topic_end = 0;  ///< Kafka's offset of what comes next.
};

/// Makes the topic where it is missing. `reject` where it has too few partitions, or is missing although the checkpoint
/// says what it holds.
Status ensure_topic(Client& consumer, const ForwardedTopic& topic, const std::optional<Checkpoint>& checkpoint,
                    const std::function<bool()>& stop);

/// Reads the partition from where the checkpoint says, or from its beginning, to its end. `reject` where it is not the
/// one of the checkpoint, begins in mid-log, or holds events that the log does not have. `retry_later` also where
/// `stop` said so.
Result<Found> find_end(const Client& consumer, const ForwardedTopic& topic, log::PartitionReader& reader,
                       const std::optional<Arrived>& checkpoint, const std::function<bool()>& stop);

} // namespace questlog::kafka
