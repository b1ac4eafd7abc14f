#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// How long a Delta table remembers, by its properties. For the .cpp files of lake/ alone.
namespace questlog::lake {

/// "interval 30 days", "7 days", "interval 1 week 12 hours", in ms. nullopt: not understood.
[[nodiscard]] std::optional<std::int64_t> interval_ms(std::string_view text);

/// `delta.deletedFileRetentionDuration`, a week where it is not set: how long a checkpoint names removed files. What is
/// not understood is for ever.
[[nodiscard]] std::int64_t tombstone_retention_ms(const std::map<std::string, std::string>& configuration);
/// `delta.logRetentionDuration`, 30 days where it is not set: how old commits get that no reader of the present needs.
/// nullopt: nothing is deleted, as `delta.enableExpiredLogCleanup` may say.
[[nodiscard]] std::optional<std::int64_t> log_retention_ms(const std::map<std::string, std::string>& configuration);

} // namespace questlog::lake
