#pragma once

#include "app/added_partitions.h"
#include "app/context.h"
#include "app/told.h"
#include "base/metrics.h"
#include "base/repeated_action.h"
#include "batch/lander.h"
#include "duck/duck.h"
#include "kafka/group_member.h"
#include "lake/continuous_table.h"
#include "log/event_log.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace questlog::app {

/// What a lander of this program and configuration is given.
[[nodiscard]] batch::LandingOptions landing_options(const Config& config);
/// Joins the configured group, by which landers share a topic of Kafka's; null where there is none.
Result<std::unique_ptr<kafka::GroupMember>> join_landers(const Config& config, const std::string& topic);

/// Lands the served topic's events in the continuous tables, on a thread of its own beside the collector. While nothing
/// is to be landed, nothing but the log's ends is looked at, and DuckDB is not in memory. What keeps a round from being
/// done is told once and not each time; collecting goes on.
class LandingStage {
public:
    /// `log` is open for as long as the stage lives; `context` outlives it.
    LandingStage(const Context& context, const log::LogWriter& log, Metrics& metrics);
    ~LandingStage() { stop(); }
    LandingStage(const LandingStage&) = delete;
    LandingStage& operator=(const LandingStage&) = delete;

    /// Somebody waits for what there is: the next round lands it. Any thread.
    void ask() { asked_ = true; }
    /// Told on the stage's thread how far each partition is landed, when that has changed. To be set before begin().
    std::function<void(std::vector<Offset> ends)> on_landed;
    void begin();

    /// Waits for the cut that is being landed. What is left is landed after the next start.
    void stop();

private:
    void round();
    Status land();
    Status open();
    void close();
    Status tell_landed();
    Status tell_arrived();
    Result<duck::Database*> database();
    void landed(const batch::LandedCut& cut);

    const Context& context_;
    const log::Topic served_; ///< In the data folder's own log.
    lake::ContinuousStore store_;
    Counter landed_events_;
    Counter dead_letters_;
    Counter repeats_;
    Counter cuts_;
    Gauge stopped_tables_;
    Gauge pending_;
    AddedPartitions added_;
    std::unique_ptr<log::TopicSource> topics_; ///< Null until it could be opened, as the next one.
    std::unique_ptr<log::LogReader> reader_;
    std::unique_ptr<log::LogReader> served_reader_; ///< Of the log that goes to Kafka; null: it is what is landed.
    std::vector<Offset> wanted_;                    ///< That somebody waits for, of that log; empty: nobody does.
    std::chrono::nanoseconds wanted_until_{};       ///< Then they have given up.
    std::unique_ptr<kafka::GroupMember> group_;     ///< Null: all partitions fall to this process.
    std::shared_ptr<duck::Database> database_;      ///< Null while nothing is landed.
    std::unique_ptr<batch::Lander> lander_;         ///< Null until the log could be opened.
    double stopped_ = 0;
    Told told_;
    std::atomic<bool> stopping_ = false;
    std::atomic<bool> asked_ = false;
    std::vector<Offset> ends_; ///< As they were told last.

    std::optional<RepeatedAction> rounds_; ///< Last: its thread uses the others.
};

} // namespace questlog::app
