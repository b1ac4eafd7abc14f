#pragma once

#include <fmt/format.h>
#include <string_view>

/// Lines for whoever runs the process, on stderr with a UTC time. Any thread.
/// error: act now. warn: look soon, nothing is lost. info: a change of state.
namespace questlog {

enum class Severity : unsigned char { info, warn, error };

void operator_log(Severity severity, std::string_view line);

template <class... Args> void log_info(fmt::format_string<Args...> text, Args&&... args) {
    operator_log(Severity::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args> void log_warn(fmt::format_string<Args...> text, Args&&... args) {
    operator_log(Severity::warn, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args> void log_error(fmt::format_string<Args...> text, Args&&... args) {
    operator_log(Severity::error, fmt::format(text, std::forward<Args>(args)...));
}

} // namespace questlog
