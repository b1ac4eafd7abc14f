#include "app/commands.h"
#include "app/data_folder.h"
#include "batch/run.h"
#include "query/show.h"
#include "query/spark_text.h"
#include "spark/spark_engine.h"

#include <algorithm>
#include <fmt/format.h>

/// `questlog batch JOB`: runs a declared job and prints what the reference's script prints.
namespace questlog::app {
namespace {

Result<const batch::Job*> find_job(const Config& config, const std::string& name) {
    const auto found =
        std::find_if(config.jobs.begin(), config.jobs.end(), [&](const batch::Job& job) { return job.name == name; });
    if (found != config.jobs.end()) return &*found;
    std::string known;
    for (const auto& job : config.jobs) known += (known.empty() ? "" : ", ") + job.name;
    return reject("there is no job {}; there are {} (declare one with [[job]] in questlog.toml)", name, known);
}

void tell(const Context& context, const std::string& topic, const batch::JobReport& report) {
    const bool any_made = std::any_of(report.outputs.begin(), report.outputs.end(),
                                      [](const batch::OutputReport& output) { return output.tally.has_value(); });
    for (const scan::PartitionRange& part : report.range)
        if (any_made && part.from > Offset{})
            context.notice(fmt::format("questlog: topic {} [{}] begins at offset {}: what was before has expired, and "
                                       "is not in the tables that were made now",
                                       topic, part.partition, part.from));
    for (const auto& output : report.outputs) {
        for (const auto& [key, name] : output.renamed)
            context.notice(
                fmt::format("questlog: {}: key {} cannot name its column as it is: it is {}", output.table, key, name));
        for (const std::string& column : output.read_as)
            context.notice(
                fmt::format("questlog: {}: its declaration reads {}; where a value is none, it is NULL there",
                            output.table, column));
        if (!output.tally) continue;
        if (!output.mended.empty())
            context.notice(fmt::format("questlog: {}: made anew from the log, as {}", output.table, output.mended));
        if (!output.given_up.empty())
            context.notice(
                fmt::format("questlog: {}: replaced by --force, although {}", output.table, output.given_up));
        context.notice(fmt::format("questlog: {}: {} of {} events landed, {} bytes in {}", output.table,
                                   output.tally->of(batch::Fate::landed), output.tally->total(), output.bytes,
                                   output.path));
    }
}

/// nullptr: this process does it all.
Result<std::unique_ptr<batch::Engine>> engine_of(const Context& context, const std::string& engine) {
    if (engine != "spark") return std::unique_ptr<batch::Engine>();
    const KafkaConfig& kafka = context.config.kafka;
    if (!kafka.enabled())
        return reject("--engine spark reads a topic in Kafka, and none is configured: the log in {} is questlog's own, "
                      "which Spark cannot read. Run the job without --engine spark, or write bootstrap = "
                      "\"HOST:PORT\" in [kafka], or --kafka HOST:PORT",
                      context.log_directory());
    stop_on_signals();
    return spark::make_engine(context.env, {context.config.spark,
                                            {kafka.client.bootstrap, kafka.client.properties},
                                            context.spark_directory(),
                                            stop_requested});
}

} // namespace

Status run(const Context& context, const BatchArguments& arguments) {
    TRY(job, find_job(context.config, arguments.job));
    TRY(engine, engine_of(context, arguments.engine));
    TRY(folder, DataFolder::open(context));
    TRY(topic, folder->topics().find(job->topic));
    TRY(reader,
        folder->topics().open(topic, [&](const std::string& what) { context.notice("questlog: recovery: " + what); }));
    CHECK_OK(await_forwarding(context, *reader));

    batch::RunOptions options;
    options.force = arguments.force;
    ProgressLine line(context);
    const query::ShowOptions show;
    batch::JobEvents events;
    events.on_schema = [&](const batch::JobOutput& output, const scan::Relation& relation) -> Status {
        if (!output.print_schema) return {};
        line.wipe();
        return context.print(query::print_schema(query::spark_schema(relation.columns)));
    };
    events.on_preview = [&](const batch::JobOutput& output, duck::Rows& rows) -> Status {
        if (!output.show) return {};
        TRY(table, query::to_text(rows, show.rows + 1));
        line.wipe();
        CHECK_OK(context.print(query::show(table, show)));
        return context.flush();
    };
    events.on_progress = [&](const batch::Progress& progress) {
        const bool planning = progress.step == batch::Progress::Step::planning;
        line.draw(planning ? "reading the log" : "writing " + progress.table, progress.done, progress.total,
                  progress.unit);
    };
    TRY(report, batch::run_job(batch::BatchWorld{*reader, folder->lake(), folder->database(), engine.get()}, *job,
                               options, events));
    line.wipe();
    CHECK_OK(context.flush());
    tell(context, topic.name, report);
    return report.outcome();
}

} // namespace questlog::app
