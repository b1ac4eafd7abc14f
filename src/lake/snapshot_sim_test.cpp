#include "io/sim_env.h"
#include "lake/generations.h"
#include "lake/snapshot_fixture.h"

#include <fstream>
#include <gtest/gtest.h>

namespace questlog::lake {
namespace {

using Fault = io::SimEnv::Fault;

constexpr const char* root = "/lake";
constexpr const char* table = "tmp/sword_purchases";

enum class Then : std::uint8_t { nothing, crash, power_cut };

void befall(io::SimEnv& world, Then then) {
    world.fail_nothing();
    if (then == Then::crash) world.crash();
    if (then == Then::power_cut) world.power_cut();
}

/// Moves files only, so that many seeds are cheap: a generation is 2,000 bytes that all say which one it is.
class SimGenerations {
public:
    explicit SimGenerations(std::uint64_t seed) : world_(seed) {}

    Status land(char generation) {
        Generations generations(world_.env(), root, table);
        CHECK_OK(generations.recover());
        const std::string file = memory_or_temporary() / fmt::format("questlog-lake-sim-{}", ::getpid());
        std::ofstream(file) << std::string(2000, generation);
        TRY(staged,
            generations.stage(file, random_uuid(world_.env().entropy), std::string("part-") + generation + ".parquet"));
        CHECK_OK(generations.swap_in(staged));
        generations.retire(staged);
        return {};
    }

    /// The generation that a reader finds; '-' for no table, '?' for what is not one whole generation.
    [[nodiscard]] char present() const {
        const std::string folder = std::string(root) + "/" + table;
        const auto names = world_.names(folder);
        if (names.empty()) return '-';
        if (names.size() != 2 || names[0] != "_SUCCESS") return '?';
        const auto contents = world_.contents(folder + "/" + names[1]);
        const char generation = names[1].size() > 5 ? names[1][5] : '?';
        return contents && *contents == std::string(2000, generation) ? generation : '?';
    }

    io::SimEnv world_;
};

struct Trial {
    Fault fault;
    Then then;
};
constexpr Trial trials[] = {{Fault::io_error, Then::nothing},    {Fault::io_error, Then::crash},
                            {Fault::io_error, Then::power_cut},  {Fault::disk_full, Then::nothing},
                            {Fault::disk_full, Then::power_cut}, {Fault::stop, Then::crash},
                            {Fault::stop, Then::power_cut}};

/// Fails operation n of landing 'b' over 'a' (or over nothing), for every n; returns false once n is past the last.
bool survives(std::uint64_t seed, std::int64_t n, Trial trial, bool first_time) {
    SimGenerations lake(seed);
    const char old = first_time ? '-' : 'a';
    EXPECT_TRUE(first_time || lake.land('a').ok());
    lake.world_.fail_operation(n, trial.fault);
    const Status landed = lake.land('b');
    const bool happened = lake.world_.fault_happened();
    befall(lake.world_, trial.then);

    const char found = lake.present();
    const auto where = fmt::format("seed {}, operation {}, fault {}, then {}: found {}", seed, n,
                                   static_cast<int>(trial.fault), static_cast<int>(trial.then), found);
    EXPECT_TRUE(found == 'b' || found == old) << where;
    EXPECT_TRUE(found == 'b' || !landed.ok()) << "a reported success was lost; " << where;

    EXPECT_TRUE(lake.land('c').ok()) << where;
    EXPECT_EQ(lake.present(), 'c') << where;
    EXPECT_TRUE(lake.world_.names("/lake/.staging/tmp%2Fsword_purchases").empty()) << where;
    return happened;
}

TEST(SnapshotSwap, everyFailureAndEveryPowerCutLeavesOneWholeGeneration) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed)
        for (const Trial trial : trials)
            for (const bool first_time : {false, true}) {
                std::int64_t n = 0;
                while (survives(seed, n, trial, first_time) && !::testing::Test::HasFailure()) ++n;
                EXPECT_GT(n, 10);
                if (::testing::Test::HasFailure()) return;
            }
}

