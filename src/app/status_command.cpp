#include "app/commands.h"
#include "app/data_folder.h"
#include "control/client.h"
#include "log/log_files.h"
#include "query/status.h"

/// `questlog status`: the server, the log, the tables, and whether the books balance.
namespace questlog::app {
namespace {

/// Of a server that answers no commands (its folder can have no socket, or its version is older) the lock of its topic
/// tells. Another writer than a server is `log repair` or a recovery: these end by themselves.
query::ServerStatus unasked_server(const Context& context) {
    log::Topics topics(context.env, context.log_directory());
    query::ServerStatus status;
    const auto names = topics.names();
    for (const std::string& name : names.ok() ? *names : std::vector<std::string>{}) {
        const auto held = context.env.files.locked(log::lock_file(topics.directory(), name), log::writer_slot);
        if (!held.ok() || !*held) continue;
        status.state = query::ServerState::silent;
        status.problem = fmt::format("a process writes topic {} and answers no commands at {}/control.sock: see the "
                                     "log of the server",
                                     name, context.data);
        break;
    }
    return status;
}

query::ServerStatus server_status(const Context& context) {
    const auto asked = control::ping(context.env, context.data);
    if (asked.ok() && !*asked) return unasked_server(context);
    query::ServerStatus status;
    if (!asked.ok()) {
        status.state = query::ServerState::silent;
        status.problem = asked.error().message;
        return status;
    }
    const control::ServerFacts& facts = **asked;
    status.state = facts.stopping ? query::ServerState::stopping : query::ServerState::running;
    status.pid = facts.pid;
    status.url = facts.url;
    status.topic = facts.topic;
    status.version = facts.version;
    status.since = facts.since;
    return status;
}

} // namespace

Status run(const Context& context, const StatusArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    TRY(report, query::status(folder->world()));
    report.server = server_status(context);
    CHECK_OK(context.print(arguments.json ? query::status_json(report) : query::status_text(report)));
    if (!report.sound()) {
        CHECK_OK(context.flush());
        return internal("something is wrong with the data: see the report above");
    }
    return {};
}

} // namespace questlog::app
