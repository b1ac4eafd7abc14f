#pragma once

#include "lake/delta_state.h"

#include <string>
#include <string_view>

/// Delta's actions as lines of JSON, which is what a commit consists of: writing them. For the .cpp files of lake/
/// alone; reading: delta_replay.h.
namespace questlog::lake {

/// Readers that know nothing beyond the first version of the protocol can read what is written here.
inline constexpr int delta_reader_version = 1;
inline constexpr int delta_writer_version = 2;
/// What we write begins its engineInfo with this, and is synced before it has a name.
inline constexpr std::string_view engine_prefix = "questlog/";

/// The commit's lines. `now_ms` is its time.
[[nodiscard]] std::string encode_commit(const DeltaCommit& commit, std::int64_t now_ms);
/// The lines of a checkpoint, which is the whole state; tombstones from `tombstones_from_ms` on.
[[nodiscard]] std::string encode_checkpoint(const DeltaState& state, std::int64_t tombstones_from_ms);

/// What `commit` does to the state, as reading its lines would. Work by what the commit holds, and by the table's
/// files only where it removes some.
void apply_commit(const DeltaCommit& commit, std::int64_t now_ms, DeltaState& state);

/// The schema of a table in Delta's words: these columns, then the partition column. A column of `before` (the same, as
/// another program has written it; may be empty) stays as it is there, comments and all, and so do their places.
[[nodiscard]] std::string schema_text(const std::vector<DeltaColumn>& columns, std::string_view before);

/// A file's path as the protocol has it: a URI.
[[nodiscard]] std::string encode_path(std::string_view path);

} // namespace questlog::lake
