#include "lake/landed_logs.h"

#include "base/checked_text.h"
#include "lake/landing_records.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::lake {
namespace {

/// False: nothing of the partition can be in a table yet. A cut may be in some before the books have it.
Result<bool> add_partition(const LandingRecords& records, LandedLog& log) {
    auto books = records.books();
    if (!books.ok()) {
        if (books.error().kind != ErrorKind::corrupt) return books.error();
        return true;
    }
    if (!*books) {
        const auto cuts = records.cuts();
        if (!cuts.ok() && cuts.error().kind != ErrorKind::corrupt) return cuts.error();
        return !cuts.ok() || !cuts->empty();
    }
    log.origins.insert((*books)->origins.begin(), (*books)->origins.end());
    if ((*books)->records > 0) return true;
    const auto next = records.cut_at((*books)->landed_to);
    if (!next.ok() && next.error().kind != ErrorKind::corrupt) return next.error();
    return !next.ok() || *next;
}

Error landed_already(std::string_view from) {
    return corrupt("the lake has events of this log already, landed from {}: landed from here, too, they would be in "
                   "the tables twice. Move the lake's folder away, and all that this log has is landed anew (the "
                   "old folder stays readable as files), or name another folder: lake = \"...\"",
                   from);
}

} // namespace

Result<std::vector<LandedLog>> other_landed_logs(io::Env env, const std::string& lake_root, const std::string& id) {
    std::vector<LandedLog> logs;
    const std::string folder = lake_root + "/.landing";
    TRY(present, env.files.stat(folder));
    if (present.kind == io::Kind::missing) return logs;
    TRY(entries, env.files.list(folder));
    for (const io::Entry& entry : entries) {
        if (entry.name == id || entry.kind != io::Kind::directory) continue;
        TRY(partitions, env.files.list(folder + "/" + entry.name));
        LandedLog log{entry.name, {}};
        bool is_landed = false;
        for (const io::Entry& of_log : partitions) {
            Partition partition;
            if (!parse_number(of_log.name, partition.value)) continue;
            TRY(is, add_partition(LandingRecords(env, lake_root, log.id, partition), log));
            is_landed = is_landed || is;
        }
        if (is_landed) logs.push_back(std::move(log));
    }
    std::sort(logs.begin(), logs.end(), [](const auto& one, const auto& other) { return one.id < other.id; });
    return logs;
}

Status check_landed_once(const std::string& id, const std::set<std::string>& origins,
                         const std::vector<LandedLog>& others) {
    for (const LandedLog& other : others) {
        if (origins.contains(other.id))
            return landed_already(
                fmt::format("the embedded log {}, which is forwarded to this topic in Kafka", other.id));
        if (other.origins.contains(id))
            return landed_already(fmt::format("the topic in Kafka that it was forwarded to (log {})", other.id));
        const auto shared = std::find_if(origins.begin(), origins.end(),
                                         [&](const std::string& origin) { return other.origins.contains(origin); });
        if (shared != origins.end())
            return landed_already(
                fmt::format("another topic in Kafka (log {}) that the embedded log {} was forwarded to as well",
                            other.id, *shared));
    }
    return {};
}

} // namespace questlog::lake
