#include "app/commands.h"
#include "app/data_folder.h"
#include "app/landing_stage.h"
#include "base/plural.h"
#include "batch/verification.h"
#include "event/json_string.h"

#include <fmt/format.h>

/// `questlog verify [TABLE]`: lands and runs jobs again beside the tables, and compares.
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
    std::string ranges;
    for (const lake::LandedRange& range : file.ranges)
        ranges += fmt::format(R"({}{{"partition": {}, "from": {}, "to": {}}})", ranges.empty() ? "" : ", ",
                              range.partition, range.from, range.to);
    return fmt::format(R"({{"state": "{}", "table": {}, "file": {}, "ranges": [{}], "rows": {}, "what": {}}})"
                       "\n",
                       name_of(file.state), event::json_string(file.table),
                       file.file.empty() ? "null" : event::json_string(file.file), ranges, file.rows,
                       file.what.empty() ? "null" : event::json_string(file.what));
}

/// Values are clients', and a damaged file's are anything: none of them moves a terminal's cursor.
std::string shown(std::string_view text) {
    std::string out;
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        if (code < 0x20 || code == 0x7F)
            out += fmt::format("\\x{:02x}", code);
        else
            out += byte;
    }
    return out;
}

std::string file_text(const batch::VerifiedFile& file) {
    std::string text = file.table;
    for (const lake::LandedRange& range : file.ranges) {
        const std::string offsets =
            range.from < range.to ? fmt::format("offsets {}..{}", range.from, range.to.plus(-1)) : "no offsets";
        text += fmt::format("{} [{}] {}", &range == &file.ranges.front() ? "" : ",", range.partition, offsets);
    }
    return fmt::format("{}: {}: {}\n{}", text, name_of(file.state), shown(file.what),
                       file.file.empty() ? "" : "  " + file.file + "\n");
}

/// The topic's declared tables that jobs write; of `table` alone where one is named.
std::vector<batch::JobOutput> declared_tables(const Config& config, const std::string& topic,
                                              const std::optional<std::string>& table) {
    std::vector<batch::JobOutput> outputs;
    for (const batch::Job& job : config.jobs)
        for (const batch::JobOutput& output : job.outputs)
            if (job.topic == topic && output.written() && (!table || *table == output.table.name))
                outputs.push_back(output);
    return outputs;
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
    options.progress = [&](std::int64_t done, std::int64_t total) { line.draw("made again", done, total); };
    options.on_file = [&](const batch::VerifiedFile& file) -> Status {
        if (arguments.json) return context.print(file_json(file));
        if (file.state == batch::VerifiedFile::State::same) return {};
        line.wipe();
        return context.print(file_text(file));
    };
    const auto declared = declared_tables(context.config, topic.name, arguments.table);
    batch::VerifyReport report;
    if (!arguments.table || declared.empty()) { // of two with one name SQL reads the declared one
        TRY(landed, batch::verify({context.env, *reader, folder->continuous(),
                                   [&]() -> Result<duck::Database*> { return &folder->database(); }},
                                  options));
        report = landed;
    }
    CHECK_OK(
        batch::verify_declared({context.env, *reader, folder->lake(), folder->database()}, declared, options, report));
    line.wipe();
    if (arguments.table && report.same + report.different + report.unverifiable == 0)
        return reject("nothing of table {} is landed yet: {}", *arguments.table,
                      declared.empty() ? "`questlog land --once` lands what there is"
                                       : "its job writes it, `questlog batch JOB`");
    if (!arguments.json)
        CHECK_OK(
            context.print(fmt::format("{} the same ({}), {} different, {} unverifiable\n", plural(report.same, "file"),
                                      plural(report.rows, "row"), report.different, report.unverifiable)));
    CHECK_OK(context.flush());
    if (report.different > 0)
        return internal(
            "{} not what the log says: `questlog rebuild TABLE` makes a continuous table anew, and `questlog "
            "batch JOB` what a job writes",
            report.different == 1 ? "1 file is" : fmt::format("{} files are", report.different));
    return {};
}

} // namespace questlog::app
