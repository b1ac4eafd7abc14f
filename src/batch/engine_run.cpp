#include "batch/engine_run.h"

#include "batch/output_facts.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>

namespace questlog::batch {
namespace {

/// "part-00007-…" -> 7
std::optional<std::int32_t> task_of(std::string_view file) {
    constexpr std::string_view begin = "part-";
    if (!file.starts_with(begin)) return std::nullopt;
    std::int32_t task = 0;
    const auto [end, error] = std::from_chars(file.data() + begin.size(), file.data() + file.size(), task);
    return error == std::errc() && end != file.data() + file.size() && *end == '-' ? std::optional(task) : std::nullopt;
}

/// The files in the order in which their tasks' events lie in the log. One of a task that read none has no rows.
Result<std::vector<std::string>> in_order(const std::vector<std::string>& files,
                                          const std::vector<std::int32_t>& tasks) {
    std::vector<std::pair<std::size_t, std::string>> placed;
    for (const std::string& file : files) {
        const auto task = task_of(file);
        if (!task) return internal("the engine wrote {}, which is no name of a task's file", file);
        const auto place = std::find(tasks.begin(), tasks.end(), *task) - tasks.begin();
        placed.emplace_back(static_cast<std::size_t>(place), file);
    }
    std::sort(placed.begin(), placed.end());
    std::vector<std::string> ordered;
    for (auto& [place, file] : placed) ordered.push_back(std::move(file));
    return ordered;
}

} // namespace

Status EngineRun::look(const Job& job, const scan::LogRange& range) {
    std::set<std::string> types;
    bool any = false;
    for (const JobOutput& output : job.outputs) {
        const auto wanted = output.table.event_types();
        if (!wanted) any = true;
        if (wanted) types.insert(wanted->begin(), wanted->end());
    }
    Engine::Order order{job.name, job.topic, range, std::nullopt};
    if (!any) order.types.emplace(types.begin(), types.end());
    TRY(census, engine_.look(order, tasks_of(Progress::Step::planning, {})));
    std::int64_t offsets = 0;
    for (const scan::PartitionRange& part : range) offsets += part.to.minus(part.from);
    if (census.events > offsets)
        return internal("the engine found {} events among {} offsets; please report it", census.events, offsets);
    plan_ = scan::plan_of_census(range, std::move(census), order.types.value_or(std::vector<std::string>()));
    return {};
}

Status EngineRun::make(const JobOutput& output, lake::TableWriter* writer, OutputReport& report) {
    const Status made = try_to_make(output, writer, report);
    if (made.ok()) return {};
    if (ended_by_caller_ || engine_.is_over()) return made.error().within("table " + output.table.name);
    report.failure = made.error();
    return {};
}

Status EngineRun::try_to_make(const JobOutput& output, lake::TableWriter* writer, OutputReport& report) {
    const scan::Relation relation = scan::relate_for_spark(*plan_, output.table, engine_view);
    report.renamed = relation.renamed;
    report.read_as = relation.read_as;
    if (output.print_schema && events_.on_schema) CHECK_OK(told(events_.on_schema(output, relation)));
    if (writer != nullptr) CHECK_OK(write(output, relation, *writer, report));
    if (!output.show || !events_.on_preview) return {};
    return preview(output, relation, writer != nullptr);
}

Status EngineRun::write(const JobOutput& output, const scan::Relation& relation, lake::TableWriter& writer,
                        OutputReport& report) {
    const std::string folder = writer.foreign_folder();
    auto landed = land(output, relation, writer, folder, report);
    if (!landed.ok()) {
        writer.abandon(folder);
        return landed.error();
    }
    report.file = landed->name;
    report.bytes = landed->bytes;
    return {};
}

Result<lake::Landed> EngineRun::land(const JobOutput& output, const scan::Relation& relation, lake::TableWriter& writer,
                                     const std::string& folder, OutputReport& report) {
    const Engine::Table table{output.table.event_types(), relation};
    TRY(written, engine_.write(table, folder, tasks_of(Progress::Step::writing, output.table.name)));
    TRY(files, writer.files_in(folder));
    TRY(ordered, in_order(files, written.tasks));
    TRY(connection, world_.database.connect());
    Counts counts;
    counts.in_range = plan_->tally().events;
    counts.plan = plan_->tally();
    counts.candidates = plan_->events(output.table.event_types());
    counts.read = written.read;
    lake::OverwriteOptions overwrite;
    overwrite.force = options_.force;
    overwrite.accept = [&](const lake::SnapshotFacts& facts) { return accept_written(counts, facts, report); };
    return writer.adopt(*connection, folder, ordered, relation.columns, facts_of(span_, output.table, relation, counts),
                        overwrite);
}

/// Of what was landed, where something was: what is shown is what is there.
Status EngineRun::preview(const JobOutput& output, const scan::Relation& relation, bool is_written) {
    TRY(connection, world_.database.connect());
    std::string select;
    std::optional<lake::Snapshot> snapshot;
    if (is_written) {
        TRY(opened, world_.lake.open(output.table.path));
        if (!opened) return internal("table {} is gone", output.table.path);
        snapshot = std::move(opened);
        select =
            fmt::format("SELECT * FROM {} LIMIT {}", duck::read_parquet(snapshot->files), options_.preview_rows + 1);
    } else {
        const Engine::Table table{output.table.event_types(), relation};
        TRY(rows, engine_.first_rows(table, options_.preview_rows + 1, tasks_of(Progress::Step::planning, {})));
        select = std::move(rows);
    }
    TRY(rows, connection->query(select));
    return told(events_.on_preview(output, *rows));
}

Engine::OnTasks EngineRun::tasks_of(Progress::Step step, const std::string& table) const {
    if (!events_.on_progress) return {};
    return [this, step, table](std::int64_t done, std::int64_t total) {
        events_.on_progress({step, table, done, total, "tasks"});
    };
}

Status EngineRun::told(Status answer) {
    ended_by_caller_ = !answer.ok();
    return answer;
}

} // namespace questlog::batch
