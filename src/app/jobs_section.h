#pragma once

#include "app/toml_table.h"
#include "batch/job.h"

#include <string>
#include <vector>

namespace questlog::app {

/// Reads one [[job]] of questlog.toml. `default_topic` is read by a job that names none.
Result<batch::Job> parse_job(TomlTable& table, const std::string& default_topic);

/// Whether the tables of all jobs go together: each written one has a name of its own in SQL, letters' case apart, and
/// none lies in another's folder. `reject` at file:line:column.
Status check_tables(const std::vector<batch::Job>& jobs);

} // namespace questlog::app
