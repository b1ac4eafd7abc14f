#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "io/env.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Names and small marks on disk: which file of a topic is where, and what the eight bytes of `durable_end` mean.
/// docs/formats/log.md is the whole description.
namespace questlog::log {

inline constexpr std::string_view topic_file_suffix = ".topic";
inline constexpr std::string_view segment_file_suffix = ".log";

// Bytes of a topic's lock file.
inline constexpr int writer_slot = 0;   ///< Held exclusively for as long as a writer lives.
inline constexpr int recovery_slot = 1; ///< Exclusive while recovery is under way; readers take it shared as they open.

[[nodiscard]] std::string topic_file(const std::string& log_directory, const std::string& topic);
[[nodiscard]] std::string lock_file(const std::string& log_directory, const std::string& topic);
[[nodiscard]] std::string partition_directory(const std::string& log_directory, const std::string& topic,
                                              Partition partition);
[[nodiscard]] std::string durable_end_file(const std::string& directory);
[[nodiscard]] std::string segment_file(const std::string& directory, Offset base);
/// The segment that is filled with zeros ahead of need, until it gets its name.
[[nodiscard]] std::string spare_segment_file(const std::string& directory);

/// The base offset in a segment's file name; nullopt where it is not the name of a segment.
[[nodiscard]] std::optional<Offset> segment_base_of(std::string_view file_name);

/// Base offsets of all segments in a partition's directory, ascending, those below its start (log_start.h) too.
/// `corrupt` where the directory is missing.
Result<std::vector<Offset>> find_segments(io::Files& files, const std::string& directory);

/// What `durable_end` says: every event below `offset` was synced and acknowledged, or may have been. `closed` is set
/// by a clean stop, when nothing lies above it.
struct DurableEnd {
    Offset offset;
    bool closed = false;
};
[[nodiscard]] std::uint64_t encode(DurableEnd end);
[[nodiscard]] DurableEnd decode_durable_end(std::uint64_t word);

/// What an error about damaged data ends with: nothing mends it by itself.
inline constexpr std::string_view damage_advice =
    "nothing was changed; copy the log directory aside, then restore it from a backup, or give up what is damaged with "
    "`questlog log repair`";

/// Maps the partition's word. `corrupt` where it is missing or short: without it no one can tell what was acknowledged.
Result<std::unique_ptr<io::SharedWord>> map_durable_end(io::Files& files, const std::string& directory, io::Open mode);

} // namespace questlog::log
