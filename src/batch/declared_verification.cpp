#include "batch/file_difference.h"
#include "batch/output_facts.h"
#include "batch/verification.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::batch {
namespace {

using State = VerifiedFile::State;

/// One declared table's present generation, against the log.
class DeclaredVerification {
public:
    DeclaredVerification(const DeclaredWorld& world, const VerifyOptions& options, VerifyReport& report)
        : world_(world), options_(options), report_(report) {}

    Status verify(const JobOutput& output) {
        VerifiedFile verified{State::different, output.table.name, {}, {}, 0, {}};
        auto present = world_.lake.open(output.table.path);
        if (!present.ok()) {
            const ErrorKind kind = present.error().kind;
            if (kind != ErrorKind::corrupt && kind != ErrorKind::reject) return present.error();
            if (kind == ErrorKind::reject) verified.state = State::unverifiable;
            verified.what = kind == ErrorKind::corrupt ? lake::damage_of(present.error()) : present.error().message;
            return report_.tell(verified, options_);
        }
        if (!*present) return {};
        const lake::Snapshot& snapshot = **present;
        verified.file = output.table.path + "/" + snapshot.names.front();
        verified.ranges = snapshot.facts.ranges;
        verified.rows = snapshot.facts.rows;
        TRY(unverifiable, why_unverifiable(output, snapshot.facts));
        if (!unverifiable.empty()) {
            verified.state = State::unverifiable;
            verified.what = std::move(unverifiable);
            return report_.tell(verified, options_);
        }
        TRY(what, difference(output, snapshot));
        verified.state = what.empty() ? State::same : State::different;
        verified.what = std::move(what);
        return report_.tell(verified, options_);
    }

private:
    /// Empty: it can be made again.
    Result<std::string> why_unverifiable(const JobOutput& output, const lake::SnapshotFacts& facts) {
        if (facts.log_id != world_.log.topic().id) return std::string("it was made of another log");
        if (facts.declaration != output.table.digest())
            return std::string("its declaration is another one since: its job makes it anew");
        scan::LogRange there;
        for (Partition partition{0}; partition.value < world_.log.topic().partitions; ++partition.value) {
            log::PartitionReader& log = world_.log.partition(partition);
            TRY(from, log.start_offset());
            TRY(to, log.end_offset());
            there.push_back({partition, from, std::max(from, to)});
        }
        TRY(span, span_of(world_.log, there));
        for (const lake::LandedRange& range : facts.ranges) {
            const bool is_there = range.partition < world_.log.topic().partitions;
            if (!is_there || there[static_cast<std::size_t>(range.partition)].to < range.to)
                return fmt::format("the log of partition {} ends before it", range.partition);
            const Offset start = there[static_cast<std::size_t>(range.partition)].from;
            if (range.from < start) return fmt::format("the log begins at offset {}", start);
        }
        return loss_of(facts, span).value_or("");
    }

    /// Empty: none.
    Result<std::string> difference(const JobOutput& output, const lake::Snapshot& snapshot) {
        TRY(connection, world_.database.connect());
        TRY(again, make(*connection, output, snapshot.facts));
        const auto compared = [&]() -> Result<std::string> {
            if (snapshot.facts.files.empty()) {
                TRY(made, world_.env.files.open(again.location, io::Open::read));
                TRY(same, same_bytes(*snapshot.open_files.front(), *made));
                if (same) return std::string();
            }
            const auto rows = first_difference(*connection, snapshot.files, again.path.path);
            if (!rows.ok()) return fmt::format("it does not read: {}", rows.error().message);
            if (!rows->empty()) return *rows;
            TRY(same_version, same_writer(*connection, snapshot.files.front(), again.path.path));
            if (!same_version) return std::string();
            return std::string("its rows are the same, and its bytes are not, though the same version wrote it");
        }();
        CHECK_OK(world_.lake.forget(again));
        return compared;
    }

    /// What the job would write of that range of the log.
    Result<lake::SnapshotStore::Copy> make(duck::Connection& connection, const JobOutput& output,
                                           const lake::SnapshotFacts& facts) {
        scan::LogRange range;
        for (const lake::LandedRange& part : facts.ranges)
            range.push_back({Partition{part.partition}, part.from, part.to});
        scan::PlanOptions options;
        const auto types = output.table.event_types();
        options.keep_all = !types;
        if (types) options.keep_types = *types;
        options.progress = options_.progress;
        TRY(plan, scan::Plan::make(world_.log, range, options));
        TRY(relation, scan::relate(connection, *plan, output.table));
        Counts counts;
        TRY(in_range, events_in(world_.log, range));
        counts.in_range = in_range;
        counts.plan = plan->tally();
        TRY(span, span_of(world_.log, range));
        return world_.lake.copy(connection, relation.select, facts_of(span, output.table, relation, counts));
    }

    /// Whether the same version wrote both, by what Parquet calls created_by.
    static Result<bool> same_writer(duck::Connection& connection, const std::string& one, const std::string& other) {
        TRY(rows, connection.query_as_text(
                      fmt::format("SELECT count(DISTINCT created_by) FROM parquet_file_metadata([{}, {}])",
                                  duck::quote_literal(one), duck::quote_literal(other))));
        TRY(count, rows->next());
        return count == 1 && rows->varchar(0, 0) == "1";
    }

    const DeclaredWorld& world_;
    const VerifyOptions& options_;
    VerifyReport& report_;
};

} // namespace

Status verify_declared(const DeclaredWorld& world, const std::vector<JobOutput>& outputs, const VerifyOptions& options,
                       VerifyReport& report) {
    DeclaredVerification verification(world, options, report);
    for (const JobOutput& output : outputs)
        if (const Status verified = verification.verify(output); !verified.ok())
            return verified.error().within("table " + output.table.name);
    return {};
}

} // namespace questlog::batch
