#include "batch/rebuild.h"

#include "base/plural.h"
#include "batch/cut_landing.h"
#include "io/lock_error.h"
#include "lake/landing_records.h"
#include "scan/landed_log.h"
#include "scan/table_names.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::batch {
namespace {

/// One partition, its lock held.
struct Held {
    lake::LandingRecords records;
    std::unique_ptr<io::Lock> lock;
    lake::Books books;
    bool has_books = false;
    std::vector<lake::PlannedCut> cuts; ///< Those that are landed and have events.
    lake::TableBooks table;             ///< The table's, of what was landed anew.
};

class Rebuild {
public:
    Rebuild(const LandingWorld& world, std::string table, const RebuildOptions& options)
        : world_(world), name_(std::move(table)), options_(options),
          aside_root_(world.store.replacement_root(world.log.topic().id)), aside_(world.env, aside_root_) {}

    Result<RebuildReport> run() {
        CHECK_OK(take_locks());
        CHECK_OK(world_.store.put_back(world_.log.topic().id));
        CHECK_OK(world_.env.files.remove_tree(aside_root_)); // a crashed one's
        CHECK_OK(look_at_log());
        CHECK_OK(look_at_old());
        CHECK_OK(may_replace_old());
        const Status made = make();
        if (!made.ok() && !world_.store.put_back(world_.log.topic().id).ok()) return made.error(); // the next one does
        const Status cleared = world_.env.files.remove_tree(aside_root_);
        CHECK_OK(made);
        CHECK_OK(cleared);
        return report_;
    }

private:
    Status take_locks() {
        for (Partition partition{0}; partition.value < world_.log.topic().partitions; ++partition.value) {
            lake::LandingRecords records(world_.env, world_.store.lake_root(), world_.log.topic().id, partition);
            auto lock = records.lock(options_.lock_wait);
            if (!lock.ok())
                return io::is_held_by_another(lock.error()) ? lock.error().within("another process is landing")
                                                            : lock.error();
            TRY(books, records.books());
            if (books) CHECK_OK(scan::check_landed(world_.log.partition(partition), books->landed_to, books->last));
            TRY(cuts, records.cuts());
            std::erase_if(cuts, [&](const lake::PlannedCut& cut) {
                return cut.date.empty() || !books || cut.to > books->landed_to;
            });
            partitions_.push_back({std::move(records),
                                   std::move(lock).value(),
                                   books.value_or(lake::Books{}),
                                   books.has_value(),
                                   std::move(cuts),
                                   {}});
        }
        return {};
    }

    /// How much of what was landed the log still has.
    Status look_at_log() {
        for (std::size_t i = 0; i < partitions_.size(); ++i) {
            TRY(start, world_.log.partition(number(i)).start_offset());
            for (const lake::PlannedCut& cut : partitions_[i].cuts) {
                report_.expired += std::clamp<std::int64_t>(start.minus(cut.from), 0, cut.to.minus(cut.from));
                total_ += cut.to.minus(std::max(cut.from, std::min(start, cut.to)));
            }
        }
        return {};
    }

    /// A generation of its own, also where the old one does not read; and what other logs have landed there.
    Status look_at_old() {
        TRY(database, world_.database());
        TRY(connection, database->connect());
        const auto old = world_.store.open(*connection, name_);
        generation_ = old.ok() && *old ? (*old)->generation() + 1 : world_.env.clock.wall_ms().value;
        const std::string& log_id = world_.log.topic().id;
        if (!old.ok()) {
            TRY(others, world_.store.others_lying_in(name_, log_id));
            report_.of_others = std::move(others);
        } else if (*old) {
            report_.of_others = (*old)->rows_of_others(log_id);
        }
        return {};
    }

