#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "io/env.h"
#include "lake/delta_state.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// docs/formats/lake.md, "The Delta log".
namespace questlog::lake {

/// The log of one Delta Lake table: `FOLDER/_delta_log/`. Reader version 1, writer version 2 of the protocol. Any
/// number of writers and readers at a time, ours and others', also from several processes. One thread.
class DeltaLog {
public:
    /// `staging` is a folder on the same file system, for files that have no name yet; made when it is needed.
    DeltaLog(io::Env env, std::string folder, std::string staging);

    /// The present state: by the checkpoint that `_last_checkpoint` names and the commits after it, which costs nothing
    /// for what was before; where that does not lead to the end, by what the folder lists: the newest checkpoint that
    /// reads, or none. nullopt: there is no table.
    /// `corrupt` where commits are missing or damaged, naming the file; `reject` for a table that takes a newer version
    /// of the protocol, or is partitioned otherwise than ours.
    Result<std::optional<DeltaState>> open(duck::Connection& connection) const;
    /// Adds what was committed since the state's version, reading that alone. Where the log no longer has it, because
    /// the state is older than what is kept, or the table another one, or where it takes the files that the state let
    /// go of to tell what another program has made of them: as open(). The same errors, with the state as it was.
    Status refresh(duck::Connection& connection, DeltaState& state) const;

    /// Commits `commit` as the version after the state's: durable, and in the state, where true; the files that it adds
    /// were durable before. False: that version is taken, by a commit that the state does not know; nothing was done:
    /// refresh, and decide anew. `reject` where another program has made of the table what we may not write to. After
    /// any other error it may have been committed, and the state does not know: refresh and look.
    /// The work does not grow with the table, but for a commit that removes files, which takes a state that has them
    /// all.
    Result<bool> commit(DeltaState& state, DeltaCommit commit) const;

    /// How the columns came to be what they are, by the commits that are still there, in order. Reads them all.
    Result<std::vector<DeltaSchemaChange>> history() const;

    /// Whether a version is one to be checkpointed: every hundredth.
    [[nodiscard]] static bool due(std::int64_t version) {
        return version > 0 && version % versions_per_checkpoint == 0;
    }
    /// Writes the state, with the files that it let go of, as a checkpoint of its version and names it in
    /// `_last_checkpoint`, durably, so that open() reads no commit before it. An older one stays what it was whatever
    /// fails. Then deletes the commits and checkpoints that no reader needs (`delta.logRetentionDuration`, 30 days);
    /// what cannot be deleted now is later. `scratch_file`: where COPY may write first (io::Files::scratch_directory).
    Status checkpoint(duck::Connection& connection, const DeltaState& state, const std::string& scratch_file) const;

    static constexpr std::int64_t versions_per_checkpoint = 100;

private:
    /// Versions that the folder lists, ascending.
    struct Versions {
        std::vector<std::int64_t> commits;
        std::vector<std::int64_t> checkpoints;
    };

    [[nodiscard]] std::string path_of(std::int64_t version, std::string_view suffix) const;
    Result<bool> is_there(std::int64_t version, std::string_view suffix) const;
    Result<bool> keeps(std::int64_t version) const;
    Result<Versions> versions() const;
    Result<std::string> temporary() const;
    Status replace_durably(const std::string& path, std::string_view bytes) const;

    [[nodiscard]] std::optional<std::int64_t> hinted_checkpoint() const;
    Result<std::optional<DeltaState>> open_up_to(std::int64_t last, duck::Connection& connection) const;
    Result<DeltaState> open_by_hint(std::int64_t version, std::int64_t last, duck::Connection& connection) const;
    Result<std::optional<DeltaState>> open_by_listing(std::int64_t last, duck::Connection& connection) const;
    Status add_commit(std::int64_t version, class DeltaReplay& replay) const;
    Status add_later_commits(std::int64_t last, class DeltaReplay& replay) const;
    Result<DeltaState> read_checkpoint(duck::Connection& connection, std::int64_t version) const;

    Status complete(DeltaMetadata& metadata, const DeltaMetadata& before) const;
    Status make_durable(const DeltaState& state) const;
    /// What a checkpoint has.
    struct Copied {
        std::int64_t actions = 0;
        std::int64_t files = 0; ///< Of them, `add`s.
    };
    Result<Copied> copy_let_go(duck::Connection& connection, const DeltaState& state, std::int64_t tombstones_from_ms,
                               const std::string& scratch_file) const;
    Result<Copied> copy_after_older(duck::Connection& connection, const DeltaState& state,
                                    std::int64_t tombstones_from_ms, const std::string& scratch_file) const;
    Result<Copied> copy_checkpoint(duck::Connection& connection, const std::string& lines, const std::string& older,
                                   const std::string& scratch_file) const;
    Status clean(const DeltaState& state) const;

    io::Env env_;
    std::string table_; ///< The table's folder.
    std::string folder_;
    std::string staging_;
};

inline constexpr std::string_view commit_suffix = ".json";
inline constexpr std::string_view checkpoint_suffix = ".checkpoint.parquet";
inline constexpr std::string_view last_checkpoint_name = "_last_checkpoint";

} // namespace questlog::lake
