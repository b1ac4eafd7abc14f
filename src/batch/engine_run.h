#pragma once

#include "batch/engine.h"
#include "batch/replacement.h"
#include "batch/run.h"

namespace questlog::batch {

/// One run of one job on another engine, after its checks.
class EngineRun {
public:
    EngineRun(const BatchWorld& world, Engine& engine, const RunOptions& options, const JobEvents& events, LogSpan span)
        : world_(world), engine_(engine), options_(options), events_(events), span_(std::move(span)) {}

    /// What is in the range. An error ends the run, as one of make() does.
    Status look(const Job& job, const scan::LogRange& range);
    [[nodiscard]] const scan::PlanTally& events() const { return plan_->tally(); }
    /// Fills in `report`, also with the output's failure. `writer` is null where nothing is written.
    Status make(const JobOutput& output, lake::TableWriter* writer, OutputReport& report);

private:
    Status try_to_make(const JobOutput& output, lake::TableWriter* writer, OutputReport& report);
    Status write(const JobOutput& output, const scan::Relation& relation, lake::TableWriter& writer,
                 OutputReport& report);
    Result<lake::Landed> land(const JobOutput& output, const scan::Relation& relation, lake::TableWriter& writer,
                              const std::string& folder, OutputReport& report);
    Status preview(const JobOutput& output, const scan::Relation& relation, bool is_written);
    [[nodiscard]] Engine::OnTasks tasks_of(Progress::Step step, const std::string& table) const;
    Status told(Status answer);

    const BatchWorld& world_;
    Engine& engine_;
    const RunOptions& options_;
    const JobEvents& events_;
    LogSpan span_;
    std::shared_ptr<const scan::Plan> plan_;
    bool ended_by_caller_ = false;
};

} // namespace questlog::batch
