#pragma once

#include "app/toml_table.h"
#include "event/catalogue.h"
#include "event/schema.h"

#include <optional>
#include <string>
#include <vector>

namespace questlog::app {

/// Reads one [[event]] of questlog.toml.
Result<event::EventDeclaration> parse_event(TomlTable& table);

/// Whether a catalogue takes the event beside those before it. The error stands at the key that is wrong: the one
/// without which the declaration would be right.
Status check_event(const TomlTable& table, const event::EventDeclaration& event,
                   const std::vector<event::EventDeclaration>& before, const event::EventLimits& limits);

/// The columns that the catalogue promises for events of `types`: event_type, constants and declared fields.
[[nodiscard]] event::Schema declared_columns(const std::vector<event::EventDeclaration>& events,
                                             const std::optional<std::vector<std::string>>& types);

} // namespace questlog::app
