#include "base/operator_log.h"

#include "base/line_output.h"

#include <memory>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

namespace questlog {
namespace {

constexpr int patience_ms = 500;

spdlog::logger& stderr_logger() {
    static const auto logger = [] {
        auto made =
            std::make_shared<spdlog::logger>("questlog", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
        made->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v",
                                                                        spdlog::pattern_time_type::utc));
        return made;
    }();
    return *logger;
}

} // namespace

void operator_log(Severity severity, std::string_view line) {
    if (!takes_output(STDERR_FILENO, patience_ms)) return; // a line that nobody reads must not stop the process
    const spdlog::string_view_t text(line.data(), line.size());
    switch (severity) {
    case Severity::info: stderr_logger().info(text); return;
    case Severity::warn: stderr_logger().warn(text); return;
    case Severity::error: stderr_logger().error(text); return;
    }
}

} // namespace questlog
