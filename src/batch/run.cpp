#include "batch/run.h"

#include "batch/counted_plan.h"
#include "batch/engine_run.h"
#include "batch/output_facts.h"
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
        CHECK_OK(partition.make_durable(to));
        range.push_back({Partition{i}, from, std::max(from, to)});
    }
    return range;
}

/// Looks at the table that is to be replaced; its damage, and what is lost by force, go into the report.
Status check_replaceable(lake::SnapshotStore& lake, const LogSpan& log, bool force, OutputReport& report) {
    const auto present = lake.open(report.path);
    const bool is_damaged = !present.ok() && present.error().kind == ErrorKind::corrupt;
    if (!present.ok() && !is_damaged) return force ? Status() : Status(present.error());
    Loss loss;
    if (is_damaged)
        loss = loss_of_damaged(present.error(), log);
    else if (*present)
        loss = loss_of((*present)->facts, log);
    if (!force) CHECK_OK(may_replace(report.path, loss));
    if (is_damaged) report.mended = lake::damage_of(present.error());
    report.given_up = loss.value_or("");
    return {};
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
        std::int64_t in_range, std::shared_ptr<const scan::Plan> plan)
        : world_(world), options_(options), events_(events), span_(std::move(span)), in_range_(in_range),
          plan_(std::move(plan)) {}

    /// Fills in `report`, also with the output's failure. An error ends the run.
    Status make(const JobOutput& output, lake::TableWriter* writer, OutputReport& report) {
        const Status made = try_to_make(output, writer, report);
        if (made.ok()) return {};
        if (ended_by_caller_) return made.error().within("table " + output.table.name);
        report.failure = made.error();
        return {};
    }

private:
    Status try_to_make(const JobOutput& output, lake::TableWriter* writer, OutputReport& report) {
        TRY(connection, world_.database.connect());
        CountedPlan counted(plan_, progress_of(output));
        TRY(relation, scan::relate(*connection, counted, output.table));
        report.renamed = relation.renamed;
        report.read_as = relation.read_as;
        CHECK_OK(show(output, *connection, relation));
        return writer == nullptr ? Status() : write(output, *connection, relation, counted, *writer, report);
    }

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
        if (output.print_schema && events_.on_schema) CHECK_OK(told(events_.on_schema(output, relation)));
        if (!output.show || !events_.on_preview) return {};
        TRY(rows,
            connection.query(fmt::format("SELECT * FROM ({}) LIMIT {}", relation.select, options_.preview_rows + 1)));
        return told(events_.on_preview(output, *rows));
    }

    Status told(Status answer) {
        ended_by_caller_ = !answer.ok();
        return answer;
    }

    Status write(const JobOutput& output, duck::Connection& connection, const scan::Relation& relation,
                 CountedPlan& counted, lake::TableWriter& writer, OutputReport& report) {
        Counts counts;
        counts.in_range = in_range_;
        counts.plan = plan_->tally();
        counts.candidates = candidates(output);

        lake::OverwriteOptions overwrite;
        overwrite.force = options_.force;
        overwrite.accept = [&](const lake::SnapshotFacts& written) -> Status {
            counts.read = counted.read();
            return accept_written(counts, written, report);
        };
        counted.restart();
        TRY(landed,
            writer.overwrite(connection, relation.select, facts_of(span_, output.table, relation, counts), overwrite));
        report.file = landed.name;
        report.bytes = landed.bytes;
        return {};
    }

    const BatchWorld& world_;
    const RunOptions& options_;
    const JobEvents& events_;
    LogSpan span_;
    std::int64_t in_range_;
    std::shared_ptr<const scan::Plan> plan_;
    bool ended_by_caller_ = false;
};

/// The tables' locks, in the outputs' order; none where nothing is written, or where it is that output's failure. A
/// lock that another job holds refuses the whole run.
using Writers = std::vector<std::unique_ptr<lake::TableWriter>>;

Result<Writers> take_locks(lake::SnapshotStore& lake, const Job& job, JobReport& report) {
    Writers writers(job.outputs.size());
    for (std::size_t i = 0; i < job.outputs.size(); ++i) {
        if (!job.outputs[i].written()) continue;
        auto writer = lake.writer(job.outputs[i].table.path);
        if (writer.ok()) {
            writers[i] = std::make_unique<lake::TableWriter>(std::move(writer).value());
            continue;
        }
        if (writer.error().kind == ErrorKind::retry_later) return writer.error();
        report.outputs[i].failure = writer.error();
    }
    return writers;
}

} // namespace

Status JobReport::outcome() const {
    std::string failed;
    std::size_t count = 0;
    const OutputReport* first = nullptr;
    for (const OutputReport& output : outputs) {
        if (!output.failure) continue;
        if (first == nullptr) first = &output;
        ++count;
        failed += fmt::format("\n  {}: {}", output.table, output.failure->message);
    }
    if (first == nullptr) return {};
    const bool is_named = first->failure->message.find(first->table) != std::string::npos;
    if (outputs.size() == 1) return is_named ? *first->failure : first->failure->within("table " + first->table);
    return Error{count == outputs.size() ? first->failure->kind : ErrorKind::internal,
                 fmt::format("{} of the {} outputs of job {} failed:{}", count, outputs.size(), job, failed),
                 first->failure->system_errno};
}

Result<JobReport> run_job(const BatchWorld& world, const Job& job, const RunOptions& options, const JobEvents& events) {
    CHECK_OK(check_job(world, job));
    JobReport report{job.name, {}, {}, {}};
    for (const JobOutput& output : job.outputs) {
        OutputReport& made = report.outputs.emplace_back();
        made.table = output.table.name;
        made.path = output.table.path;
    }
    TRY(writers, take_locks(world.lake, job, report));
    TRY(range, capture_range(world.log));
    TRY(span, span_of(world.log, range));
    report.range = range;
    std::size_t left = report.outputs.size();
    for (std::size_t i = 0; i < writers.size(); ++i) {
        OutputReport& output = report.outputs[i];
        if (writers[i]) {
            const auto checked = check_replaceable(world.lake, span, options.force, output);
            if (!checked.ok()) output.failure = checked.error();
        }
        if (output.failure) --left;
    }
    if (left == 0) return report;

    if (world.engine != nullptr) {
        EngineRun run(world, *world.engine, options, events, span);
        CHECK_OK(run.look(job, range));
        report.events = run.events();
        for (std::size_t i = 0; i < writers.size(); ++i)
            if (!report.outputs[i].failure) CHECK_OK(run.make(job.outputs[i], writers[i].get(), report.outputs[i]));
        CHECK_OK(world.engine->end());
        return report;
    }
    TRY(plan, scan::Plan::make(world.log, range, plan_options(job, events)));
    report.events = plan->tally();
    TRY(in_range, events_in(world.log, range));
    Run run(world, options, events, span, in_range, plan);
    for (std::size_t i = 0; i < writers.size(); ++i)
        if (!report.outputs[i].failure) CHECK_OK(run.make(job.outputs[i], writers[i].get(), report.outputs[i]));
    return report;
}

} // namespace questlog::batch
