#pragma once

#include "base/result.h"
#include "batch/cut_finder.h"
#include "batch/cut_landing.h"
#include "duck/duck.h"
#include "io/env.h"
#include "lake/continuous_table.h"
#include "lake/landing_records.h"
#include "log/event_log.h"
#include "scan/plan.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Lands a topic's log in continuous tables, cut by cut, each event exactly once. docs/formats/lake.md.
namespace questlog::batch {

/// What a lander runs on. All of it outlives the lander.
struct LandingWorld {
    io::Env env;
    log::LogReader& log;
    lake::ContinuousStore& store;
    /// Opened with threads = 1: with more, a cut's bytes are not those of the next time. Asked for when there is
    /// something to land; good until the round ends.
    std::function<Result<duck::Database*>()> database;
};

struct LandingOptions {
    CutLimits limits;
    event::RepeatWindow repeats;
    std::shared_ptr<const event::FieldRules>
        rules; ///< What events are to be, or else are dead letters. Null: anything.
    /// When nothing more has come for so long, what there is is landed; also when its first event has been seen for the
    /// limit of time and so long, whatever the events' times are.
    std::chrono::milliseconds idle = limits::cut_time_default;
    std::chrono::milliseconds lock_wait{10'000}; ///< For another lander's cut.
    std::string writer;                          ///< PlannedCut::writer
    std::function<bool()> stop;                  ///< Asked before each cut: true ends the round. May be empty.
    /// Whether a partition falls to this lander now, where several share them; the others' are looked at and not
    /// landed. Empty: all do.
    std::function<bool(Partition)> has{};
};

/// A cut that is in all its tables now.
struct LandedCut {
    Partition partition;
    lake::PlannedCut cut;
    std::int64_t records = 0;
    std::int64_t dead_letters = 0;
    std::int64_t repeats = 0;                                 ///< Events that were landed before, by their message ids.
    std::vector<std::pair<std::string, std::int64_t>> tables; ///< Name and rows, dead letters aside.
};

/// Told on the lander's thread. Any may be empty.
struct LandingEvents {
    std::function<void(const LandedCut&)> on_cut;
    /// Nothing more is landed in the table, for the reason, until a lander is opened anew; the others go on.
    std::function<void(const std::string& table, const Error& why)> on_stopped;
    std::function<void(const std::string& table)> on_resumed; ///< One that was stopped has all its events again.
};

/// One topic's lander. Others may land the same topic at the same time, in this process or another: each cut is landed
/// by one of them, and of what one has left undone the next one does the rest. One thread.
///
/// A round ends with an error where a partition could not be landed: `retry_later` on a full disk, or when the lock is
/// held too long; `corrupt` for damaged records or a damaged log, and where the log is not the one that was landed.
/// What was landed stays; the next round goes on from there.
class Lander {
public:
    Lander(const LandingWorld& world, LandingOptions options, LandingEvents events);
    ~Lander();
    Lander(const Lander&) = delete;
    Lander& operator=(const Lander&) = delete;

    /// Lands every cut that is due by now, by its limits or since the partition is idle.
    Status land_due();
    /// Lands all that is durable as this is called.
    Status land_all();
    /// Events that the last round has seen and left for a later one.
    [[nodiscard]] std::int64_t pending() const;
    /// By partition: events below are in their tables, whatever these are, as far as this lander knows.
    [[nodiscard]] std::vector<Offset> landed() const;

private:
    struct PartitionState;
    enum class Until : std::uint8_t { due, all };

    Status land(Until until);
    Status land_partition(PartitionState& partition, Until until);
    Status begin(PartitionState& partition);
    Status begin_anew(PartitionState& partition);
    bool is_waited_for(PartitionState& partition) const;
    Result<std::optional<lake::PlannedCut>> next_cut(PartitionState& partition, Offset end, Until until);
    Result<lake::PlannedCut> record(PartitionState& partition, lake::PlannedCut due,
                                    std::optional<CutLanding>& planned);
    Status mend_all_ids(PartitionState& partition);
    Status mend_ids(PartitionState& partition, const lake::PlannedCut& cut);
    Status check_landed_once(log::PartitionReader& log, Offset to);
    Status note_origins(PartitionState& partition, Offset to);
    Status land_cut(PartitionState& partition, const lake::PlannedCut& cut, std::optional<CutLanding> planned);
    Status land_part(const PartitionState& partition, const CutLanding& landing, const TablePart& part,
                     lake::TableBooks& books);
    Status land_events(const PartitionState& partition, const CutLanding& landing, const TablePart& part,
                       lake::TableBooks& books);
    Status look(PartitionState& partition);
    Status take_lock(PartitionState& partition, std::unique_ptr<io::Lock>& lock);
    Status resume_stopped(PartitionState& partition);
    Status resume(PartitionState& partition, const std::vector<lake::PlannedCut>& cuts, const std::string& name);

    const LandingWorld world_;
    const LandingOptions options_;
    const LandingEvents events_;
    KnownTables tables_;
    bool knows_names_ = false;
    std::vector<std::unique_ptr<PartitionState>> partitions_;
};

} // namespace questlog::batch
