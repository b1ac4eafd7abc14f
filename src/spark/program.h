#pragma once

#include <string_view>

/// The PySpark program of the repository's folder spark/, as it was when questlog was built.
namespace questlog::spark {

inline constexpr std::string_view job_file = "questlog_job.py";
inline constexpr std::string_view events_file = "questlog_events.py"; ///< For the executors, too.

[[nodiscard]] std::string_view job_program();
[[nodiscard]] std::string_view events_module();

} // namespace questlog::spark