TEST(SnapshotSwap, successSurvivesAPowerCutRightAfterIt) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SimGenerations lake(seed);
        for (const char generation : {'a', 'b', 'c'}) {
            ASSERT_TRUE(lake.land(generation).ok());
            lake.world_.power_cut();
            ASSERT_EQ(lake.present(), generation) << "seed " << seed;
        }
    }
}

/// The whole store on the simulated machine, Parquet and all.
class SimStore {
public:
    SimStore(std::uint64_t seed, std::shared_ptr<duck::Database> database)
        : world_(seed), database_(std::move(database)), connection_(database_->connect().value()) {
        restart();
    }

    void restart() { store_ = std::make_unique<SnapshotStore>(world_.env(), root, database_); }

    Status land(int generation) {
        SnapshotFacts facts;
        facts.log_id = "log";
        facts.topic = "game-events";
        facts.declaration = "d";
        facts.ranges = {{0, Offset{0}, Offset{2000}}};
        facts.examined = 2000;
        const auto landed = store_->overwrite(
            table, *connection_, fmt::format("SELECT {} AS generation FROM range({})", generation, 100 + generation),
            facts);
        return landed.ok() ? Status{} : Status{landed.error()};
    }

    /// The generation that is read; 0: none; -1: an error or a mixture.
    int present() {
        const auto snapshot = store_->open(table);
        if (!snapshot.ok()) return -1;
        if (!*snapshot) return 0;
        const auto rows = connection_->query(
            fmt::format("SELECT min(generation)::BIGINT, max(generation)::BIGINT, count(*) FROM read_parquet({})",
                        duck::quote_literal((*snapshot)->files.front())));
        if (!rows.ok() || !(*rows)->next().ok()) return -1;
        const auto generation = (*rows)->bigint(0, 0);
        const bool whole = (*rows)->bigint(1, 0) == generation && (*rows)->bigint(2, 0) == 100 + generation &&
                           (*snapshot)->facts.rows == 100 + generation;
        return whole ? static_cast<int>(generation) : -1;
    }

    io::SimEnv world_;

private:
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> connection_;
    std::unique_ptr<SnapshotStore> store_;
};

TEST(SnapshotSwap, theStoreSurvivesTheNthFailure) {
    const auto database = duck::Database::open({}).value();
    for (const Trial trial : {Trial{Fault::io_error, Then::power_cut}, Trial{Fault::disk_full, Then::nothing},
                              Trial{Fault::stop, Then::crash}, Trial{Fault::stop, Then::power_cut}}) {
        bool happened = true;
        for (std::int64_t n = 0; happened; ++n) {
            SimStore lake(static_cast<std::uint64_t>(n) + 1, database);
            ASSERT_TRUE(lake.land(1).ok());
            lake.world_.fail_operation(n, trial.fault);
            const Status landed = lake.land(2);
            happened = lake.world_.fault_happened();
            befall(lake.world_, trial.then);
            lake.restart();
            const int found = lake.present();
            const auto where = fmt::format("operation {}, fault {}, then {}", n, static_cast<int>(trial.fault),
                                           static_cast<int>(trial.then));
            ASSERT_TRUE(found == 2 || found == 1) << where << ": found " << found;
            ASSERT_TRUE(found == 2 || !landed.ok()) << "a reported success was lost; " << where;
            ASSERT_TRUE(lake.land(3).ok()) << where;
            ASSERT_EQ(lake.present(), 3) << where;
        }
    }
}

TEST(SnapshotSwap, aFullDiskIsToldAndNothingIsTouched) {
    SimStore lake(7, duck::Database::open({}).value());
    ASSERT_TRUE(lake.land(1).ok());
    lake.world_.fill_disk(true);
    const Status landed = lake.land(2);
    ASSERT_FALSE(landed.ok());
    EXPECT_EQ(landed.error().kind, ErrorKind::retry_later);
    EXPECT_EQ(lake.present(), 1);
    lake.world_.fill_disk(false);
    EXPECT_TRUE(lake.land(3).ok());
    EXPECT_EQ(lake.present(), 3);
}

} // namespace
} // namespace questlog::lake
