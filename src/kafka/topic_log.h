#pragma once

#include "base/limits.h"
#include "io/env.h"
#include "kafka/settings.h"
#include "log/event_log.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace questlog::kafka {

/// What readers of a cluster are given.
struct ReaderOptions {
    ClientSettings client;
    std::string directory; ///< Where files of this node's lie: DIR/kafka.
    /// Those that list() and names() tell of: others of the cluster are none of our business.
    std::vector<std::string> topics;
    /// The collector's own log, whose events are read, too, where Kafka does not have them yet, after those that it
    /// has. Null: they are not.
    std::shared_ptr<log::TopicSource> embedded{};
    /// Once, as they lie: also what is there for the second time. Nothing is kept to be read again by its address, and
    /// nothing is learnt of origins, so that a reader that begins anywhere reads no more than it is asked for.
    bool as_they_lie = false;
    /// Records have their headers, by which events that came twice are known. Without it, and as they lie, none is
    /// asked for: librdkafka makes a list of them for each record.
    bool with_headers = true;
    /// Ends what is being read with `retry_later` once it is true: a pass over a topic may take long. Empty: nothing
    /// does.
    std::function<bool()> stop{};
    std::int64_t cache_bytes_max = limits::kafka_cache_bytes_max; ///< Of each partition, on disk, while it is read.
};

/// The topics of a Kafka cluster, read as the embedded log is. Offsets are Kafka's; those of events that are not there
/// yet are what they will be if no one else writes to the partition before. An event that is in the topic twice,
/// because its forwarder had to send it again, is read once (origin.h). `retry_later` where the cluster does not
/// answer.
///
/// A reader's ends stand where they were when first asked for if it reads the embedded log, too.
Result<std::unique_ptr<log::TopicSource>> open_topics(io::Env env, ReaderOptions options);
/// The same topics on the same connection, read with the collector's log. `topics` is of open_topics().
Result<std::unique_ptr<log::TopicSource>> with_embedded(const log::TopicSource& topics,
                                                        std::unique_ptr<log::TopicSource> embedded);

/// By partition of an embedded log: up to where its events are in the topic below `ends`, which are those of the
/// topic's partitions, or of the first ones of them. `reader` is of open_topics().
Result<std::vector<Offset>> arrived_below(log::LogReader& reader, const std::vector<Offset>& ends,
                                          const log::Topic& embedded);

} // namespace questlog::kafka
