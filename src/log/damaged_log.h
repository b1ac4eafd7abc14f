#pragma once

#include "log/partition_scan.h"
#include "log/repair.h"
#include "log/simulated_log.h"
#include "log/verify.h"

#include <algorithm>
#include <map>

/// For tests: a log that is damaged on purpose, and what is left of it.
namespace questlog::log {

/// Several segments of small batches of 3 events, closed or killed.
inline std::unique_ptr<SimulatedLog> make_log(bool closed, std::int64_t segment_bytes = 2048) {
    auto log = std::make_unique<SimulatedLog>(5, segment_bytes);
    EXPECT_TRUE(log->open().ok());
    for (int i = 0; i < 8; ++i) EXPECT_TRUE(log->commit(3, 200).ok());
    if (closed)
        EXPECT_TRUE(log->close().ok());
    else
        log->crash();
    return log;
}

using Events = std::map<std::int64_t, std::string>; ///< By offset.

/// Every event that readers get, across holes.
inline Result<Events> read_events(SimulatedLog& log) {
    TRY(reader, open_reader(log.sim.env(), log.topics, log.topic));
    auto& partition = reader->partition(Partition{0});
    TRY(end, partition.end_offset());
    TRY(cursor, partition.read(Offset{0}, end));
    Events events;
    Batch batch;
    while (true) {
        TRY(more, cursor->next(batch));
        if (!more) return events;
        RecordCursor records(batch.header, batch.records);
        Record record;
        while (true) {
            TRY(another, records.next(record));
            if (!another) break;
            if (!events.emplace(record.offset.value, std::string(record.value)).second)
                return internal("offset {} twice", record.offset);
        }
    }
}

struct Verified {
    VerifyReport report;
    std::vector<LogFault> faults;
    std::vector<std::string> notes;
};

inline Verified verified(SimulatedLog& log) {
    Verified all;
    VerifyOptions options;
    options.on_fault = [&](const LogFault& fault) { all.faults.push_back(fault); };
    options.on_note = [&](const std::string& note) { all.notes.push_back(note); };
    auto report = verify(log.sim.env(), log.topics, log.topic, options);
    EXPECT_TRUE(report.ok()) << report.error().message;
    if (report.ok()) all.report = *report;
    return all;
}

inline Result<RepairReport> repair(SimulatedLog& log, bool dry_run = false) {
    RepairOptions options;
    options.dry_run = dry_run;
    return repair(log.sim.env(), log.topics, log.topic, options);
}

/// Every file of the partition.
inline std::map<std::string, std::string> files_of(SimulatedLog& log) {
    std::map<std::string, std::string> files;
    for (const auto& name : log.sim.names(log.directory()))
        files[name] = *log.sim.contents(log.directory() + "/" + name);
    return files;
}

/// The log is sound, every event in it is what was appended at its offset, what is not there is in the record of holes,
/// and offsets go on. The offsets that are gone.
inline std::vector<std::int64_t> expect_repaired(SimulatedLog& log, const std::string& when) {
    std::vector<std::int64_t> gone;
    const auto after = verified(log);
    for (const auto& fault : after.faults) ADD_FAILURE() << when << ": " << fault.path << ": " << fault.what;
    const auto events = read_events(log);
    EXPECT_TRUE(events.ok()) << when << ": " << events.error().message;
    if (!events.ok()) return gone;
    for (const auto& [offset, value] : *events) {
        const bool known = offset < static_cast<std::int64_t>(log.appended.size());
        EXPECT_TRUE(known && value == log.appended[static_cast<std::size_t>(offset)]) << when << ": offset " << offset;
    }
    const auto holes = read_holes(log.sim.env().files, log.directory());
    EXPECT_TRUE(holes.ok()) << when;
    EXPECT_TRUE(log.open().ok()) << when;
    const Offset end = log.writer->partition(Partition{0}).next_offset();
    std::int64_t lost = 0;
    for (const Hole& hole : *holes) lost += hole.events();
    for (std::int64_t offset = 0; offset < end.value; ++offset) {
        if (events->contains(offset)) continue;
        gone.push_back(offset);
        const auto names_it = [&](const Hole& hole) { return hole.from.value <= offset && offset < hole.to.value; };
        EXPECT_TRUE(std::ranges::any_of(*holes, names_it)) << when << ": offset " << offset << " is gone unrecorded";
    }
    EXPECT_EQ(lost, static_cast<std::int64_t>(gone.size())) << when;
    EXPECT_EQ(after.report.given_up, lost) << when;
    EXPECT_TRUE(log.close().ok()) << when;
    return gone;
}

} // namespace questlog::log
