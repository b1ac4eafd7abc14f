#pragma once

#include "base/strong.h"
#include "io/env.h"

#include <memory>
#include <optional>
#include <string>

/// What a partition that is not synced at each commit keeps beside its durable end, in files of one word each
/// (docs/formats/log.md).
namespace questlog::log {

[[nodiscard]] std::string synced_end_file(const std::string& directory);

/// Up to where the partition is certainly on disk. nullopt: it is synced at each commit, and all that readers see is.
Result<std::optional<Offset>> read_synced_end(io::Files& files, const std::string& directory);

/// Says durably that from `end` on the partition is not synced at each commit; before the first append that is not. The
/// word is the writer's to move.
Result<std::unique_ptr<io::SharedWord>> mark_synced_end(io::Files& files, const std::string& directory, Offset end);

/// Says durably that the partition is synced at each commit, from the next one on. It is synced now.
Status remove_synced_end(io::Files& files, const std::string& directory);

[[nodiscard]] std::string lost_events_file(const std::string& directory);

/// How many acknowledged events recoveries found missing, over the partition's life. `corrupt`: no one can tell any
/// more.
Result<std::int64_t> read_lost_events(io::Files& files, const std::string& directory);
Status add_lost_events(io::Files& files, const std::string& directory, std::int64_t events);

} // namespace questlog::log
