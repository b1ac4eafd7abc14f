#include "batch/verification.h"

#include "batch/cut_landing.h"
#include "batch/file_difference.h"
#include "lake/landing_records.h"
#include "scan/landed_log.h"
#include "scan/table_names.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace questlog::batch {
namespace {

using State = VerifiedFile::State;

class Verification {
public:
    Verification(const LandingWorld& world, const VerifyOptions& options) : world_(world), options_(options) {}

    Result<VerifyReport> run() {
        TRY(database, world_.database());
        TRY(connection, database->connect());
        connection_ = std::move(connection);
        TRY(names, world_.store.names());
        known_.names.insert(names.begin(), names.end());
        if (options_.table && !known_.names.contains(*options_.table))
            return reject("there is no landed table {}: `questlog sql \"SHOW TABLES\"` lists the tables",
                          *options_.table);
        TRY(landed, landed_cuts());
        for (const auto& [partition, cut] : landed) CHECK_OK(verify_cut(partition, cut));
        return report_;
    }

private:
    Result<std::vector<std::pair<Partition, lake::PlannedCut>>> landed_cuts() {
        std::vector<std::pair<Partition, lake::PlannedCut>> landed;
        for (Partition partition{0}; partition.value < world_.log.topic().partitions; ++partition.value) {
            const lake::LandingRecords records(world_.env, world_.store.lake_root(), world_.log.topic().id, partition);
            TRY(books, records.books());
            if (!books) continue;
            CHECK_OK(scan::check_landed(world_.log.partition(partition), books->landed_to, books->last));
            books_.emplace(partition.value, *books);
            TRY(cuts, records.cuts());
            for (const lake::PlannedCut& cut : cuts)
                if (!cut.date.empty() && cut.to <= books->landed_to) {
                    landed.emplace_back(partition, cut);
                    total_ += cut.to.minus(cut.from);
                }
        }
        return landed;
    }

    Status verify_cut(Partition partition, const lake::PlannedCut& cut) {
        TRY(start, world_.log.partition(partition).start_offset());
        if (cut.from < start) return tell_unverifiable(partition, cut, start);
        TRY(landing, CutLanding::plan(world_.log, partition, cut, known_));
        for (const TablePart& part : landing.parts()) {
            if (part.events == 0 || (options_.table && *options_.table != part.name)) continue;
            CHECK_OK(verify_part(landing, part, partition, cut));
        }
        done_ += cut.to.minus(cut.from);
        if (options_.progress) options_.progress(done_, total_);
        return {};
    }

    /// Every file of the cut, of whatever table.
    Status tell_unverifiable(Partition partition, const lake::PlannedCut& cut, Offset start) {
        for (const std::string& name : known_.names) {
            if (options_.table && *options_.table != name) continue;
            TRY(is_open, opens(name, partition, cut));
            if (!is_open) continue;
            TRY(table, open(name));
            const lake::DeltaFile* file = table == nullptr ? nullptr : file_of(*table, partition, cut);
            if (file == nullptr) continue;
            CHECK_OK(tell({State::unverifiable,
                           name,
                           file->path,
                           {{partition.value, cut.from, cut.to}},
                           file->rows,
                           fmt::format("the log begins at offset {}", start)}));
        }
        return {};
    }

    Status verify_part(const CutLanding& landing, const TablePart& part, Partition partition,
                       const lake::PlannedCut& cut) {
        VerifiedFile verified{State::missing, part.name, {}, {{partition.value, cut.from, cut.to}}, part.events, {}};
        const auto& of_tables = books_.at(partition.value).tables;
        const auto of_table = of_tables.find(part.name);
        if (of_table != of_tables.end() && of_table->second.stopped_at && *of_table->second.stopped_at <= cut.from) {
            verified.state = State::unverifiable;
            verified.what = "landing is stopped there: " + of_table->second.reason;
            return tell(verified);
        }
        TRY(is_open, opens(part.name, partition, cut));
        if (!is_open) return {};
        TRY(table, open(part.name));
        const lake::DeltaFile* file = table == nullptr ? nullptr : file_of(*table, partition, cut);
        if (file == nullptr) {
            const bool is_foreign = table != nullptr && !table->rows_of(world_.log.topic().id, partition);
            if (is_foreign) verified.state = State::unverifiable;
            verified.what = is_foreign ? "another program has written the table's files anew" : "no file has the cut";
            return tell(verified);
        }
        verified.file = file->path;
        TRY(what, compare(landing, part, *table, *file, cut.writer == options_.writer));
        verified.state = what.empty() ? State::same : State::different;
        verified.what = std::move(what);
        return tell(verified);
    }

