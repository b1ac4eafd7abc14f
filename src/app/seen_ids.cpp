#include "app/seen_ids.h"

#include "base/operator_log.h"
#include "lake/landing_records.h"
#include "scan/landed_log.h"
#include "scan/repeats.h"

#include <algorithm>

namespace questlog::app {
namespace {

/// No lander has been here yet, to mend what is missing of them.
Status visit_recorded(const lake::LandingRecords& records, log::PartitionReader& log, Offset below, TimestampMs since,
                      const scan::SightingSink& sink) {
    TRY(start, log.start_offset());
    TRY(in_window, log.find_time(since));
    const auto visit_logged = [&log, below, first = start](const lake::PlannedCut& cut, const scan::SightingSink& to) {
        return scan::visit_ids(log, std::max(cut.from, first), std::min(cut.to, below), to);
    };
    return records.visit_ids(below, since, sink, {in_window, visit_logged});
}

/// `corrupt` where they are another log's.
Result<scan::EarlierIds> recorded_ids(const lake::LandingRecords& records, log::PartitionReader& log) {
    scan::EarlierIds earlier;
    TRY(books, records.books());
    if (!books) return earlier;
    CHECK_OK(scan::check_landed(log, books->landed_to, books->last));
    earlier.recorded_to = books->landed_to;
    earlier.recorded = [&](Offset below, TimestampMs since, const scan::SightingSink& sink) {
        return visit_recorded(records, log, below, since, sink);
    };
    return earlier;
}

Result<collect::SeenIds> seen_in(log::PartitionReader& log, const scan::EarlierIds& earlier, TimestampMs newest,
                                 const event::RepeatWindow& window) {
    collect::SeenIds seen(window);
    TRY(end, log.end_offset());
    CHECK_OK(
        scan::visit_earlier_ids(log, earlier, end, newest, window, [&](const event::IdSighting& id) { seen.add(id); }));
    return seen;
}

} // namespace

Result<std::vector<collect::SeenIds>> seen_ids(const Context& context, const log::Topics& topics, log::LogWriter& log) {
    const event::RepeatWindow& window = context.config.repeats;
    if (window.ids == 0) return collect::no_ids_seen(log.topic().partitions, window);
    TRY(reader, log::open_reader(context.env, topics, log.topic()));
    std::vector<collect::SeenIds> all;
    for (Partition partition{0}; partition.value < log.topic().partitions; ++partition.value) {
        const TimestampMs newest = log.partition(partition).max_timestamp();
        log::PartitionReader& of_log = reader->partition(partition);
        const lake::LandingRecords records(context.env, context.lake_root(), log.topic().id, partition);
        const auto earlier = recorded_ids(records, of_log);
        auto seen = earlier.ok() ? seen_in(of_log, *earlier, newest, window) : earlier.error();
        if (!seen.ok() && (seen.error().kind == ErrorKind::corrupt || seen.error().kind == ErrorKind::retry_later)) {
            // Collecting does not wait for the lake. Landing, which does, finds what repeats all the same.
            log_warn("{}; until the next start the message ids of what the log still has are known",
                     seen.error().message);
            seen = seen_in(of_log, {}, newest, window);
        }
        if (!seen.ok()) return seen.error().within("the message ids of the log");
        all.push_back(std::move(seen).value());
    }
    return all;
}

} // namespace questlog::app
