#pragma once

#include "base/result.h"
#include "duck/duck.h"
#include "io/env.h"

#include <string>
#include <vector>

/// What is different between Parquet files that should be alike.
namespace questlog::batch {

Result<bool> same_bytes(io::File& one, io::File& other);

/// Where the rows of `landed`, files in order, and of `again` differ first, as a clause; empty: nowhere. Paths are
/// DuckDB's.
Result<std::string> first_difference(duck::Connection& connection, const std::vector<std::string>& landed,
                                     const std::string& again);

} // namespace questlog::batch
