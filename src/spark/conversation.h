#pragma once

#include "event/json_node.h"
#include "io/descriptor.h"
#include "io/env.h"
#include "spark/submitted.h"

#include <functional>
#include <string>

namespace questlog::spark {

/// What is said between this process and the program that runs in Spark: lines of JSON through a Unix socket. One
/// thread.
class Conversation {
public:
    /// `stopped`: whether the user asked this process to end. `listening` is a socket that waits for the program.
    Conversation(io::Descriptor listening, Submitted& program, std::function<bool()> stopped)
        : listening_(std::move(listening)), program_(program), stopped_(std::move(stopped)) {}

    Status say(const std::string& line);
    /// The next message. `retry_later` where the user asked to end; `internal` where the program has ended, or said
    /// what is no message, with how: the caller knows the log.
    Result<event::JsonNode> next();

private:
    Status await(short events);
    Status accept();

    io::Descriptor listening_;
    io::Descriptor socket_;
    Submitted& program_;
    std::function<bool()> stopped_;
    std::string unread_;
};

} // namespace questlog::spark
