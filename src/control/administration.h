#pragma once

#include "control/protocol.h"
#include "io/env.h"

#include <atomic>
#include <string>
#include <string_view>

namespace questlog::control {

/// Makes a topic, as `questlog topic create` does beside a server and without one. False: it exists, and may. The
/// errors are those of kafka-topics.
Result<TopicCreated> create_topic(log::Topics& topics, const CreateTopic& request);

/// What a server does for its operator: a request's line in, its answer's line out. One thread answers.
class Administration {
public:
    Administration(io::Env env, std::string log_directory, ServerFacts facts);

    /// A command is done, and durable, or refused; whatever happens, the answer says which.
    [[nodiscard]] std::string answer(std::string_view line);
    /// Any thread. A command that is under way is finished; later ones are refused.
    void stop() { stopping_ = true; }
    /// What a client is told whose request is not read any more.
    [[nodiscard]] static std::string refusal();

private:
    std::string answer(const Ping& request);
    std::string answer(const CreateTopic& request);

    log::Topics topics_;
    const ServerFacts facts_;
    std::atomic<bool> stopping_{false};
};

} // namespace questlog::control
