// A table that is made anew and swapped in by renames while somebody opens it: at whatever step, it is found.
#include "io/forwarding_files.h"
#include "lake/continuous_table.h"
#include "lake/delta_log_fixture.h"

#include <functional>

namespace questlog::lake {
namespace {

/// Does things between the calls of whoever uses it: what others do meanwhile.
class InterruptedFiles final : public io::ForwardingFiles {
public:
    using ForwardingFiles::ForwardingFiles;

    /// Before the call that comes after `n` others (0: the next one).
    void before(int n, std::function<void()> action) { actions_.emplace(calls_ + n, std::move(action)); }
    [[nodiscard]] int calls() const { return calls_; }

    Result<std::unique_ptr<io::File>> open(const std::string& path, io::Open mode) override {
        come_to_a_call();
        return ForwardingFiles::open(path, mode);
    }
    Result<std::vector<io::Entry>> list(const std::string& path) override {
        come_to_a_call();
        return ForwardingFiles::list(path);
    }
    Result<io::Stat> stat(const std::string& path) override {
        come_to_a_call();
        return ForwardingFiles::stat(path);
    }
    Result<LibraryPath> library_path_of(const std::string& path) override {
        come_to_a_call();
        auto found = ForwardingFiles::library_path_of(path);
        return found.ok() ? std::move(found) : LibraryPath{"/nowhere" + path, nullptr}; // as real files, unasked
    }

private:
    void come_to_a_call() {
        const auto due = actions_.equal_range(calls_++);
        for (auto action = due.first; action != due.second; ++action) action->second();
    }

    std::multimap<int, std::function<void()>> actions_;
    int calls_ = 0;
};

/// A lake with a table of generation 0, and in staging its generation 1.
class Swap {
public:
    static constexpr std::string_view folder = "/lake/events/sword";
    static constexpr std::string_view anew = "/lake/.staging/rebuild-id/events/sword";

    struct Log {
        int commits = 1;
        bool has_old_commits = true; ///< Those before a checkpoint, which are deleted in time.
        bool has_hint = true;        ///< Of the last checkpoint.
    };
    Swap(const Log& log, duck::Connection& connection) : connection_(connection) {
        make(std::string(folder), 0, log);
        make(std::string(anew), 1, log);
    }

    /// Of exchange() by renames: the new one goes aside, and the old one into its place.
    void begin() {
        rename(anew, std::string(anew) + std::string(io::exchange_aside_suffix));
        rename(folder, anew);
        has_begun_ = true;
    }
    /// The new one comes into the table's place; then the old one is retired, and the rebuilder's folder removed.
    void end() {
        rename(std::string(anew) + std::string(io::exchange_aside_suffix), folder);
        EXPECT_TRUE(world_.env().files.remove_tree("/lake/.staging/rebuild-id").ok());
        has_ended_ = true;
    }
    [[nodiscard]] bool has_begun() const { return has_begun_; }
    [[nodiscard]] bool has_ended() const { return has_ended_; }

    io::SimEnv world_{1};
    InterruptedFiles files_{world_.env().files};
    io::Env env_{world_.env().clock, files_, world_.env().entropy};
    ContinuousStore store_{env_, "/lake"};

private:
    void make(const std::string& at, int generation, const Log& given) {
        const DeltaLog log(world_.env(), at, "/lake/.staging/test");
        const std::string scratch = world_.env().files.scratch_directory("/lake").value() + "/checkpoint";
        DeltaState state;
        for (int i = 0; i < given.commits; ++i) {
            DeltaCommit commit = DeltaLogTest::append(i);
            if (commit.metadata) commit.metadata->configuration["questlog.generation"] = fmt::format("{}", generation);
            ASSERT_TRUE(log.commit(state, commit).value());
            if (!DeltaLog::due(state.version)) continue;
            ASSERT_TRUE(log.checkpoint(connection_, state, scratch).ok());
            for (int old = 0; !given.has_old_commits && old < i; ++old)
                world_.remove(fmt::format("{}/_delta_log/{:020}.json", at, old));
            if (!given.has_hint) world_.remove(at + "/_delta_log/_last_checkpoint");
        }
    }
    void rename(std::string_view from, std::string_view to) {
        EXPECT_TRUE(world_.env().files.rename(std::string(from), std::string(to)).ok()) << from << " to " << to;
    }

