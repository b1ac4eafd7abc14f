#pragma once

#include "duck/duck.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

/// A Delta Lake table as its log tells it: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
namespace questlog::lake {

/// The partition column of all tables that are written here; a `date`.
inline constexpr std::string_view partition_column = "date";

/// boolean, bigint (Delta's long), double_ (double), varchar (string), blob (binary), timestamp_tz (timestamp), all
/// nullable; `other`: a type of another writer's.
struct DeltaColumn {
    std::string name;
    duck::ValueType type = duck::ValueType::varchar;
    auto operator<=>(const DeltaColumn&) const = default;
};

/// A file of the table: an `add`.
struct DeltaFile {
    std::string path; ///< In the table's folder: "date=2026-11-25/part-....parquet". Another writer's may be absolute.
    std::string date; ///< Of the partition; empty: null.
    std::int64_t bytes = 0;
    std::int64_t modified_ms = 0;
    std::int64_t rows = 0; ///< By its statistics; 0 where it has none.
    std::string stats;     ///< JSON: numRecords, minValues, maxValues, nullCount. Empty: none.
    auto operator<=>(const DeltaFile&) const = default;
};

/// A `metaData`.
struct DeltaMetadata {
    std::string id; ///< UUID; stays for the table's life.
    std::string name;
    std::vector<DeltaColumn> columns; ///< Without the partition column, which is the last of a new table.
    std::map<std::string, std::string> configuration;
    std::int64_t created_ms = 0;
    // What another program may have added. DeltaLog sees to it that nothing of it is lost.
    std::string description = {};
    std::string schema = {};     ///< The columns in the log's own words. Empty: in ours.
    std::string unwritable = {}; ///< Why we may not commit to the table, as a sentence. Empty: we may.
    auto operator<=>(const DeltaMetadata&) const = default;
};

struct DeltaState {
    std::int64_t version = -1; ///< -1: there is no table yet.
    DeltaMetadata metadata;
    std::map<std::string, std::int64_t, std::less<>> transactions; ///< `txn`: version by appId.
    std::vector<DeltaFile> files; ///< In the order of their commits; without the first `files_let_go`.
    /// Files that are no longer of the table, though readers of older versions may still want them: when each was
    /// removed (ms), by path.
    std::map<std::string, std::int64_t, std::less<>> tombstones;
    std::int64_t files_let_go = 0; ///< 0: nothing is left out.

    // What this process knows of the log beside the table's state; DeltaLog's own.
    std::int64_t durable_version = -1;  ///< Commits up to here are known to survive a power cut.
    std::vector<std::int64_t> unsynced; ///< Of those after it, the ones of programs that may not have synced them.

    /// Forgets what grows with the table: its files, and its tombstones. For who appends to it, and knows of the files
    /// what it needs; DeltaLog reads them again where it takes all of them.
    void let_go_of_files() {
        files_let_go += static_cast<std::int64_t>(files.size());
        files = {};
        tombstones.clear();
    }

    /// Whether both say the same of the table.
    friend bool operator==(const DeltaState& one, const DeltaState& other) {
        const auto content = [](const DeltaState& state) {
            return std::tie(state.version, state.metadata, state.transactions, state.files, state.tombstones,
                            state.files_let_go);
        };
        return content(one) == content(other);
    }
};

/// A commit that changed the table's columns, or made them.
struct DeltaSchemaChange {
    std::int64_t version = 0;
    std::int64_t committed_ms = 0;    ///< By its commitInfo; 0: it tells none.
    std::vector<DeltaColumn> columns; ///< All, from then on; without the partition column.
};

/// What one commit changes.
struct DeltaCommit {
    std::string operation; ///< For people: "WRITE".
    /// Of the first commit, and where columns or configuration change: both as they are to be from then on, all of
    /// them. The rest is seen to by DeltaLog.
    std::optional<DeltaMetadata> metadata;
    std::vector<DeltaFile> add;      ///< None of them is in the table.
    std::vector<std::string> remove; ///< Paths.
    std::map<std::string, std::int64_t> transactions;
};

} // namespace questlog::lake
