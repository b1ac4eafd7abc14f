#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "io/env.h"
#include "lake/delta_state.h"

#include <optional>
#include <string>

namespace questlog::lake {

/// The log of one Delta Lake table: `FOLDER/_delta_log/`. Reader version 1, writer version 2 of the protocol. Any
/// number of writers and readers at a time, ours and others', also from several processes. One thread.
class DeltaLog {
public:
    /// `staging` is a folder on the same file system, for files that have no name yet; made when it is needed.
    DeltaLog(io::Env env, std::string folder, std::string staging);

    /// The present state: the latest checkpoint that reads, and the commits after it. nullopt: there is no table.
    /// `corrupt` where commits are missing or damaged, naming the file; `reject` for a table that takes a newer version
    /// of the protocol.
    Result<std::optional<DeltaState>> open(duck::Connection& connection) const;
    /// Adds what was committed since the state's version. The same errors.
    Status refresh(DeltaState& state) const;

    /// Commits `commit` as the version after the state's: durable, and in the state, where true. False: that version is
    /// taken, by a commit that the state does not know; nothing was done. After an error it may have been committed.
    Result<bool> commit(DeltaState& state, DeltaCommit commit) const;

    /// Whether a version is one to be checkpointed: every hundredth.
    [[nodiscard]] static bool due(std::int64_t version) {
        return version > 0 && version % versions_per_checkpoint == 0;
    }
    /// Writes the state as a checkpoint of its version, durably, so that open() reads no commit before it. The commits
    /// stay. `scratch_file`: where COPY may write first (io::Files::scratch_directory).
    Status checkpoint(duck::Connection& connection, const DeltaState& state, const std::string& scratch_file) const;

    static constexpr std::int64_t versions_per_checkpoint = 100;

private:
    [[nodiscard]] std::string path_of(std::int64_t version, std::string_view suffix) const;
    Status read_commit(std::int64_t version, DeltaState& state) const;
    Status read_checkpoint(duck::Connection& connection, const std::string& path, DeltaState& state) const;
    Result<std::string> temporary() const;

    io::Env env_;
    std::string table_; ///< The table's folder.
    std::string folder_;
    std::string staging_;
};

} // namespace questlog::lake
