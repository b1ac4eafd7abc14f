#pragma once

#include "base/result.h"
#include "event/json_node.h"
#include "lake/delta_state.h"

#include <string>
#include <string_view>

/// Delta's actions as lines of JSON, which is what a commit consists of. For the .cpp files of lake/ alone.
namespace questlog::lake {

/// Readers that know nothing beyond the first version of the protocol can read what is written here.
inline constexpr int delta_reader_version = 1;
inline constexpr int delta_writer_version = 2;
/// How long a checkpoint remembers files that were removed: the protocol's default.
inline constexpr std::int64_t tombstone_ms = std::int64_t{7} * 24 * 60 * 60 * 1000;

/// The commit's lines. `now_ms` is its time.
[[nodiscard]] std::string encode_commit(const DeltaCommit& commit, std::int64_t now_ms);
/// The lines of a checkpoint, which is the whole state; tombstones only where they are young enough.
[[nodiscard]] std::string encode_checkpoint(const DeltaState& state, std::int64_t now_ms);

/// What one action, `{"add": {...}}`, does to the state; what is not known is passed over. A `remove` only leaves its
/// tombstone: see drop_removed(). `reject` where it takes another program to read or write the table; `corrupt` where
/// it is no action. `table` is for the message.
Status apply_action(const event::JsonNode& action, const std::string& table, DeltaState& state);
/// Takes the files of all tombstones from number `first` on out of the state.
void drop_removed(DeltaState& state, std::size_t first);

/// What `commit` does to the state, as apply_action() of its lines would.
void apply_commit(const DeltaCommit& commit, std::int64_t now_ms, DeltaState& state);

} // namespace questlog::lake
