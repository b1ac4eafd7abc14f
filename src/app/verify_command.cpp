#include "app/commands.h"
#include "app/data_folder.h"
#include "app/landing_stage.h"
#include "base/plural.h"
#include "batch/verification.h"
#include "event/json_string.h"

#include <fmt/format.h>

/// `questlog verify [TABLE]`: lands again beside the tables, and compares.
namespace questlog::app {
namespace {

std::string_view name_of(batch::VerifiedFile::State state) {
    switch (state) {
    case batch::VerifiedFile::State::same: return "same";
    case batch::VerifiedFile::State::different: return "different";
    case batch::VerifiedFile::State::missing: return "missing";
    case batch::VerifiedFile::State::unverifiable: return "unverifiable";
    }
    return "different";
}

std::string file_json(const batch::VerifiedFile& file) {
    return fmt::format(
        R"({{"state": "{}", "table": {}, "file": {}, "partition": {}, "from": {}, "to": {}, "rows": {}, )"
        R"("what": {}}})"
        "\n",
        name_of(file.state), event::json_string(file.table), file.file.empty() ? "null" : event::json_string(file.file),
        file.partition, file.from, file.to, file.rows, file.what.empty() ? "null" : event::json_string(file.what));
}

std::string file_text(const batch::VerifiedFile& file) {
    return fmt::format("{} [{}] offsets {}..{}: {}: {}\n{}", file.table, file.partition, file.from, file.to.plus(-1),
                       name_of(file.state), file.what, file.file.empty() ? "" : "  " + file.file + "\n");
}

} // namespace

Status run(const Context& context, const VerifyArguments& arguments) {
    TRY(folder, DataFolder::open(context));
    TRY(topic, folder->topics().find(arguments.topic.value_or(context.config.topic)));
    TRY(reader,
        folder->topics().open(topic, [&](const std::string& what) { context.notice("questlog: recovery: " + what); }));
    ProgressLine line(context);
    batch::VerifyOptions options;
    options.table = arguments.table;
    options.writer = landing_options(context.config).writer;
    options.progress = [&](std::int64_t done, std::int64_t total) { line.draw("landing again", done, total); };
    options.on_file = [&](const batch::VerifiedFile& file) -> Status {
        if (arguments.json) return context.print(file_json(file));
        if (file.state == batch::VerifiedFile::State::same) return {};
        line.wipe();
        return context.print(file_text(file));
    };
    TRY(report, batch::verify({context.env, *reader, folder->continuous(),
                               [&]() -> Result<duck::Database*> { return &folder->database(); }},
                              options));
    line.wipe();
    if (!arguments.json)
        CHECK_OK(
            context.print(fmt::format("{} the same ({}), {} different, {} unverifiable\n", plural(report.same, "file"),
                                      plural(report.rows, "row"), report.different, report.unverifiable)));
    CHECK_OK(context.flush());
    if (report.different > 0)
        return internal("{} not what the log says: `questlog rebuild TABLE` makes a table anew",
                        report.different == 1 ? "1 file is" : fmt::format("{} files are", report.different));
    return {};
}

} // namespace questlog::app
