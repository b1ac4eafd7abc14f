#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "query/session.h"
#include "query/spark_text.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace questlog::query {

/// Up to `limit` rows as Spark prints values: true, 12, 1.0E10, 2026-11-22 21:58:53.873 (UTC), texts as they are. For
/// boolean, bigint, double, string and timestamp columns; give show() one row more than it is to print, so that it can
/// tell that there is more.
Result<TextTable> to_text(duck::Rows& rows, std::size_t limit);

/// For print_schema(): the columns of a result, or of a scan::Relation.
[[nodiscard]] std::vector<SchemaColumn> spark_schema(const std::vector<duck::ResultColumn>& columns);
[[nodiscard]] std::vector<SchemaColumn>
spark_schema(const std::vector<std::pair<std::string, duck::ValueType>>& columns);

/// `questlog show TABLE`: the first rows of a table or of `events`. `reject` names the tables there are.
Result<std::string> show_table(Session& session, const std::string& table, const ShowOptions& options);
/// `questlog schema TABLE`.
Result<std::string> schema_table(Session& session, const std::string& table);

} // namespace questlog::query
