#pragma once

#include "base/result.h"
#include "base/strong.h"
#include "base/witness.h"
#include "event/message_hash.h"
#include "io/env.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// What landing in continuous tables remembers of one partition of a log: its plan, cut by cut, and its books.
/// docs/formats/lake.md.
///
///   ROOT/.landing/<log id>/<partition>/<from>.plan   a cut, recorded before any file of it is written; never changed
///   ROOT/.landing/<log id>/<partition>/<from>.ids    the message ids of a cut that has any, recorded before it
///   ROOT/.landing/<log id>/<partition>/books         what all cuts so far have landed
///   ROOT/.locks/landing-<log id>.lock                byte <partition>: held around each cut
namespace questlog::lake {

inline constexpr std::size_t offset_digits = 20; ///< Of <from>: names are sorted as offsets are.

/// Why a cut ends where it does.
enum class CutReason : std::uint8_t {
    limit,   ///< Of bytes, time or day.
    idle,    ///< Nothing more came for a while, or what there was had been there for long.
    asked,   ///< Someone waited for it.
    expired, ///< It is what the log had let go of before it was landed: there is nothing to land.
};

/// A stretch of the partition that is landed as one: one file in each table that has events there.
struct PlannedCut {
    Offset from;
    Offset to;        ///< One past its last.
    std::string date; ///< UTC day of its events; empty: it has none.
    CutReason reason = CutReason::limit;
    std::string writer;   ///< Versions of questlog and DuckDB: with the same, the files have the same bytes.
    std::int64_t ids = 0; ///< How many of its events have message ids.
    std::vector<OffsetSpan> repeats{}; ///< Of them, those that repeat an earlier one: they are landed nowhere.
    /// Events that are not as declared, each reason with its offsets: dead letters.
    std::vector<std::pair<std::string, std::vector<OffsetSpan>>> invalid{};
    /// Its last record, by which the log is known again. nullopt: it has none, or an older version has planned it.
    std::optional<Witness> last{};
    auto operator<=>(const PlannedCut&) const = default;
};

/// Of one table, since the log began.
struct TableBooks {
    std::int64_t events = 0; ///< As the plans counted them, without repeats. The table's files have as many rows.
    /// From here on nothing is landed in it, whatever Books::landed_to says: `reason`. nullopt: all is well.
    std::optional<Offset> stopped_at;
    std::string reason;
    std::int64_t repeats = 0;          ///< Of its type, passed over.
    std::int64_t invalid = 0;          ///< Likewise, among the dead letters.
    std::set<std::string> fractions{}; ///< Columns of integers for which events have had fractions: these are rescued.
    auto operator<=>(const TableBooks&) const = default;
};

struct Books {
    Offset began;             ///< The first offset that was planned: what was before had expired.
    Offset landed_to;         ///< Every cut below is in all tables, but for those that are stopped.
    std::int64_t records = 0; ///< That the cuts below held.
    std::int64_t rebuilt = 0; ///< How often a table was made anew: what a lander knows of the tables is old then.
    std::map<std::string, TableBooks, std::less<>> tables; ///< By name; dead_letters among them.
    std::optional<Witness> last{};                         ///< PlannedCut::last, of the last cut that has one.
    /// The logs that records of the partition were forwarded from, where it is a cluster's: recorded before any of them
    /// is landed.
    std::set<std::string> origins{};
    auto operator<=>(const Books&) const = default;
};

using SightingSink = std::function<void(const event::IdSighting&)>;

/// Where ids are to be had that are not in a cut's file, though it had any: the log may have the cut yet.
struct MissingIds {
    Offset from; ///< Cuts that end below are too old to be asked for.
    /// Hands on, in order, those that there are. Empty: what is missing is passed over, and what is damaged is an
    /// error.
    std::function<Status(const PlannedCut& cut, const SightingSink&)> visit{};
};

/// Any thread; writing is the lock holder's.
class LandingRecords {
public:
    LandingRecords(io::Env env, std::string lake_root, std::string log_id, Partition partition);

    /// nullopt: nothing was landed yet. `corrupt` names the file and what to do.
    Result<std::optional<Books>> books() const;
    /// Durable on success; on an error the old ones or the new ones are there.
    Status write_books(const Books& books);

    /// The cut that begins at `from`; nullopt: none was recorded.
    Result<std::optional<PlannedCut>> cut_at(Offset from) const;
    /// Records the cut if none begins there yet. Returns the one that does, and that is durable then. For the lock's
    /// holder; if someone lands without it, still one cut begins there.
    Result<PlannedCut> record(const PlannedCut& cut);
    /// All that were recorded, in order. Each begins where the one before ends.
    Result<std::vector<PlannedCut>> cuts() const;

    /// Puts the ids of the cut from there on, which are not empty, durably in the place of what was there. For the
    /// lock's holder. A cut is recorded after its ids.
    Status write_ids(Offset from, const std::vector<event::IdSighting>& ids);
    /// How many ids of the cut that begins at `from` are there to be read: 0 where they are missing or damaged.
    Result<std::int64_t> ids_of(Offset from) const;
    /// Hands on, in order, the ids below `below` of the first cut that has any at or after `time`, and of all after
    /// it. `corrupt` names the file that is damaged; a lander writes it anew.
    Status visit_ids(Offset below, TimestampMs time, const SightingSink& sink, const MissingIds& missing = {}) const;
    /// Removes the ids of the first cuts, as far as they lie before the window, with a margin for who is reading them,
    /// before the end of what has ids. Ids came when they were landed where their times are later than that. For the
    /// lock's holder.
    Status forget_ids(const event::RepeatWindow& window);

    /// Excludes other landers of the partition. `retry_later` naming the holder's pid when `wait` has passed.
    Result<std::unique_ptr<io::Lock>> lock(std::chrono::milliseconds wait);

    /// Removes what crashed writers have left. For the lock's holder.
    Status sweep();

    [[nodiscard]] const std::string& directory() const { return directory_; }

private:
    Result<bool> visit_missing(Offset from, const MissingIds& missing, const SightingSink& sink) const;

    io::Env env_;
    std::string lake_root_;
    std::string log_id_;
    Partition partition_;
    std::string directory_;
};

} // namespace questlog::lake
