#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "duck/duck.h"
#include "event/schema.h"
#include "io/env.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Snapshot tables: one generation of uniquely named Parquet files, replaced as a whole. docs/formats/snapshot.md.
namespace questlog::lake {

struct LandedRange {
    std::int32_t partition = 0;
    Offset from;
    Offset to; ///< One past the last offset that was looked at.
};

/// What a generation says of itself, in its Parquet footer (key "questlog.snapshot").
struct SnapshotFacts {
    std::string log_id;
    std::string topic;
    std::string declaration;            ///< scan::TableDeclaration::digest()
    std::vector<LandedRange> ranges;
    event::Schema schema;               ///< Of the table's columns (by column name), so that a tail can be widened to it.
    std::int64_t rows = 0;              ///< Landed.
    std::int64_t filtered = 0;          ///< Events of the range that are not of the table.
    std::int64_t dead_lettered = 0;     ///< Events of the range that are no events.
};

/// One generation, opened: its files stay readable, also after a newer one replaced it, while this lives.
struct Snapshot {
    SnapshotFacts facts;
    std::vector<std::string> files;     ///< Paths to give to read_parquet, in order; explicit, never a glob.
    std::vector<std::string> names;     ///< The files' names in the table's folder.
    std::int64_t bytes = 0;
    std::vector<std::shared_ptr<io::File>> open_files;
};

/// The lake root and the snapshot tables under it. Any thread; writers of one table exclude each other by its lock.
class SnapshotStore {
public:
    SnapshotStore(io::Env env, std::string root, std::shared_ptr<duck::Database> database);

    /// The present generation; nullopt where the table was never landed. `corrupt` names a damaged file.
    Result<std::optional<Snapshot>> open(const std::string& path);

    /// Writes the result of `select` on `connection` as the table's new generation and swaps it in: durable and complete
    /// when this returns; before, readers see the old one, whole. facts.rows is filled in from the rows written.
    Result<SnapshotFacts> overwrite(const std::string& path, duck::Connection& connection, const std::string& select,
                                    SnapshotFacts facts);

    [[nodiscard]] const std::string& root() const { return root_; }

private:
    io::Env env_;
    std::string root_;
    std::shared_ptr<duck::Database> database_;
};

} // namespace questlog::lake
