#include "control/client.h"

#include "control/control_limits.h"
#include "control/unix_socket.h"

#include <cerrno>
#include <unistd.h>

namespace questlog::control {
namespace {

constexpr std::chrono::milliseconds connect_again{10};

Error unanswered(const std::string& data_directory, std::string_view why) {
    return internal(
        "the server that holds {}/{} has not answered at {}: {}. See what it did, and in its log, before you "
        "run the command again; if it hangs, restart it",
        data_directory, lock_name, socket_name, why);
}

/// nullopt: there is no live server. One that has just begun, or that has many clients, is waited for.
Result<std::optional<io::Descriptor>> connect(io::Env env, const std::string& data_directory,
                                              const Deadline& deadline) {
    while (true) {
        const auto live = env.files.locked(fmt::format("{}/{}", data_directory, lock_name), 0);
        if (!live.ok() && live.error().system_errno != ENOTDIR) return live.error();
        if (!live.ok() || !*live) return std::optional<io::Descriptor>();
        auto socket = connect_in(data_directory);
        if (socket.ok()) return std::optional(std::move(*socket));
        const int reason = socket.error().system_errno;
        if (reason == EACCES || reason == EPERM)
            return internal("user {} may give the server of {} no commands; run as the user whose it is, or as root",
                            ::geteuid(), data_directory);
        const bool passing = reason == ENOENT || reason == ECONNREFUSED || reason == EAGAIN;
        if (!passing || env.clock.monotonic() >= deadline.at) return unanswered(data_directory, socket.error().message);
        env.clock.sleep(connect_again);
    }
}

/// The answer's line.
Result<std::optional<std::string>> ask(io::Env env, const std::string& data_directory, const Request& request,
                                       std::chrono::milliseconds limit) {
    TRY(line, encode(request));
    const auto now = env.clock.monotonic();
    TRY(socket, connect(env, data_directory, {env.clock, now + limits::control_request_timeout}));
    if (!socket) return std::optional<std::string>();
    const Deadline deadline{env.clock, now + limit};
    const Status sent = write_line(*socket, line, deadline); // a refusal may have come before it was sent
    auto answer = read_line(*socket, deadline);
    if (!answer.ok()) return unanswered(data_directory, sent.ok() ? answer.error().message : sent.error().message);
    return std::optional(std::move(*answer));
}

} // namespace

Result<std::optional<ServerFacts>> ping(io::Env env, const std::string& data_directory) {
    TRY(line, ask(env, data_directory, Ping{}, limits::control_ping_timeout));
    if (!line) return std::optional<ServerFacts>();
    TRY(facts, decode_facts(*line));
    return std::optional(std::move(facts));
}

Result<std::optional<TopicCreated>> create_topic(io::Env env, const std::string& data_directory,
                                                 const CreateTopic& request) {
    TRY(line, ask(env, data_directory, request, limits::control_command_timeout));
    if (!line) return std::optional<TopicCreated>();
    TRY(created, decode_topic_created(*line));
    return std::optional(created);
}

} // namespace questlog::control
