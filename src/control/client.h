#pragma once

#include "control/protocol.h"
#include "io/env.h"

#include <chrono>
#include <optional>
#include <string>

namespace questlog::control {

/// Asks the server that answers at DIR/control.sock. nullopt: no live server does (none holds DIR/control.lock), and
/// what the files say is all there is. An error of the server's is passed on as it is; others say that a server runs
/// and does not answer, and what to do. Every call ends: within limits::control_ping_timeout or
/// control_command_timeout.
Result<std::optional<ServerFacts>> ping(io::Env env, const std::string& data_directory);
Result<std::optional<TopicCreated>> create_topic(io::Env env, const std::string& data_directory,
                                                 const CreateTopic& request);

} // namespace questlog::control
