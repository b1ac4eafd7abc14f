#include "io/sim_env.h"

#include <fstream>
#include <gtest/gtest.h>
#include <set>

namespace questlog::io {
namespace {

std::span<const std::byte> span_of(std::string_view text) {
    return std::as_bytes(std::span(text));
}

std::unique_ptr<File> created(Env env, const std::string& path) {
    return std::move(env.files.open(path, Open::create)).value();
}

constexpr std::uint64_t seeds = 200;

TEST(SimEnv, SyncedBytesAndEntriesSurviveEveryPowerCut) {
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        SimEnv sim(seed);
        auto env = sim.env();
        ASSERT_TRUE(env.files.make_directories("/data/log").ok());
        auto file = created(env, "/data/log/a");
        ASSERT_TRUE(file->write_at(0, span_of("synced")).ok());
        ASSERT_TRUE(file->sync_data().ok());
        ASSERT_TRUE(env.files.sync_directory("/data/log").ok());
        sim.power_cut();
        ASSERT_EQ(sim.contents("/data/log/a"), "synced") << seed;
    }
}

TEST(SimEnv, UnsyncedEntriesSometimesVanishAndSometimesStay) {
    std::set<bool> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        SimEnv sim(seed);
        auto file = created(sim.env(), "/a");
        ASSERT_TRUE(file->write_at(0, span_of("x")).ok());
        ASSERT_TRUE(file->sync_data().ok());
        sim.power_cut();
        outcomes.insert(sim.contents("/a").has_value());
    }
    EXPECT_EQ(outcomes, (std::set{false, true}));
}

TEST(SimEnv, UnsyncedBytesTearAtSectorBordersInAnyOrder) {
    std::set<std::string> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        SimEnv sim(seed);
        auto env = sim.env();
        auto file = created(env, "/a");
        ASSERT_TRUE(file->write_at(0, span_of(std::string(1536, '-'))).ok());
        ASSERT_TRUE(file->sync_data().ok());
        ASSERT_TRUE(env.files.sync_directory("/").ok());
        ASSERT_TRUE(file->write_at(0, span_of(std::string(1536, '+'))).ok());
        sim.power_cut();
        const auto left = *sim.contents("/a");
        ASSERT_EQ(left.size(), 1536U);
        std::string shape;
        for (std::size_t sector = 0; sector < 3; ++sector) {
            ASSERT_EQ(left.substr(sector * 512, 512), std::string(512, left[sector * 512])) << "torn inside a sector";
            shape.push_back(left[sector * 512]);
        }
        outcomes.insert(shape);
    }
    EXPECT_EQ(outcomes.size(), 8U) << "every subset of three sectors is seen";
}

TEST(SimEnv, AKillLosesNoBytesButFreesLocksAndEndsHandles) {
    SimEnv sim(1);
    auto env = sim.env();
    auto file = created(env, "/a");
    ASSERT_TRUE(file->write_at(0, span_of("unsynced")).ok());
    auto lock = env.files.lock("/lock", 0, Files::Share::exclusive, {});
    ASSERT_TRUE(lock.ok());
    EXPECT_EQ(env.files.lock("/lock", 0, Files::Share::shared, {}).error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(env.files.lock("/lock", 1, Files::Share::exclusive, {}).ok()) << "another byte is another lock";
    EXPECT_TRUE(*env.files.locked("/lock", 0));
    sim.crash();
    EXPECT_EQ(sim.contents("/a"), "unsynced");
    EXPECT_FALSE(file->write_at(0, span_of("late")).ok());
    EXPECT_EQ(sim.contents("/a"), "unsynced");
    auto again = env.files.lock("/lock", 0, Files::Share::exclusive, {});
    ASSERT_TRUE(again.ok());
    lock->reset(); // the dead process's lock frees nothing of the living one's
    EXPECT_TRUE(*env.files.locked("/lock", 0));
}

TEST(SimEnv, AFailedSyncReadsBackAsGoodAndIsLostAtThePowerCut) {
    bool lost = false;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        SimEnv sim(seed);
        auto env = sim.env();
        auto file = created(env, "/a");
        ASSERT_TRUE(env.files.sync_directory("/").ok());
        ASSERT_TRUE(file->write_at(0, span_of("payload")).ok());
        sim.fail_operation(0, SimEnv::Fault::io_error);
        ASSERT_FALSE(file->sync_data().ok());
        ASSERT_TRUE(sim.fault_happened());
        ASSERT_EQ(sim.contents("/a"), "payload");
        ASSERT_TRUE(file->sync_data().ok()) << "a retry reports success, which is why no one may trust one";
        sim.power_cut();
        lost = lost || sim.contents("/a") != "payload";
    }
    EXPECT_TRUE(lost);
}

