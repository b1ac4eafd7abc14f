#include "batch/run.h"

#include "batch/counted_plan.h"
#include "batch/replacement.h"

#include <algorithm>
#include <set>

namespace questlog::batch {
namespace {

Status check_job(const BatchWorld& world, const Job& job) {
    if (world.log.topic().name != job.topic)
        return internal("job {} reads topic {}, and was given the log of {}", job.name, job.topic,
                        world.log.topic().name);
    std::set<std::string> paths;
    for (const JobOutput& output : job.outputs)
        if (output.written() && !paths.insert(output.table.path).second)
            return reject("{}: two outputs of job {} write {}; give each a path of its own", output.at.text(), job.name,
                          output.table.path);
    return {};
}

/// Earliest to latest, at this moment: events that come later are left to the next run.
Result<scan::LogRange> capture_range(log::LogReader& log) {
    scan::LogRange range;
    for (std::int32_t i = 0; i < log.topic().partitions; ++i) {
        log::PartitionReader& partition = log.partition(Partition{i});
        TRY(from, partition.start_offset());
        TRY(to, partition.end_offset());
        range.push_back({Partition{i}, from, std::max(from, to)});
    }
    return range;
}

LogSpan span_of(const log::Topic& topic, const scan::LogRange& range) {
    LogSpan span{topic.id, topic.name, {}};
    for (const scan::PartitionRange& part : range) span.ranges.push_back({part.partition.value, part.from, part.to});
    return span;
}

Status check_replaceable(lake::SnapshotStore& lake, const std::string& path, const LogSpan& log, bool force) {
    if (force) return {};
    const auto present = lake.open(path);
    if (present.ok()) return *present ? may_replace(path, (*present)->facts, log) : Status{};
    if (present.error().kind == ErrorKind::corrupt) return may_replace_damaged(path, present.error(), log);
    return present.error();
}

/// Only the events that some output can use are kept for reading.
scan::PlanOptions plan_options(const Job& job, const JobEvents& events) {
    scan::PlanOptions options;
    options.keep_all = false;
    std::set<std::string> types;
    for (const JobOutput& output : job.outputs) {
        const auto wanted = output.table.event_types();
        if (!wanted) options.keep_all = true;
        if (wanted) types.insert(wanted->begin(), wanted->end());
    }
    if (!options.keep_all) options.keep_types.assign(types.begin(), types.end());
    if (events.on_progress)
        options.progress = [&events](std::int64_t done, std::int64_t total) {
            events.on_progress({Progress::Step::planning, {}, done, total});
        };
    return options;
}

/// One run of one job, after its checks.
class Run {
public:
    Run(const BatchWorld& world, const RunOptions& options, const JobEvents& events, LogSpan span,
        std::shared_ptr<const scan::Plan> plan)
        : world_(world), options_(options), events_(events), span_(std::move(span)), plan_(std::move(plan)) {}

    Result<OutputReport> make(const JobOutput& output, lake::TableWriter* writer) {
        TRY(connection, world_.database.connect());
        CountedPlan counted(plan_, progress_of(output));
        auto related = scan::relate(*connection, counted, output.table);
        if (!related.ok()) return related.error().within("table " + output.table.name);
        const scan::Relation& relation = *related;
        if (auto shown = show(output, *connection, relation); !shown.ok())
            return shown.error().within("table " + output.table.name);
        OutputReport report;
        report.table = output.table.name;
        report.path = output.table.path;
        report.renamed = relation.renamed;
        if (writer != nullptr) CHECK_OK(write(output, *connection, relation, counted, *writer, report));
        return report;
    }

private:
    std::function<void(std::int64_t)> progress_of(const JobOutput& output) {
        if (!events_.on_progress || !output.written()) return {};
        return [this, table = output.table.name, total = candidates(output)](std::int64_t read) {
            events_.on_progress({Progress::Step::writing, table, read, total});
        };
    }

    [[nodiscard]] std::int64_t candidates(const JobOutput& output) const {
        return plan_->events(output.table.event_types());
    }

    Status show(const JobOutput& output, duck::Connection& connection, const scan::Relation& relation) {
        if (output.print_schema && events_.on_schema) CHECK_OK(events_.on_schema(output, relation));
        if (!output.show || !events_.on_preview) return {};
        TRY(rows,
            connection.query(fmt::format("SELECT * FROM ({}) LIMIT {}", relation.select, options_.preview_rows + 1)));
        return events_.on_preview(output, *rows);
    }

    Status write(const JobOutput& output, duck::Connection& connection, const scan::Relation& relation,
                 CountedPlan& counted, lake::TableWriter& writer, OutputReport& report) {
        Counts counts;
        for (const lake::LandedRange& range : span_.ranges) counts.in_range += range.to.minus(range.from);
        counts.plan = plan_->tally();
        counts.candidates = candidates(output);

        lake::SnapshotFacts facts;
        facts.log_id = span_.log_id;
        facts.topic = span_.topic;
        facts.declaration = output.table.digest();
        facts.ranges = span_.ranges;
        facts.examined = counts.in_range;
        facts.dead_lettered = counts.plan.not_events;

        lake::OverwriteOptions overwrite;
        overwrite.force = options_.force;
        overwrite.accept = [&](const lake::SnapshotFacts& written) -> Status {
            counts.read = counted.read();
            counts.landed = written.rows;
            TRY(tally, balance(counts));
            if (written.filtered != tally.of(Fate::filtered) || written.dead_lettered != tally.of(Fate::dead_lettered))
                return internal(
                    "the file's books are not the run's: {} and {} filtered, {} and {} dead letters; please "
                    "report it",
                    written.filtered, tally.of(Fate::filtered), written.dead_lettered, tally.of(Fate::dead_lettered));
            report.tally = tally;
            return {};
        };
        counted.restart();
        TRY(landed, writer.overwrite(connection, relation.select, std::move(facts), overwrite));
        report.file = landed.name;
        report.bytes = landed.bytes;
        return {};
    }

    const BatchWorld& world_;
    const RunOptions& options_;
    const JobEvents& events_;
    LogSpan span_;
    std::shared_ptr<const scan::Plan> plan_;
};

} // namespace

Result<JobReport> run_job(const BatchWorld& world, const Job& job, const RunOptions& options, const JobEvents& events) {
    CHECK_OK(check_job(world, job));
    std::vector<std::unique_ptr<lake::TableWriter>> writers(job.outputs.size());
    for (std::size_t i = 0; i < job.outputs.size(); ++i) {
        if (!job.outputs[i].written()) continue;
        TRY(writer, world.lake.writer(job.outputs[i].table.path));
        writers[i] = std::make_unique<lake::TableWriter>(std::move(writer));
    }
    TRY(range, capture_range(world.log));
    const LogSpan span = span_of(world.log.topic(), range);
    for (const JobOutput& output : job.outputs)
        if (output.written()) CHECK_OK(check_replaceable(world.lake, output.table.path, span, options.force));

    TRY(plan, scan::Plan::make(world.log, range, plan_options(job, events)));
    JobReport report{job.name, range, plan->tally(), {}};
    Run run(world, options, events, span, plan);
    for (std::size_t i = 0; i < job.outputs.size(); ++i) {
        TRY(made, run.make(job.outputs[i], writers[i].get()));
        report.outputs.push_back(std::move(made));
    }
    return report;
}

} // namespace questlog::batch
