#pragma once

#include "base/result.h"
#include "io/env.h"

#include <set>
#include <string>
#include <vector>

/// Which logs a lake has landed events of, and that no event is landed from two of them: an embedded log and the topic
/// in Kafka that it is forwarded to have the same events. docs/formats/lake.md.
namespace questlog::lake {

struct LandedLog {
    std::string id;
    std::set<std::string> origins; ///< Books::origins, of all its partitions.
    bool operator==(const LandedLog&) const = default;
};

/// Those of which something is landed, or may be, but for the log of `id`; sorted. One whose records do not read is
/// among them, without origins.
Result<std::vector<LandedLog>> other_landed_logs(io::Env env, const std::string& lake_root, const std::string& id);

/// Whether the log of `id`, whose records have been forwarded from `origins`, may be landed where the others were.
/// `corrupt` where one of them has the same events, or some of the same; says what to do.
Status check_landed_once(const std::string& id, const std::set<std::string>& origins,
                         const std::vector<LandedLog>& others);

} // namespace questlog::lake