TEST(SimEnv, AnUnsyncedWordHoldsAnyValueStoredSinceItsSync) {
    std::set<std::uint64_t> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        SimEnv sim(seed);
        auto env = sim.env();
        auto word = std::move(env.files.map_word("/word", Open::create)).value();
        word->store(1);
        ASSERT_TRUE(word->sync().ok());
        ASSERT_TRUE(env.files.sync_directory("/").ok());
        word->store(2);
        word->store(3);
        EXPECT_EQ(word->load(), 3U);
        sim.power_cut();
        outcomes.insert(std::move(env.files.map_word("/word", Open::read)).value()->load());
    }
    EXPECT_EQ(outcomes, (std::set<std::uint64_t>{1, 2, 3}));
}

TEST(SimEnv, AFullDiskRefusesGrowthOnly) {
    SimEnv sim(1);
    auto env = sim.env();
    auto file = created(env, "/a");
    ASSERT_TRUE(file->write_at(0, span_of("12345678")).ok());
    sim.fill_disk(true);
    EXPECT_TRUE(file->write_at(0, span_of("abcd")).ok());
    EXPECT_EQ(file->write_at(6, span_of("abcd")).error().kind, ErrorKind::retry_later);
    EXPECT_EQ(env.files.open("/b", Open::create).error().kind, ErrorKind::retry_later);
    sim.fill_disk(false);
    EXPECT_TRUE(env.files.open("/b", Open::create).ok());
}

TEST(SimEnv, ALimitedDiskHoldsItsBytesAndNoMore) {
    SimEnv sim(1);
    auto env = sim.env();
    EXPECT_GT(*env.files.free_bytes("/"), std::int64_t{1} << 60);
    auto file = created(env, "/a");
    sim.limit_disk(10);
    ASSERT_TRUE(file->write_at(0, span_of("1234567")).ok());
    EXPECT_EQ(*env.files.free_bytes("/"), 3);
    EXPECT_EQ(file->write_at(4, span_of("abcdefg")).error().kind, ErrorKind::retry_later);
    EXPECT_LE(*file->size(), 10) << "a part of it may be written, into what is free";
    ASSERT_TRUE(file->truncate(0).ok());
    EXPECT_EQ(file->truncate(11).error().kind, ErrorKind::retry_later);
    ASSERT_TRUE(created(env, "/b")->write_at(0, span_of("0123456789")).ok());
    EXPECT_EQ(*env.files.free_bytes("/"), 0);
    ASSERT_TRUE(env.files.remove_file("/b").ok());
    EXPECT_EQ(*env.files.free_bytes("/"), 10);
}

TEST(SimEnv, WithoutDescriptorsNothingIsOpenedAndWhatIsOpenGoesOn) {
    SimEnv sim(1);
    auto env = sim.env();
    auto file = created(env, "/a");
    sim.limit_opens(1);
    ASSERT_TRUE(env.files.open("/a", Open::read).ok());
    EXPECT_EQ(env.files.open("/a", Open::read).error().kind, ErrorKind::retry_later);
    EXPECT_EQ(env.files.sync_directory("/").error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(file->write_at(0, span_of("1")).ok() && file->sync_data().ok());
    EXPECT_TRUE(env.files.rename("/a", "/b").ok());
}

TEST(SimEnv, ALibrarysFileEntersAsUnsyncedBytesAndLeavesAsACopy) {
    bool lost = false;
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SimEnv sim(seed);
        auto env = sim.env();
        const auto scratch = std::move(env.files.scratch_directory("/lake")).value();
        std::ofstream(scratch + "/part") << "parquet";
        ASSERT_TRUE(env.files.adopt(scratch + "/part", "/lake/part").ok());
        ASSERT_EQ(sim.contents("/lake/part"), "parquet");
        auto file = std::move(env.files.open("/lake/part", Open::read)).value();
        const auto path = std::move(env.files.library_path(*file)).value();
        std::string read;
        std::ifstream(path) >> read;
        ASSERT_EQ(read, "parquet");
        file.reset();
        ASSERT_FALSE(std::ifstream(path).good());
        sim.power_cut();
        lost = lost || sim.contents("/lake/part") != "parquet";
    }
    EXPECT_TRUE(lost) << "no one synced the file";
}

