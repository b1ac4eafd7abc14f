#include "batch/lander.h"

#include "batch/cut_landing.h"
#include "io/lock_error.h"
#include "lake/landed_logs.h"
#include "scan/landed_log.h"
#include "scan/table_names.h"

#include <algorithm>

namespace questlog::batch {

using lake::Books;
using lake::CutReason;
using lake::PlannedCut;

struct Lander::PartitionState {
    PartitionState(io::Env env, const lake::ContinuousStore& store, const log::Topic& topic, Partition number,
                   const CutLimits& limits)
        : partition(number), records(env, store.lake_root(), topic.id, number), finder(limits, Offset{}) {}

    Partition partition;
    lake::LandingRecords records;
    CutFinder finder;
    std::optional<Books> books;                ///< nullopt: not looked at yet.
    Offset end;                                ///< The log's, when it was last seen to grow,
    std::chrono::nanoseconds grew_at{0};       ///< and when that was.
    Offset oldest{-1};                         ///< Of those that are not landed, the first,
    std::chrono::nanoseconds oldest_seen_at{}; ///< and when it was first seen.
    bool swept = false;
    Offset others_end; ///< While it is another lander's: how far that one is.
};

/// Below it everything is in its table.
static Offset end_of_all(const Books& books) {
    Offset end = books.landed_to;
    for (const auto& [name, table] : books.tables) end = std::min(end, table.stopped_at.value_or(end));
    return end;
}

Lander::Lander(const LandingWorld& world, LandingOptions options, LandingEvents events)
    : world_(world), options_(std::move(options)), events_(std::move(events)) {
    for (Partition i{0}; i.value < world_.log.topic().partitions; ++i.value)
        partitions_.push_back(
            std::make_unique<PartitionState>(world_.env, world_.store, world_.log.topic(), i, options_.limits));
    tables_.rules = options_.rules;
}

Lander::~Lander() = default;

Status Lander::land_due() {
    return land(Until::due);
}

Status Lander::land_all() {
    return land(Until::all);
}

std::int64_t Lander::pending() const {
    std::int64_t pending = 0;
    for (const auto& partition : partitions_)
        if (partition->books) pending += partition->end.minus(partition->books->landed_to);
    return pending;
}

std::vector<Offset> Lander::landed() const {
    std::vector<Offset> ends;
    for (const auto& partition : partitions_) {
        ends.push_back(partition->books ? end_of_all(*partition->books) : partition->others_end);
    }
    return ends;
}

/// One partition's failure keeps no other from being landed; the first is told.
Status Lander::land(Until until) {
    Status first;
    for (const auto& partition : partitions_) {
        Status landed = land_partition(*partition, until);
        if (landed.ok()) continue;
        partition->books.reset();                                                // what is true now is read anew
        if (landed.error().kind == ErrorKind::corrupt) partition->swept = false; // it may be what is mended then
        if (first.ok())
            first = landed.error().within(fmt::format("topic {} [{}]", world_.log.topic().name, partition->partition));
    }
    return first;
}

/// Reads the books, and takes up what had been stopped.
Status Lander::begin(PartitionState& partition) {
    log::PartitionReader& log = world_.log.partition(partition.partition);
    tables_.opened.clear(); // a table may have been made anew since the books were looked at last
    if (!knows_names_) {
        TRY(names, world_.store.names());
        tables_.names.insert(names.begin(), names.end());
        knows_names_ = true;
    }
    TRY(books, partition.records.books());
    TRY(start, log.start_offset());
    TRY(end, log.end_offset());
    if (!books) {
        TRY(cuts, partition.records.cuts()); // the first may be recorded, and not landed
        const Offset first = cuts.empty() ? start : cuts.front().from;
        books = Books{first, first, 0, 0, {}};
    }
    CHECK_OK(scan::check_landed(log, books->landed_to, books->last));
    CHECK_OK(check_landed_once(log, end));
    partition.books = std::move(books);
    partition.finder.restart(std::max(partition.books->landed_to, std::min(start, end)));
    partition.end = end;
    partition.grew_at = world_.env.clock.monotonic();
    return resume_stopped(partition);
}

/// In a lake of which nothing is known.
Status Lander::begin_anew(PartitionState& partition) {
    partition.books.reset();
    partition.swept = false;
    tables_.names.clear();
    knows_names_ = false;
    return begin(partition);
}

/// At one that another lander lands.
Status Lander::look(PartitionState& partition) {
    partition.books.reset();
    TRY(books, partition.records.books());
    if (books) partition.others_end = end_of_all(*books);
    return {};
}

Status Lander::take_lock(PartitionState& partition, std::unique_ptr<io::Lock>& lock) {
    auto taken = partition.records.lock(options_.lock_wait);
    if (!taken.ok())
        return io::is_held_by_another(taken.error()) ? taken.error().within("another process is landing")
                                                     : taken.error();
    lock = std::move(taken).value();
    if (partition.swept) return {};
    CHECK_OK(world_.store.sweep(world_.log.topic().id, partition.partition));
    CHECK_OK(partition.records.sweep());
    CHECK_OK(mend_all_ids(partition));
    partition.swept = true;
    return {};
}

Status Lander::land_partition(PartitionState& partition, Until until) {
    if (options_.has && !options_.has(partition.partition)) return look(partition);
    if (!partition.books) CHECK_OK(begin(partition));
    TRY(end, world_.log.partition(partition.partition).end_offset());
    if (end < partition.books->landed_to)
        return scan::check_landed(world_.log.partition(partition.partition), partition.books->landed_to, {});
    if (end > partition.end) {
        partition.end = end;
        partition.grew_at = world_.env.clock.monotonic();
    }
    while (true) {
        if (options_.stop && options_.stop()) return {};
        if (options_.has && !options_.has(partition.partition)) return {};
        TRY(due, next_cut(partition, end, until));
        if (!due) return {};
        std::unique_ptr<io::Lock> lock;
        CHECK_OK(take_lock(partition, lock));
        TRY(books, partition.records.books());
        if (!books && partition.books->landed_to > partition.books->began) { // with them the lake went, to land anew
            lock.reset();
            CHECK_OK(begin_anew(partition));
            continue;
        }
        // A rebuild notes itself in the books, where there are any.
        if (!books || books->rebuilt != partition.books->rebuilt) tables_.opened.clear();
        if (books) {
            const bool is_other = books->landed_to != partition.books->landed_to; // another lander was quicker
            partition.books = std::move(books);
            if (is_other) {
                partition.finder.restart(partition.books->landed_to);
                continue;
            }
        }
        std::optional<CutLanding> planned;
        TRY(cut, record(partition, *due, planned));
        CHECK_OK(land_cut(partition, cut, std::move(planned)));
        partition.finder.restart(cut.to);
    }
}

/// The cut that is recorded then, and its plan, if it is this one's. What repeats is told, and the ids of the cut are
/// recorded, before it is. Under the lock.
Result<PlannedCut> Lander::record(PartitionState& partition, PlannedCut due, std::optional<CutLanding>& planned) {
    TRY(recorded, partition.records.cut_at(due.from));
    if (recorded || due.date.empty()) return partition.records.record(recorded.value_or(due));
    const auto find_repeats = [&](const std::vector<event::IdSighting>& ids) -> Result<std::vector<OffsetSpan>> {
        TRY(repeats, scan::find_repeats(ids, options_.repeats, [&](TimestampMs time, const scan::SightingSink& sink) {
                return partition.records.visit_ids(due.from, time.plus(-options_.repeats.time.count()), sink);
            }));
        CHECK_OK(partition.records.write_ids(due.from, ids));
        due.ids = static_cast<std::int64_t>(ids.size());
        return repeats;
    };
    TRY(landing, CutLanding::plan(world_.log, partition.partition, due, tables_, find_repeats));
    due.repeats = landing.set_aside().repeats;
    due.invalid = landing.set_aside().invalid;
    if (const auto last = landing.last_offset()) {
        TRY(witness, scan::witness_at(world_.log.partition(partition.partition), *last));
        due.last = witness;
    }
    if (due.ids > 0) CHECK_OK(partition.records.forget_ids(options_.repeats));
    TRY(cut, partition.records.record(due));
    if (cut == due)
        planned = std::move(landing);
    else // someone whom the lock did not keep out was quicker, and ours may have taken the place of its ids
        CHECK_OK(mend_ids(partition, cut));
    return cut;
}

/// Writes the ids of landed cuts anew where they are missing or damaged, as far as they can matter and the log has
/// them. Under the lock.
Status Lander::mend_all_ids(PartitionState& partition) {
    const TimestampMs since = world_.env.clock.wall_ms().plus(-options_.repeats.time.count());
    TRY(first, world_.log.partition(partition.partition).find_time(since));
    TRY(cuts, partition.records.cuts());
    for (const PlannedCut& cut : cuts)
        if (cut.to > first) CHECK_OK(mend_ids(partition, cut));
    return {};
}

Status Lander::mend_ids(PartitionState& partition, const PlannedCut& cut) {
    if (cut.ids == 0) return {};
    TRY(there, partition.records.ids_of(cut.from));
    if (there == cut.ids) return {};
    log::PartitionReader& log = world_.log.partition(partition.partition);
    TRY(start, log.start_offset());
    std::vector<event::IdSighting> ids;
    CHECK_OK(scan::visit_ids(log, std::max(cut.from, start), cut.to,
                             [&](const event::IdSighting& id) { ids.push_back(id); }));
    return ids.empty() ? Status() : partition.records.write_ids(cut.from, ids);
}

/// Whether what there is is landed though no limit is reached: nothing more comes, or the first of it has been there
/// for long enough. The times of events may stand still, as after a clock was set back.
bool Lander::is_waited_for(PartitionState& partition) const {
    const auto now = world_.env.clock.monotonic();
    if (partition.oldest != partition.books->landed_to) {
        partition.oldest = partition.books->landed_to;
        partition.oldest_seen_at = now;
    }
    return now - partition.grew_at >= options_.idle ||
           now - partition.oldest_seen_at >= options_.limits.time + options_.idle;
}

/// The cut to be landed next; nullopt: none is due.
Result<std::optional<PlannedCut>> Lander::next_cut(PartitionState& partition, Offset end, Until until) {
    const Offset from = partition.books->landed_to;
    CutFinder& finder = partition.finder;
    if (finder.from() > from)
        return std::optional(PlannedCut{from, finder.from(), {}, CutReason::expired, options_.writer});
    TRY(found, finder.find(world_.log.partition(partition.partition), end));
    CutReason reason = CutReason::limit;
    if (!found) {
        if (finder.seen() == from) return std::optional<PlannedCut>{};
        if (until == Until::due && !is_waited_for(partition)) return std::optional<PlannedCut>{};
        reason = until == Until::all ? CutReason::asked : CutReason::idle;
    }
    return std::optional(PlannedCut{from, found.value_or(finder.seen()),
                                    finder.has_events() ? utc_date(finder.first_time()) : std::string(), reason,
                                    options_.writer});
}

/// A log that has the same events may have been landed in the same lake.
Status Lander::check_landed_once(log::PartitionReader& log, Offset to) {
    const std::string& id = world_.log.topic().id;
    TRY(others, lake::other_landed_logs(world_.env, world_.store.lake_root(), id));
    if (others.empty()) return {};
    TRY(origins, log.origins(to));
    return lake::check_landed_once(id, origins, others);
}

/// Before any event is landed that came from a log that is new here. Under the lock.
Status Lander::note_origins(PartitionState& partition, Offset to) {
    log::PartitionReader& log = world_.log.partition(partition.partition);
    TRY(origins, log.origins(to));
    const std::set<std::string>& known = partition.books->origins;
    if (std::includes(known.begin(), known.end(), origins.begin(), origins.end())) return {};
    CHECK_OK(check_landed_once(log, to));
    Books books = *partition.books;
    books.origins.insert(origins.begin(), origins.end());
    CHECK_OK(partition.records.write_books(books));
    partition.books = std::move(books);
    return {};
}

/// Under the lock. The books are written last: until then the cut is not landed, and is landed again.
Status Lander::land_cut(PartitionState& partition, const PlannedCut& cut, std::optional<CutLanding> planned) {
    CHECK_OK(note_origins(partition, cut.to));
    Books books = *partition.books;
    LandedCut landed{partition.partition, cut, 0, 0, 0, {}};
    if (!cut.date.empty()) {
        if (!planned) {
            TRY(landing, CutLanding::plan(world_.log, partition.partition, cut, tables_));
            planned = std::move(landing);
        }
        const CutLanding& landing = *planned;
        landed.records = landing.tally().events;
        for (const TablePart& part : landing.parts()) {
            lake::TableBooks& of_table = books.tables[part.name];
            if (of_table.stopped_at) continue;
            if (const Status done = land_part(partition, landing, part, of_table); !done.ok()) {
                if (done.error().kind == ErrorKind::retry_later) return done;
                of_table.stopped_at = cut.from;
                of_table.reason = done.error().message;
                if (events_.on_stopped) events_.on_stopped(part.name, done.error());
                continue;
            }
            landed.repeats += part.repeats;
            if (part.subject.is_dead_letters)
                landed.dead_letters = part.events;
            else if (part.events > 0)
                landed.tables.emplace_back(part.name, part.events);
        }
    }
    books.records += landed.records;
    books.landed_to = cut.to;
    if (cut.last) books.last = cut.last;
    CHECK_OK(partition.records.write_books(books));
    partition.books = std::move(books);
    if (events_.on_cut) events_.on_cut(landed);
    return {};
}

/// Lands the part and enters it into the books; an error where these and the table's files do not agree then.
Status Lander::land_part(const PartitionState& partition, const CutLanding& landing, const TablePart& part,
                         lake::TableBooks& books) {
    if (part.events > 0) CHECK_OK(land_events(partition, landing, part, books));
    books.repeats += part.repeats;
    books.invalid += part.invalid;
    return {};
}

Status Lander::land_events(const PartitionState& partition, const CutLanding& landing, const TablePart& part,
                           lake::TableBooks& books) {
    TRY(database, world_.database());
    auto landed = landing.land(part, world_.store, *database, tables_);
    if (!landed.ok()) {
        tables_.opened.erase(part.name);
        return landed.error();
    }
    const std::int64_t events = books.events + part.events;
    const lake::ContinuousTable& table = tables_.opened.at(part.name);
    const auto rows = table.rows_of(world_.log.topic().id, partition.partition);
    // Where a lander that the lock did not keep out is further, there are rows of later cuts: those cuts' turn comes.
    const bool is_further = table.landed_to(world_.log.topic().id, partition.partition) > landing.cut().to;
    if (rows && *rows != events && !is_further)
        return internal("its files have {} rows of topic {} [{}], and {} events were landed there: `questlog rebuild "
                        "{}` makes the table anew from the log",
                        *rows, world_.log.topic().name, partition.partition, events, part.name);
    books.events = events;
    for (std::string& column : landing.fractions(part, table)) books.fractions.insert(std::move(column));
    return {};
}

Status Lander::resume_stopped(PartitionState& partition) {
    std::vector<std::string> stopped;
    for (const auto& [name, table] : partition.books->tables)
        if (table.stopped_at) stopped.push_back(name);
    if (stopped.empty()) return {};
    std::unique_ptr<io::Lock> lock;
    CHECK_OK(take_lock(partition, lock));
    TRY(books, partition.records.books());
    partition.books = std::move(books);
    TRY(cuts, partition.records.cuts());
    for (const std::string& name : stopped)
        if (partition.books->tables[name].stopped_at) CHECK_OK(resume(partition, cuts, name));
    return {};
}

/// Lands in one table what the others have. Under the lock.
Status Lander::resume(PartitionState& partition, const std::vector<PlannedCut>& cuts, const std::string& name) {
    lake::TableBooks& table = partition.books->tables[name];
    for (const PlannedCut& cut : cuts) {
        if (cut.from < *table.stopped_at || cut.to > partition.books->landed_to || cut.date.empty()) continue;
        TRY(landing, CutLanding::plan(world_.log, partition.partition, cut, tables_));
        for (const TablePart& part : landing.parts()) {
            if (part.name != name) continue;
            if (const Status done = land_part(partition, landing, part, table); !done.ok()) {
                if (done.error().kind == ErrorKind::retry_later) return done;
                table.reason = done.error().message;
                if (events_.on_stopped) events_.on_stopped(name, done.error());
                return partition.records.write_books(*partition.books);
            }
        }
        table.stopped_at = cut.to;
    }
    table.stopped_at.reset();
    table.reason.clear();
    CHECK_OK(partition.records.write_books(*partition.books));
    if (events_.on_resumed) events_.on_resumed(name);
    return {};
}

} // namespace questlog::batch
