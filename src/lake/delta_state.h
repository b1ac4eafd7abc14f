#pragma once

#include "duck/duck.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
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
    std::string path; ///< In the table's folder: "date=2026-11-25/part-....parquet".
    std::string date; ///< Of the partition.
    std::int64_t bytes = 0;
    std::int64_t modified_ms = 0;
    std::int64_t rows = 0;
    std::string stats; ///< JSON: numRecords, minValues, maxValues. Empty: none.
    auto operator<=>(const DeltaFile&) const = default;
};

/// A file that is no longer of the table, though readers of older versions may still want it: a `remove`.
struct DeltaTombstone {
    std::string path;
    std::int64_t deleted_ms = 0;
    auto operator<=>(const DeltaTombstone&) const = default;
};

/// A `metaData`.
struct DeltaMetadata {
    std::string id; ///< UUID; stays for the table's life.
    std::string name;
    std::vector<DeltaColumn> columns; ///< Without the partition column.
    std::map<std::string, std::string> configuration;
    std::int64_t created_ms = 0;
    auto operator<=>(const DeltaMetadata&) const = default;
};

struct DeltaState {
    std::int64_t version = -1; ///< -1: there is no table yet.
    DeltaMetadata metadata;
    std::map<std::string, std::int64_t, std::less<>> transactions; ///< `txn`: version by appId.
    std::vector<DeltaFile> files;                                  ///< In the order of their commits.
    std::vector<DeltaTombstone> tombstones;
    auto operator<=>(const DeltaState&) const = default;
};

/// What one commit changes.
struct DeltaCommit {
    std::string operation;                 ///< For people: "WRITE".
    std::optional<DeltaMetadata> metadata; ///< Of the first commit, and where columns or configuration change. Its id
                                           ///< and created_ms are seen to by DeltaLog.
    std::vector<DeltaFile> add;
    std::vector<std::string> remove; ///< Paths.
    std::map<std::string, std::int64_t> transactions;
};

} // namespace questlog::lake
