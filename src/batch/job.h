#pragma once

#include "scan/table.h"

#include <string>
#include <vector>

namespace questlog::batch {

/// One table of a job: what is printed of it and where it goes.
struct JobOutput {
    scan::TableDeclaration table;
    bool show = true;          ///< Print its first rows.
    bool print_schema = false; ///< Print its schema first.
    scan::SourcePosition at;   ///< Where it is declared, for errors.

    [[nodiscard]] bool written() const { return !table.path.empty(); }
};

/// Reads one topic from its first event to its last and makes the outputs of it, in order.
struct Job {
    std::string name;
    std::string topic;
    std::vector<JobOutput> outputs;
    bool builtin = false; ///< Nobody declared it.
};

/// The built-in game's jobs over `topic`: separate_events, just_filtering, filtered_writes.
[[nodiscard]] std::vector<Job> builtin_jobs(const std::string& topic);

} // namespace questlog::batch
