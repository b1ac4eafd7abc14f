#include "app/commands.h"
#include "app/data_folder.h"
#include "base/plural.h"
#include "batch/rebuild.h"

#include <fmt/format.h>

/// `questlog rebuild TABLE`: a continuous table made anew from the log.
namespace questlog::app {

Status run(const Context& context, const RebuildArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    TRY(topic, folder->topics().find(arguments.topic.value_or(context.config.topic)));
    TRY(reader,
        folder->topics().open(topic, [&](const std::string& what) { context.notice("questlog: recovery: " + what); }));
    ProgressLine line(context);
    batch::RebuildOptions options;
    options.force = arguments.force;
    options.rules = std::make_shared<event::FieldRules>(context.config.events);
    options.progress = [&](std::int64_t done, std::int64_t total) { line.draw("landing anew", done, total); };
    TRY(report, batch::rebuild({context.env, *reader, folder->continuous(),
                                [&]() -> Result<duck::Database*> { return &folder->database(); }},
                               arguments.table, options));
    line.wipe();
    if (report.expired > 0)
        context.notice(
            fmt::format("questlog: {}: {} of the topic had expired from the log, and those of them that were "
                        "the table's are gone",
                        arguments.table, plural(report.expired, "event")));
    return context.print(fmt::format("{}: {} from {} of the log\n", arguments.table, plural(report.rows, "row"),
                                     plural(report.cuts, "cut")));
}

} // namespace questlog::app