    duck::Connection& connection_;
    bool has_begun_ = false;
    bool has_ended_ = false;
};

class ContinuousPlaceTest : public ::testing::Test {
protected:
    std::shared_ptr<duck::Database> database_ = duck::Database::open({}).value();
    std::unique_ptr<duck::Connection> connection_ = database_->connect().value();
};

/// Does `look` beside a swap that begins before its n-th call, and ends before its m-th, for all n and m.
template <class Look> void beside_swaps(const std::function<std::unique_ptr<Swap>()>& make, Look&& look) {
    bool began = true;
    for (int n = 0; began; ++n) {
        bool ended = true;
        for (int m = n; ended; ++m) {
            const std::unique_ptr<Swap> swap = make();
            swap->files_.before(n, [&] { swap->begin(); });
            swap->files_.before(m, [&] { swap->end(); });
            look(*swap, fmt::format("begun before call {}, ended before call {}", n, m));
            if (::testing::Test::HasFatalFailure()) return;
            began = swap->has_begun();
            ended = swap->has_ended();
        }
    }
}

TEST_F(ContinuousPlaceTest, IsOpenedWhereverItIs) {
    for (const Swap::Log& log : {Swap::Log{1}, Swap::Log{3}, Swap::Log{101, false}, Swap::Log{101, false, false}})
        beside_swaps([&] { return std::make_unique<Swap>(log, *connection_); },
                     [&](Swap& swap, const std::string& when) {
                         const auto table = swap.store_.open(*connection_, "sword");
                         ASSERT_TRUE(table.ok()) << log.commits << ", " << when << ": " << table.error().message;
                         ASSERT_TRUE(*table) << log.commits << ", " << when << ": there is no table";
                         EXPECT_EQ((*table)->files().size(), static_cast<std::size_t>(log.commits)) << when;
                         EXPECT_LE((*table)->generation(), 1);
                     });
}

TEST_F(ContinuousPlaceTest, IsNamedWhereverItIs) {
    beside_swaps([this] { return std::make_unique<Swap>(Swap::Log{}, *connection_); },
                 [&](Swap& swap, const std::string& when) {
                     const auto names = swap.store_.names();
                     ASSERT_TRUE(names.ok()) << when << ": " << names.error().message;
                     ASSERT_EQ(*names, std::vector<std::string>{"sword"}) << when;
                 });
}

TEST_F(ContinuousPlaceTest, HasAHistoryWhereverItIs) {
    beside_swaps([this] { return std::make_unique<Swap>(Swap::Log{}, *connection_); },
                 [&](Swap& swap, const std::string& when) {
                     const auto history = swap.store_.history("sword");
                     ASSERT_TRUE(history.ok()) << when << ": " << history.error().message;
                     ASSERT_EQ(history->size(), 1) << when;
                 });
}

TEST_F(ContinuousPlaceTest, OfASwapThatWasCutOffTheOldOneIsRead) {
    Swap swap({}, *connection_);
    swap.begin();
    const auto table = swap.store_.open(*connection_, "sword");
    ASSERT_TRUE(table.ok() && *table);
    EXPECT_EQ((*table)->generation(), 0);
    EXPECT_EQ((*table)->folder(), Swap::anew);
}

TEST_F(ContinuousPlaceTest, FolderThatIsNoTableIsNone) {
    Swap swap({}, *connection_);
    ASSERT_TRUE(swap.world_.env().files.make_directories("/lake/events/other").ok());
    const int before = swap.files_.calls();
    const auto table = swap.store_.open(*connection_, "other");
    EXPECT_TRUE(table.ok() && !*table);
    EXPECT_LE(swap.files_.calls() - before, 5);
}

/// One row, at the offset.
LandedPart row_at(std::int64_t offset) {
    return {{"log", Partition{0}, Offset{offset}, Offset{offset + 1}},
            "2026-11-25",
            {},
            fmt::format("SELECT NULL::VARCHAR AS _rescued_data, TIMESTAMPTZ '2026-11-25 12:00:00+00' AS _timestamp, "
                        "0::BIGINT AS _partition, {}::BIGINT AS _offset",
                        offset),
            1};
}

/// A lake in which a rebuilder's table has come into the place of ours, of which operation `n` failed.
struct Replaced {
    Replaced(duck::Connection& connection, std::int64_t n, std::uint64_t seed) : world(seed) {
        ContinuousStore made(world.env(), store.replacement_root("log"));
        for (ContinuousStore* at : {&store, &made}) {
            ContinuousTable table = at->make("sword", {"game", "sword"}, at == &made ? 1 : 0);
            EXPECT_TRUE(at->append(connection, table, row_at(0)).value());
        }
        world.fail_operation(n, io::SimEnv::Fault::io_error);
        const bool replaced = store.replace("sword", made).ok();
        happened = world.fault_happened();
        EXPECT_TRUE(replaced || happened);
        world.fail_nothing();
    }
    /// The table's files, after a power cut, as far as they are there; and up to where it is landed.
    std::pair<std::size_t, Offset> after_power_cut(duck::Connection& connection) {
        world.power_cut();
        const ContinuousStore later(world.env(), "/lake");
        const auto found = later.open(connection, "sword");
        if (!found.ok() || !*found) return {};
        std::size_t files = 0;
        for (const DeltaFile& file : (*found)->files())
            if (world.contents((*found)->folder() + "/" + file.path)) ++files;
        return {files, (*found)->landed_to("log", Partition{0})};
    }

