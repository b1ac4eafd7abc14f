#include "app/commands.h"
#include "app/data_folder.h"
#include "base/plural.h"
#include "batch/rebuild.h"

#include <algorithm>
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
    options.topic_of = [&](const std::string& log_id) {
        const auto topics = folder->topics().list();
        if (!topics.ok()) return std::string();
        const auto found =
            std::find_if(topics->begin(), topics->end(), [&](const log::Topic& one) { return one.id == log_id; });
        return found == topics->end() ? std::string() : found->name;
    };
    TRY(report, batch::rebuild({context.env, *reader, folder->continuous(),
                                [&]() -> Result<duck::Database*> { return &folder->database(); }},
                               arguments.table, options));
    line.wipe();
    if (report.expired > 0)
        context.notice(
            fmt::format("questlog: {}: {} of the topic had expired from the log, and those of them that were "
                        "the table's are gone",
                        arguments.table, plural(report.expired, "event")));
    if (!report.of_others.empty())
        context.notice(fmt::format("questlog: {}: {} were not in this log (topic {}), and are gone", arguments.table,
                                   batch::other_logs_text(report.of_others, options.topic_of), topic.name));
    return context.print(fmt::format("{}: {} from {} of the log\n", arguments.table, plural(report.rows, "row"),
                                     plural(report.cuts, "cut")));
}

} // namespace questlog::app
