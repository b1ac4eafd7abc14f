// Repair under fire: whatever damages a log, and whatever interrupts its repair, what was whole is there in the end.
#include "io/whole_file.h"
#include "log/damaged_log.h"

namespace questlog::log {
namespace {

using Fault = io::SimEnv::Fault;

/// Damage of several kinds in several places; the offsets that it cannot have touched are not known here.
void damage(SimulatedLog& log, std::mt19937_64& random) {
    for (std::uint64_t i = 0; i <= random() % 3; ++i) {
        const auto paths = log.segments();
        if (paths.empty()) return;
        const auto& path = paths[random() % paths.size()];
        auto bytes = *log.sim.contents(path);
        if (bytes.empty()) continue;
        const std::size_t at = random() % bytes.size();
        const std::size_t length = 1 + random() % 400;
        switch (random() % 6) {
        case 0: log.sim.remove(path); continue;
        case 1: bytes.resize(at); break;
        case 2:
            for (std::size_t byte = at; byte < std::min(at + length, bytes.size()); ++byte) bytes[byte] = '\0';
            break;
        case 3: bytes.insert(at, bytes.substr(bytes.size() / 2, length)); break; // parts of other batches
        case 4: bytes.erase(at, length); break;
        default: bytes[at] = static_cast<char>(bytes[at] ^ 4); break;
        }
        log.sim.put(path, bytes);
    }
}

TEST(RepairModel, AnyDamageIsRepairedInOneGo) {
    int damaged = 0;
    for (std::uint64_t seed = 0; seed < 1500 && !testing::Test::HasFailure(); ++seed) {
        std::mt19937_64 random(seed);
        auto log = make_log(seed % 2 == 0);
        const auto when = fmt::format("seed {}", seed);
        damage(*log, random);
        const auto faults = verified(*log).faults;
        if (!faults.empty()) ++damaged;
        const auto before = read_events(*log);
        if (faults.empty()) {
            EXPECT_TRUE(before.ok()) << when << ": verify found it sound, and it cannot be read";
        }
        const auto done = repair(*log);
        ASSERT_TRUE(done.ok()) << when << ": " << done.error().message;
        EXPECT_EQ(done->places.empty(), faults.empty()) << when;
        expect_repaired(*log, when);
        EXPECT_TRUE(repair(*log)->places.empty()) << when;
    }
    EXPECT_GT(damaged, 1000);
}

/// Two segments damaged, and the durable end gone.
std::unique_ptr<SimulatedLog> make_damaged() {
    auto log = make_log(true);
    const auto paths = log->segments();
    log->sim.flip_bit(paths[1], 80, 2);
    log->sim.flip_bit(paths.back(), 80, 2);
    log->sim.remove(durable_end_file(log->directory()));
    return log;
}

/// What the hole's file must hold, of the segment as it was: the file's name says where it stood.
std::string damaged_bytes(const std::string& segment, const Hole& hole) {
    const auto position = std::stoull(hole.set_aside.substr(hole.set_aside.rfind('-') + 1));
    return segment.substr(position, static_cast<std::size_t>(hole.bytes));
}

/// The repair with its n-th operation failing; true if it did not get that far.
bool fail_operation(std::int64_t n, Fault fault, End end, const std::vector<std::int64_t>& gone) {
    const auto when = fmt::format("operation {}", n);
    auto log = make_damaged();
    const auto before = files_of(*log);
    log->sim.fail_operation(n, fault);
    const auto status = repair(*log);
    const bool happened = log->sim.fault_happened();
    EXPECT_EQ(status.ok(), !happened) << when;
    if (end == End::power_cut)
        log->sim.power_cut();
    else
        log->sim.crash();
    log->sim.fail_nothing();
    // Each segment is as it was, or repaired; never is a hole there that is not in the record, nor bytes that are gone.
    const auto scan = scan_partition(log->sim.env().files, log->directory(), {});
    EXPECT_TRUE(scan.ok()) << when;
    if (scan.ok()) {
        for (const auto& path : log->segments()) {
            const auto name = path.substr(log->directory().size() + 1);
            const bool as_before = *log->sim.contents(path) == before.at(name);
            const auto segment = std::ranges::find(scan->segments, path, &SegmentScan::path);
            EXPECT_TRUE(as_before || segment->damages.empty()) << when << ": " << path << " is neither";
            if (as_before) continue;
            EXPECT_EQ(segment->holes.size(), 1U) << when;
            const auto recorded = [&](const Hole& hole) {
                return hole.from == segment->holes[0].first && hole.to == segment->holes[0].second &&
                       log->sim.contents(log->directory() + "/" + hole.set_aside) ==
                           damaged_bytes(before.at(name), hole);
            };
            EXPECT_TRUE(std::ranges::any_of(scan->recorded, recorded)) << when << ": " << path;
        }
    }
    const auto again = repair(*log);
    EXPECT_TRUE(again.ok()) << when << ": " << again.error().message;
    EXPECT_EQ(expect_repaired(*log, when), gone) << when;
    log->sim.power_cut();
    EXPECT_EQ(expect_repaired(*log, when + ", power cut"), gone) << when;
    for (const auto& [name, bytes] : files_of(*log)) EXPECT_FALSE(name.ends_with(io::temporary_suffix)) << when << name;
    return !happened || testing::Test::HasFailure();
}

void fail_every_operation_of_repair(Fault fault, End end) {
    auto log = make_damaged();
    ASSERT_TRUE(repair(*log).ok());
    const auto gone = expect_repaired(*log, "undisturbed");
    ASSERT_EQ(gone.size(), 6U);
    std::int64_t n = 0;
    while (!fail_operation(n, fault, end, gone)) ++n;
    EXPECT_GT(n, 60);
}

TEST(RepairModel, EveryOperationMayFailBeforeARestart) {
    fail_every_operation_of_repair(Fault::io_error, End::kill);
}
TEST(RepairModel, EveryOperationMayFailBeforeAPowerCut) {
    fail_every_operation_of_repair(Fault::io_error, End::power_cut);
}
TEST(RepairModel, EveryOperationMayBeThePowerCut) {
    fail_every_operation_of_repair(Fault::stop, End::power_cut);
}
TEST(RepairModel, EveryOperationMayMeetAFullDisk) {
    fail_every_operation_of_repair(Fault::disk_full, End::kill);
}

} // namespace
} // namespace questlog::log
