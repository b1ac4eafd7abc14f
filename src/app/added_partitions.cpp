#include "app/added_partitions.h"

namespace questlog::app {
namespace {

constexpr std::chrono::seconds partitions_look{5};

} // namespace

Result<bool> AddedPartitions::look(log::TopicSource& topics, const log::Topic& known) {
    if (!context_.config.kafka.enabled()) return false;
    const auto now = context_.env.clock.monotonic();
    if (!looked_at_) looked_at_ = now; // it was opened in this moment
    if (now - *looked_at_ < partitions_look) return false;
    looked_at_ = now;
    TRY(topic, topics.find(known.name));
    if (topic.partitions <= known.partitions) return false;
    looked_at_.reset();
    return true;
}

} // namespace questlog::app
