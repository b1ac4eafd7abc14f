#pragma once

#include "duck/duck.h"
#include "lake/snapshot.h"

#include <optional>
#include <string>
#include <vector>

/// A generation's facts in the footer of its Parquet file, written by COPY and read back through DuckDB.
/// docs/formats/snapshot.md.
namespace questlog::lake {

/// COPY's option that puts `text` and its checksum into the footer.
[[nodiscard]] std::string footer_option(const std::string& text);

/// Reads and checks the footer of the Parquet file at `path`, a path that DuckDB can open: the facts against their
/// checksum, the columns against the facts, the row count against the row groups. nullopt: a Parquet file without
/// facts, so not ours. `corrupt`: damaged, without the file's name, which the caller knows.
Result<std::optional<SnapshotFacts>> read_footer(duck::Connection& connection, const std::string& path);

/// Of a Parquet file without facts of its own: what another engine wrote.
struct PlainFooter {
    std::int64_t rows = 0;
    std::vector<duck::ResultColumn> columns;
};
/// `corrupt`: damaged, without the file's name.
Result<PlainFooter> read_plain_footer(duck::Connection& connection, const std::string& path);

} // namespace questlog::lake
