// Whatever fails at whatever step: the table is whole, and what was told stays.
#include "lake/delta_log_fixture.h"

#include <span>

namespace questlog::lake {
namespace {

class DeltaLogSim : public DeltaLogTest, public ::testing::WithParamInterface<io::SimEnv::Fault> {};

/// Whatever fails in a commit or in a checkpoint: the table is as before or as after, and what was told stays.
TEST_P(DeltaLogSim, SurvivesAPowerCutAtAnyStep) {
    const DeltaState before = commit_all(0, 99);
    for (std::int64_t n = 0;; ++n) {
        io::SimEnv world(static_cast<std::uint64_t>(n) + 5);
        const DeltaLog log(world.env(), "/lake/sword", "/lake/.staging");
        ASSERT_TRUE(world.env().files.make_directories("/lake/sword/_delta_log").ok());
        for (int i = 0; i < 99; ++i) world.put(path(commit_name(i)), *world_.contents(path(commit_name(i))));
        const std::string scratch = world.env().files.scratch_directory("/lake").value() + "/checkpoint";
        DeltaState state = before;
        world.fail_operation(n, GetParam());
        const auto ninety_nine = log.commit(state, append(99));
        const auto hundred = ninety_nine.ok() ? log.commit(state, append(100)) : ninety_nine;
        if (hundred.ok()) static_cast<void>(log.checkpoint(*connection_, state, scratch));
        const bool failed = world.fault_happened();
        world.fail_nothing();
        world.power_cut();
        const auto read = DeltaLog(world.env(), "/lake/sword", "/lake/.staging").open(*connection_);
        ASSERT_TRUE(read.ok() && *read) << n << ": " << (read.ok() ? "no table" : read.error().message);
        ASSERT_GE((*read)->version, hundred.ok() ? 100 : ninety_nine.ok() ? 99 : 98) << n;
        ASSERT_EQ((*read)->files.size(), static_cast<std::size_t>((*read)->version + 1)) << n;
        ASSERT_EQ((*read)->transactions.at("questlog:id:0"), (*read)->version + 1) << n;
        ASSERT_EQ((*read)->metadata, before.metadata) << n;
        if (!failed) break;
    }
}

INSTANTIATE_TEST_SUITE_P(Faults, DeltaLogSim,
                         ::testing::Values(io::SimEnv::Fault::stop, io::SimEnv::Fault::io_error,
                                           io::SimEnv::Fault::disk_full));

/// One machine after the other, each with a table of `commits` commits.
class DeltaLogMachine {
public:
    DeltaLogMachine(std::uint64_t seed, int commits, duck::Connection& connection)
        : world_(seed), connection_(connection) {
        for (int i = 0; i < commits; ++i) EXPECT_TRUE(log().commit(state_, DeltaLogTest::append(i)).value());
    }

    [[nodiscard]] DeltaLog log() { return {world_.env(), "/lake/sword", "/lake/.staging"}; }
    Result<std::optional<DeltaState>> open() { return log().open(connection_); }
    /// Opens the table and commits the next number; the version, or why not.
    Result<std::int64_t> open_and_append() {
        TRY(state, open());
        DeltaState now = state ? std::move(*state) : DeltaState{};
        TRY(is_new, log().commit(now, DeltaLogTest::append(static_cast<int>(now.files.size()))));
        if (!is_new) return internal("no one else is there");
        return now.version;
    }
    Status checkpoint(const DeltaState& state) {
        TRY(scratch, world_.env().files.scratch_directory("/lake"));
        return log().checkpoint(connection_, state, scratch + "/checkpoint");
    }
    /// Asserts that a reader finds the table whole, with `version` at least.
    void expect_whole(std::int64_t version, const std::string& when) {
        const auto read = open();
        ASSERT_TRUE(read.ok()) << when << ": " << read.error().message;
        const std::int64_t found = *read ? (*read)->version : -1;
        ASSERT_GE(found, version) << when;
        ASSERT_EQ(*read ? (*read)->files.size() : 0, static_cast<std::size_t>(found + 1)) << when;
    }

    io::SimEnv world_;
    DeltaState state_;

private:
    duck::Connection& connection_;
};

class DeltaLogPowerTest : public DeltaLogTest {
protected:
    /// A process dies at operation `first` of its commit, the next one goes on from what it left, and at operation
    /// `second` of that the power fails. Returns whether there were as many operations.
    std::pair<bool, bool> die_twice(std::uint64_t seed, std::int64_t first, std::int64_t second) {
        DeltaLogMachine machine(seed, 2, *connection_);
        machine.world_.fail_operation(first, io::SimEnv::Fault::stop);
        const auto one = machine.open_and_append();
        const bool first_happened = machine.world_.fault_happened();
        machine.world_.fail_nothing();
        machine.world_.crash();
        machine.world_.fail_operation(second, io::SimEnv::Fault::stop);
        const auto other = machine.open_and_append();
        const bool second_happened = machine.world_.fault_happened();
        machine.world_.fail_nothing();
        machine.world_.power_cut();
        machine.expect_whole(
            other.ok() ? *other
            : one.ok() ? *one
                       : 1,
            fmt::format("seed {}, operation {} of the first and {} of the second", seed, first, second));
        return {first_happened, second_happened};
    }
};

TEST_F(DeltaLogPowerTest, NoGapIsLeftByWhoDiedBeforeTheirCommitWasDurable) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
        std::pair<bool, bool> happened{true, true};
        for (std::int64_t first = 0; happened.first && !HasFailure(); ++first) {
            happened.second = true;
            for (std::int64_t second = 0; happened.second && !HasFailure(); ++second)
                happened = die_twice(seed, first, second);
        }
    }
}