    io::SimEnv world;
    ContinuousStore store{world.env(), "/lake"};
    bool happened = false; ///< Else there are not as many operations.
};

/// With a failure of each operation, and with several seeds: each loses another part of what is not durable.
template <class Then> void after_each_failure(duck::Connection& connection, Then&& then) {
    bool happened = true;
    std::int64_t n = 0;
    for (; happened && !::testing::Test::HasFailure(); ++n)
        for (std::uint64_t seed = 1; seed <= 16 && happened; ++seed) {
            Replaced lake(connection, n, seed);
            happened = lake.happened;
            then(lake, fmt::format("operation {}, seed {}", n, seed));
        }
    EXPECT_GT(n, 4);
}

TEST_F(ContinuousPlaceTest, NothingIsCommittedInAPlaceThatAPowerCutMayTake) {
    after_each_failure(*connection_, [this](Replaced& lake, const std::string& when) {
        auto table = lake.store.open(*connection_, "sword").value();
        ASSERT_TRUE(table && lake.store.append(*connection_, *table, row_at(1)).value()) << when;
        EXPECT_EQ(lake.after_power_cut(*connection_), std::pair(std::size_t{2}, Offset{2})) << when;
    });
}

TEST_F(ContinuousPlaceTest, TheOldTableIsThereUntilTheNewOnesPlaceIsDurable) {
    after_each_failure(*connection_, [this](Replaced& lake, const std::string& when) {
        ASSERT_TRUE(lake.store.put_back("log").ok()) << when;
        ASSERT_TRUE(lake.world.env().files.remove_tree(lake.store.replacement_root("log")).ok()) << when;
        EXPECT_EQ(lake.after_power_cut(*connection_), std::pair(std::size_t{1}, Offset{1})) << when;
    });
}

} // namespace
} // namespace questlog::lake