TEST(SimEnv, ANewNameTakesNoOthersPlace) {
    SimEnv world(1);
    const Env env = world.env();
    ASSERT_TRUE(env.files.make_directories("/d").ok());
    world.put("/d/one", "1");
    world.put("/d/two", "2");
    EXPECT_EQ(env.files.rename_new("/d/one", "/d/two").value(), false);
    EXPECT_EQ(world.contents("/d/two"), "2");
    EXPECT_EQ(env.files.rename_new("/d/one", "/d/three").value(), true);
    EXPECT_EQ(world.contents("/d/three"), "1");
    EXPECT_EQ(world.contents("/d/one"), std::nullopt);
}

TEST(SimEnv, ANewNameSurvivesAPowerCutOnlyOnceItsDirectoryIsSynced) {
    std::set<std::pair<bool, bool>> outcomes;
    for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        SimEnv sim(seed);
        auto env = sim.env();
        sim.put("/a", "mine");
        ASSERT_TRUE(env.files.rename_new("/a", "/b").value());
        sim.power_cut();
        const bool lost = sim.contents("/a").has_value();
        outcomes.insert({lost, sim.contents("/b").has_value()});
        ASSERT_TRUE(!lost || env.files.rename_new("/a", "/b").value());
        ASSERT_TRUE(env.files.sync_directory("/").ok());
        sim.power_cut();
        ASSERT_EQ(sim.contents("/b"), "mine") << seed;
    }
    EXPECT_EQ(outcomes, (std::set<std::pair<bool, bool>>{{true, false}, {false, true}}));
}

TEST(SimEnv, AStoppedMachineChangesNothingMore) {
    SimEnv sim(1);
    auto env = sim.env();
    auto file = created(env, "/a");
    sim.fail_operation(0, SimEnv::Fault::stop);
    EXPECT_FALSE(file->write_at(0, span_of("x")).ok());
    const auto after_stop = sim.contents("/a");
    EXPECT_FALSE(file->write_at(8, span_of("y")).ok());
    EXPECT_FALSE(env.files.open("/b", Open::create).ok());
    EXPECT_EQ(sim.contents("/a"), after_stop);
    sim.crash();
    EXPECT_TRUE(env.files.open("/b", Open::create).ok());
}

TEST(SimEnv, SleepMovesBothClocks) {
    SimEnv sim(1);
    auto env = sim.env();
    const auto wall = env.clock.wall_ms();
    const auto monotonic = env.clock.monotonic();
    env.clock.sleep(std::chrono::milliseconds{1500});
    EXPECT_EQ(env.clock.wall_ms().minus(wall), 1500);
    EXPECT_EQ(env.clock.monotonic() - monotonic, std::chrono::milliseconds{1500});
}

TEST(SimEnv, OneSeedIsOneHistory) {
    const auto run = [] {
        SimEnv sim(42);
        auto env = sim.env();
        auto file = created(env, "/a");
        for (int i = 0; i < 20; ++i)
            EXPECT_TRUE(file->write_at(i * 300, span_of(std::string(700, static_cast<char>('a' + i)))).ok());
        EXPECT_TRUE(env.files.sync_directory("/").ok());
        sim.power_cut();
        return sim.contents("/a");
    };
    EXPECT_EQ(run(), run());
}

} // namespace
} // namespace questlog::io