    /// Nothing that cannot be made again gets lost unasked.
    Status may_replace_old() {
        if (options_.force) return {};
        const log::Topic& topic = world_.log.topic();
        std::string losses;
        if (report_.expired > 0)
            losses = fmt::format("{} landed events of topic {} have expired from the log, and the table would be "
                                 "without those of them that are its",
                                 report_.expired, topic.name);
        if (!report_.of_others.empty())
            losses += fmt::format("{}it holds {}, which are not in this log (topic {}, id {}) and would be lost",
                                  losses.empty() ? "" : "; and ", other_logs_text(report_.of_others, options_.topic_of),
                                  topic.name, topic.id);
        if (losses.empty()) return {};
        return reject("table {} is left as it is: {}. To make it all the same, from what this log still has, add "
                      "--force",
                      name_, losses);
    }

    Status make() {
        KnownTables known;
        known.rules = options_.rules;
        TRY(names, world_.store.names());
        known.names.insert(names.begin(), names.end());
        known.names.insert(name_);
        for (std::size_t i = 0; i < partitions_.size(); ++i)
            for (const lake::PlannedCut& cut : partitions_[i].cuts) CHECK_OK(land(i, cut, known));
        if (report_.rows == 0)
            return reject("no event that the log has and that is landed belongs to a table {}", name_);
        // Before the exchange: whoever lands after it, and if this process ends right then, must not go by what it
        // knows of the old table.
        for (Held& held : partitions_) {
            if (!held.has_books) continue;
            ++held.books.rebuilt;
            CHECK_OK(held.records.write_books(held.books));
        }
        CHECK_OK(world_.store.replace(name_, aside_));
        for (Held& held : partitions_) {
            if (held.cuts.empty()) continue;
            held.books.tables[name_] = held.table;
            CHECK_OK(held.records.write_books(held.books));
        }
        return {};
    }

    Status land(std::size_t partition, const lake::PlannedCut& cut, KnownTables& known) {
        TRY(landing, CutLanding::plan(world_.log, number(partition), cut, known));
        for (const TablePart& part : landing.parts()) {
            if (part.name != name_) continue;
            lake::TableBooks& books = partitions_[partition].table;
            books.repeats += part.repeats;
            books.invalid += part.invalid;
            if (part.events == 0) continue;
            if (!known.opened.contains(name_))
                known.opened.emplace(name_, aside_.make(name_, part.subject, generation_));
            TRY(database, world_.database());
            CHECK_OK(landing.land(part, aside_, *database, known));
            books.events += part.events;
            for (std::string& column : landing.fractions(part, known.opened.at(name_)))
                books.fractions.insert(std::move(column));
            report_.rows += part.events;
        }
        ++report_.cuts;
        done_ += landing.tally().events;
        if (options_.progress) options_.progress(done_, total_);
        return {};
    }

    [[nodiscard]] static Partition number(std::size_t index) { return Partition{static_cast<std::int32_t>(index)}; }

    const LandingWorld& world_;
    std::string name_;
    const RebuildOptions& options_;
    std::string aside_root_;
    lake::ContinuousStore aside_;
    std::int64_t generation_ = 0;
    std::vector<Held> partitions_;
    RebuildReport report_;
    std::int64_t done_ = 0;
    std::int64_t total_ = 0;
};

} // namespace

std::string other_logs_text(const std::vector<lake::RowsOfLog>& others,
                            const std::function<std::string(const std::string& log_id)>& topic_of) {
    std::string text;
    for (const lake::RowsOfLog& other : others) {
        if (!text.empty()) text += &other == &others.back() ? " and " : ", ";
        text += fmt::format("{} of log {}", other.rows ? plural(*other.rows, "row") : "rows", other.log_id);
        if (const std::string topic = topic_of ? topic_of(other.log_id) : ""; !topic.empty())
            text += fmt::format(" (topic {})", topic);
    }
    return text;
}

Result<RebuildReport> rebuild(const LandingWorld& world, const std::string& table, const RebuildOptions& options) {
    return Rebuild(world, table, options).run();
}

} // namespace questlog::batch