/// The same where it goes on to a checkpoint.
TEST_F(DeltaLogPowerTest, OfACommitThatIsNotDurableNoCheckpointIsMade) {
    for (std::uint64_t seed = 0; seed < 6; ++seed) {
        bool happened = true;
        for (std::int64_t n = 0; happened; ++n) {
            const auto when = fmt::format("seed {}, operation {}", seed, n);
            DeltaLogMachine machine(seed * 100 + static_cast<std::uint64_t>(n), 2, *connection_);
            // Committed by a process that died before it synced the folder.
            DeltaState state = machine.state_;
            machine.world_.put("/lake/unnamed", *machine.world_.contents("/lake/sword/_delta_log/" + commit_name(1)));
            ASSERT_TRUE(machine.world_.env()
                            .files.rename_new("/lake/unnamed", "/lake/sword/_delta_log/" + commit_name(2))
                            .value());
            ASSERT_TRUE(machine.log().refresh(*connection_, state).ok());
            ASSERT_EQ(state.version, 2);
            machine.world_.fail_operation(n, io::SimEnv::Fault::stop);
            const Status made = machine.checkpoint(state);
            happened = machine.world_.fault_happened();
            machine.world_.fail_nothing();
            machine.world_.power_cut();
            const auto read = machine.open();
            ASSERT_TRUE(read.ok() && *read) << when;
            ASSERT_GE((*read)->version, made.ok() ? 2 : 1) << when;
            const bool has_checkpoint =
                machine.world_.contents("/lake/sword/_delta_log/00000000000000000002.checkpoint.parquet").has_value();
            ASSERT_TRUE(!has_checkpoint || machine.world_.contents("/lake/sword/_delta_log/" + commit_name(2))) << when;
        }
    }
}

/// What was told is there and whole, and what _last_checkpoint names always is.
TEST_F(DeltaLogPowerTest, ACheckpointIsThereBeforeItIsNamed) {
    DeltaLogMachine before(1, 3, *connection_);
    ASSERT_TRUE(before.checkpoint(before.state_).ok());
    const std::string folder = "/lake/sword/_delta_log/";
    const std::string older = folder + "00000000000000000002.checkpoint.parquet";
    // All the steps by one seed, and by others the last ones, from the checkpoint's name on.
    for (std::uint64_t seed = 0, from = 0; seed < 50; ++seed) {
        bool happened = true;
        std::uint64_t n = from;
        for (; happened; ++n) {
            const auto when = fmt::format("seed {}, operation {}", seed, n);
            DeltaLogMachine machine(seed * 100 + n, 4, *connection_);
            for (const std::string& name : {older, folder + "_last_checkpoint"})
                machine.world_.put(name, before.world_.contents(name).value());
            machine.world_.fail_operation(static_cast<std::int64_t>(n), io::SimEnv::Fault::stop);
            const Status made = machine.checkpoint(machine.state_);
            happened = machine.world_.fault_happened();
            machine.world_.fail_nothing();
            machine.world_.power_cut();
            const std::string hint = machine.world_.contents(folder + "_last_checkpoint").value();
            const int version = hint.find("\"version\":3") != std::string::npos ? 3 : 2;
            ASSERT_TRUE(version == 3 || !made.ok()) << when;
            if (version == 3) machine.world_.remove(older);
            for (int i = 0; i < version; ++i) machine.world_.remove(folder + commit_name(i));
            machine.expect_whole(3, when);
            if (HasFatalFailure()) return;
        }
        from = n - 6;
    }
}

/// Other programs do not sync what they write.
TEST_F(DeltaLogPowerTest, WhatOthersDidNotSyncIsMadeDurableBeforeSomethingFollowsIt) {
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        DeltaLogMachine machine(seed, 2, *connection_);
        io::Files& files = machine.world_.env().files;
        const std::string lines = fmt::format(
            "{}\n{}\n", R"({"commitInfo":{"operation":"OPTIMIZE","engineInfo":"other/1"}})",
            R"({"add":{"path":"date=2026-11-25/other.parquet","partitionValues":{"date":"2026-11-25"},"size":7,)"
            R"("modificationTime":8,"dataChange":true}})");
        {
            auto file = std::move(files.open("/lake/sword/_delta_log/" + commit_name(2), io::Open::create_new)).value();
            ASSERT_TRUE(file->write_at(0, std::as_bytes(std::span(lines))).ok());
        }
        const auto version = machine.open_and_append();
        ASSERT_TRUE(version.ok()) << version.error().message;
        machine.world_.power_cut();
        machine.expect_whole(3, fmt::format("seed {}", seed));
        if (HasFatalFailure()) return;
    }
}

/// Two writers that do not know of each other: each version is one's, and each one's commits are all there.
TEST_F(DeltaLogPowerTest, OfTwoWritersNoneLosesACommitToTheOther) {
    DeltaLogMachine machine(7, 1, *connection_);
    DeltaState one = machine.state_;
    DeltaState other = machine.state_;
    int conflicts = 0;
    for (int i = 1; i < 40; ++i) {
        DeltaState& writer = i % 3 == 0 ? other : one;
        while (true) {
            const auto is_new = machine.log().commit(writer, append(i));
            ASSERT_TRUE(is_new.ok()) << is_new.error().message;
            if (*is_new) break;
            ++conflicts;
            ASSERT_TRUE(machine.log().refresh(*connection_, writer).ok());
        }
    }
    EXPECT_GT(conflicts, 20);
    machine.world_.power_cut();
    const auto read = machine.open().value();
    ASSERT_EQ(read->files.size(), 40U);
    for (int i = 0; i < 40; ++i) EXPECT_EQ(read->files[static_cast<std::size_t>(i)], file(i));
}

} // namespace
} // namespace questlog::lake
