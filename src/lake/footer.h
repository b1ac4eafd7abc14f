#pragma once

#include "duck/duck.h"
#include "lake/snapshot.h"

#include <optional>
#include <string>

/// A generation's facts in the footer of its Parquet file, written by COPY and read back through DuckDB.
/// docs/formats/snapshot.md.
namespace questlog::lake {

/// The facts as the JSON text that stands in the footer. `columns` are those of the file. Without rows and filtered,
/// which follow from the file itself: the footer is written by the statement that counts them. One set of facts has one
/// text, so a reader checks that it understood a text by writing it anew.
[[nodiscard]] std::string facts_text(const SnapshotFacts& facts, const std::vector<duck::ResultColumn>& columns);

/// COPY's option that puts `text` and its checksum into the footer.
[[nodiscard]] std::string footer_option(const std::string& text);

/// Reads and checks the footer of the Parquet file at `path`, a path that DuckDB can open: the facts against their
/// checksum, the columns against the facts, the row count against the row groups. nullopt: a Parquet file without
/// facts, so not ours. `corrupt`: damaged, without the file's name, which the caller knows.
Result<std::optional<SnapshotFacts>> read_footer(duck::Connection& connection, const std::string& path);

} // namespace questlog::lake
