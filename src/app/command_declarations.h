#pragma once

#include "app/arguments.h"

#include <CLI/CLI.hpp>
#include <memory>

namespace questlog::app {

/// Declares every command on `app`; the one that is called leaves what it was given in `command`. What is returned, and
/// `command`, live until `app` has parsed.
[[nodiscard]] std::shared_ptr<const void> declare_commands(CLI::App& app, Command& command);

} // namespace questlog::app