    /// What is different; empty: nothing.
    Result<std::string> compare(const CutLanding& landing, const TablePart& part, const lake::ContinuousTable& table,
                                const lake::DeltaFile& file, bool same_writer) {
        TRY(readable, world_.store.readable_path(table, file));
        const auto columns = columns_in(table, readable.path);
        if (!columns.ok()) return fmt::format("it does not read: {}", columns.error().message);
        TRY(as_landed, landing.landed_as(*connection_, part, *columns));
        TRY(again, world_.store.copy(*connection_, table, as_landed));
        const auto compared = [&]() -> Result<std::string> {
            TRY(landed, world_.env.files.open(table.folder() + "/" + file.path, io::Open::read));
            TRY(made, world_.env.files.open(again.location, io::Open::read));
            TRY(same, same_bytes(*landed, *made));
            if (same) return std::string();
            const auto difference = first_difference(*connection_, {readable.path}, again.path.path);
            if (!difference.ok()) return fmt::format("it does not read: {}", difference.error().message);
            if (!difference->empty() || !same_writer) return *difference;
            return std::string("its rows are the same, and its bytes are not, though the same versions wrote it");
        }();
        CHECK_OK(world_.store.forget(again));
        return compared;
    }

    /// Those of the table's columns that a file of it has: it may be older than some.
    Result<std::vector<lake::ContinuousColumn>> columns_in(const lake::ContinuousTable& table,
                                                           const std::string& path) {
        TRY(rows, connection_->query(fmt::format("SELECT * FROM {} LIMIT 0", duck::read_parquet({path}))));
        std::vector<lake::ContinuousColumn> columns;
        for (const lake::ContinuousColumn& column : table.columns())
            if (std::any_of(rows->columns().begin(), rows->columns().end(),
                            [&](const duck::ResultColumn& of_file) { return of_file.name == column.name; }))
                columns.push_back(column);
        return columns;
    }

    /// nullptr: there is no such table.
    Result<const lake::ContinuousTable*> open(const std::string& name) {
        if (const auto found = known_.opened.find(name); found != known_.opened.end()) return &found->second;
        TRY(table, world_.store.open(*connection_, name));
        if (!table) return nullptr;
        return &known_.opened.emplace(name, std::move(*table)).first->second;
    }

    /// Whether the table can be looked at. One that is damaged is told with its first cut, and passed over from then
    /// on.
    Result<bool> opens(const std::string& name, Partition partition, const lake::PlannedCut& cut) {
        if (damaged_.contains(name)) return false;
        const auto table = open(name);
        if (table.ok()) return true;
        const Error& error = table.error();
        if (!lake::ContinuousStore::is_damage(error)) return error.within("table " + name);
        damaged_.insert(name);
        const State state = error.kind == ErrorKind::reject ? State::unverifiable : State::different;
        CHECK_OK(tell({state, name, {}, {{partition.value, cut.from, cut.to}}, 0, error.message}));
        return false;
    }

    [[nodiscard]] const lake::DeltaFile* file_of(const lake::ContinuousTable& table, Partition partition,
                                                 const lake::PlannedCut& cut) const {
        const lake::LogStretch stretch{world_.log.topic().id, partition, cut.from, cut.to};
        const auto found = std::find_if(table.files().begin(), table.files().end(), [&](const lake::DeltaFile& file) {
            return lake::LogStretch::of_file(file.path) == stretch;
        });
        return found == table.files().end() ? nullptr : &*found;
    }

    Status tell(const VerifiedFile& file) { return report_.tell(file, options_); }

    const LandingWorld& world_;
    const VerifyOptions& options_;
    std::unique_ptr<duck::Connection> connection_;
    KnownTables known_;
    std::set<std::string> damaged_;
    std::map<std::int32_t, lake::Books> books_;
    VerifyReport report_;
    std::int64_t done_ = 0;
    std::int64_t total_ = 0;
};

} // namespace

Status VerifyReport::tell(const VerifiedFile& file, const VerifyOptions& options) {
    if (file.state == State::same) {
        ++same;
        rows += file.rows;
    } else if (file.state == State::unverifiable) {
        ++unverifiable;
    } else {
        ++different;
    }
    return options.on_file ? options.on_file(file) : Status();
}

Result<VerifyReport> verify(const LandingWorld& world, const VerifyOptions& options) {
    return Verification(world, options).run();
}

} // namespace questlog::batch
