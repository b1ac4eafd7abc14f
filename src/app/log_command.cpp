#include "app/commands.h"
#include "log/inspect.h"

/// `questlog log inspect`: the log's files as they lie.
namespace questlog::app {

Status run(const Context& context, const LogInspectArguments& arguments) {
    log::Topics topics(context.env, context.log_directory());
    TRY(topic, topics.find(arguments.topic.value_or(context.config.topic)));
    log::InspectOptions options;
    options.json = arguments.json;
    options.records = arguments.records;
    Status written;
    const auto inspected = log::inspect(context.env, topics, topic, options, [&](std::string_view line) {
        written = context.print(line);
        if (written.ok()) written = context.print("\n");
        return written.ok();
    });
    CHECK_OK(written);
    CHECK_OK(context.flush());
    return inspected;
}

} // namespace questlog::app
