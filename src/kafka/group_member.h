#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "kafka/settings.h"

#include <memory>
#include <string>

namespace questlog::kafka {

/// Membership in a consumer group of Kafka's: processes that do the same work on a topic share its partitions by it.
/// When one ends, or is not heard of for ten seconds, the others get its partitions. Two may have the same one for a
/// moment, so what they do must bear that. Any thread.
class GroupMember {
public:
    /// Joins in the background; until then no partition is its own.
    static Result<std::unique_ptr<GroupMember>> join(const ClientSettings& settings, const std::string& group,
                                                     const std::string& topic);
    virtual ~GroupMember() = default; ///< Leaves the group.

    [[nodiscard]] virtual bool has(Partition partition) = 0;
    /// So far the group is with the partition: for Kafka's own tools, which tell a group's lag. Nothing here reads it.
    virtual void tell(Partition partition, Offset end) = 0;
};

} // namespace questlog::kafka
