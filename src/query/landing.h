#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "event/schema.h"
#include "lake/snapshot.h"
#include "log/event_log.h"
#include "scan/plan.h"
#include "scan/table.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// What a table's landed files are worth beside the log as it is now. Pure. docs/decisions/0006-query-consistency.md.
namespace questlog::query {

enum class LandedState : std::uint8_t {
    never,               ///< There are no files.
    landed,              ///< The files are the table up to their offsets; the log after these is the rest.
    declaration_changed, ///< The files follow another declaration: not used.
    other_log,           ///< The files come from a log of another identity (a topic made anew): not used.
};

[[nodiscard]] LandedState landed_state(const scan::TableDeclaration& table, const lake::Snapshot* snapshot,
                                       const log::Topic& topic);

/// What of `log` lies after the landed ranges: from each partition's landed end, all of a partition that was not
/// landed. `corrupt` where more was landed than the log holds.
Result<scan::LogRange> after_landed(const scan::LogRange& log, const std::vector<lake::LandedRange>& landed);

/// What the log no longer has and the landed ranges never had: of each partition all below its start that was not
/// landed, in up to two pieces.
[[nodiscard]] scan::LogRange expired_before_landing(const scan::LogRange& log,
                                                    const std::vector<lake::LandedRange>& landed);

[[nodiscard]] std::int64_t events_of(const scan::LogRange& range); ///< By offsets.

/// Whether the log still has all that was landed: else the table cannot be made anew from it as it was.
[[nodiscard]] bool reaches_back(const scan::LogRange& log, const std::vector<lake::LandedRange>& landed);

/// One column of landed rows and tail rows together. A side without the column has NULL there.
struct UnionColumn {
    std::string name;
    event::ColumnType type = event::ColumnType::null; ///< The wider one: both sides are cast to it.
    bool landed = false;                              ///< The files have it.
    bool tail = false;                                ///< The tail has it.
};

/// Landed and tail columns as one table, bytewise by name; or why the two cannot be one table, as a clause ("column x
/// ..."): the whole log's own types would give other values than the files have. `read` are the columns that the
/// declaration's expressions read.
struct UnionColumns {
    std::vector<UnionColumn> columns;
    std::string obstacle; ///< Empty: none.
};
[[nodiscard]] UnionColumns unite(const event::Schema& landed, const event::Schema& tail,
                                 const std::vector<std::string>& read);

/// Every column that `set` and `where` read.
[[nodiscard]] std::vector<std::string> columns_read(const scan::TableDeclaration& table);

} // namespace questlog::query
