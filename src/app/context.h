#pragma once

#include "app/config.h"
#include "base/result.h"
#include "io/env.h"

#include <cstdio>
#include <string>
#include <string_view>

namespace questlog::app {

/// What every command is given: the world, the configuration, where the data lies, and where to write.
struct Context {
    io::Env env;
    Config config;
    std::string data;        ///< The data folder, as given.
    std::FILE* out = stdout; ///< What was asked for.
    std::FILE* err = stderr; ///< Notices and progress.
    bool progress = false;   ///< err is a terminal: long work may draw its progress there.

    [[nodiscard]] std::string log_directory() const { return data + "/log"; }
    [[nodiscard]] std::string kafka_directory() const { return data + "/kafka"; }
    [[nodiscard]] std::string spark_directory() const { return data + "/spark"; }
    [[nodiscard]] std::string lake_root() const {
        std::string root = config.lake.root;
        while (root.size() > 1 && root.ends_with('/')) root.pop_back();
        return config.lake.is_on_hdfs() || root.starts_with('/') ? root : data + "/" + root;
    }
    /// Writes to `out`; a reader that went away (EPIPE) or a full disk is an error.
    [[nodiscard]] Status print(std::string_view text) const;
    [[nodiscard]] Status flush() const;
    /// A line for a person, on `err`.
    void notice(std::string_view text) const;
};

/// Asks the process to end: set by SIGINT and SIGTERM in commands that follow the log. Signal-safe.
[[nodiscard]] bool stop_requested();
void stop_on_signals();

} // namespace questlog::app
