#pragma once

#include "app/toml_table.h"
#include "spark/settings.h"

namespace questlog::app {

/// Reads [spark] of questlog.toml. docs/formats/config.md
Result<spark::Settings> parse_spark(TomlTable& table);

} // namespace questlog::app
