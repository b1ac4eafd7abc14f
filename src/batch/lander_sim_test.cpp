// Whatever fails at whatever step of landing: each event is in exactly one table, exactly once, and what a reader has
// seen stays.
#include "batch/lander_fixture.h"

namespace questlog::batch {
namespace {

using Rows = std::vector<std::string>;

/// Where each offset's event is to be.
using Model = std::map<std::int64_t, std::string>;

class Machine : public LanderFixture {
public:
    explicit Machine(std::uint64_t seed) : LanderFixture(seed) {}
    void TestBody() override {}

    /// Some have ids; from the second time on, the last repeats one of the time before.
    void append_some(int first) {
        std::vector<std::pair<std::string, std::string>> events;
        for (int i = first; i < first + 6; ++i) {
            const std::string table = i % 6 == 5 ? "dead_letters" : i % 2 == 0 ? "sword" : "guild";
            model_[next_++] = table;
            events.emplace_back(i % 3 == 0 ? fmt::format("id {}", i) : "",
                                i % 6 == 5 ? "no JSON" : event(table, i, i > 8 ? R"(, "late": true)" : ""));
        }
        if (last_ >= 0) {
            events.emplace_back(fmt::format("id {}", last_), event("sword", last_, R"(, "again": true)"));
            ++next_;
            ++repeats_;
        }
        last_ = first;
        append_with_ids(events);
    }

    /// The offsets in the table, by its Delta log.
    std::vector<std::int64_t> committed(const std::string& name) {
        std::vector<std::int64_t> offsets;
        for (const std::string& row : rows(name, fmt::format("SELECT {} FROM %s", offset_column(name))))
            offsets.push_back(std::stoll(row));
        return offsets;
    }
    /// The same for a reader who opens whatever Parquet lies there.
    std::multiset<std::int64_t> lying_there(const std::string& name) {
        std::multiset<std::int64_t> offsets;
        for (const std::string& file : files_there(name)) {
            const auto path = world_.env().files.library_path_of("/data/lake/events/" + name + "/" + file).value();
            const auto found = connection_->query(
                fmt::format("SELECT {} FROM read_parquet({})", offset_column(name), duck::quote_literal(path.path)));
            if (!found.ok()) {
                ADD_FAILURE() << file << ": " << found.error().message;
                continue;
            }
            while (const std::size_t count = (*found)->next().value())
                for (std::size_t row = 0; row < count; ++row) offsets.insert((*found)->bigint(0, row));
        }
        return offsets;
    }

    void expect_all_landed(const std::string& when) {
        for (const std::string name : {"sword", "guild", "dead_letters"}) {
            std::vector<std::int64_t> expected;
            for (const auto& [offset, table] : model_)
                if (table == name) expected.push_back(offset);
            ASSERT_EQ(committed(name), expected) << when << ": " << name;
            const std::multiset<std::int64_t> all(expected.begin(), expected.end());
            ASSERT_EQ(lying_there(name), all) << when << ": " << name;
            ASSERT_EQ(books().tables.at(name).events, static_cast<std::int64_t>(expected.size())) << when;
            ASSERT_EQ(books().tables.at(name).repeats, name == "sword" ? repeats_ : 0) << when << ": " << name;
        }
    }

    /// As a failed sync leaves a table until the next start.
    [[nodiscard]] bool is_stopped(const std::string& name) {
        const auto known = records().books();
        if (!known.ok() || !*known) return false;
        const auto table = (*known)->tables.find(name);
        return table != (*known)->tables.end() && table->second.stopped_at.has_value();
    }
    [[nodiscard]] bool is_any_stopped() {
        return is_stopped("sword") || is_stopped("guild") || is_stopped("dead_letters");
    }

    [[nodiscard]] io::SimEnv& world() { return world_; }
    [[nodiscard]] Lander& lander() { return *lander_; }
    void restart() { reopen(); }

private:
    static std::string offset_column(const std::string& name) {
        return name == "dead_letters" ? R"("offset")" : "_offset";
    }

    Model model_;
    std::int64_t next_ = 0;
    std::int64_t repeats_ = 0;
    int last_ = -1; ///< The first of the time before.
};

void run(io::SimEnv::Fault fault, bool power_cut, std::int64_t n, bool& done) {
    const std::string when =
        fmt::format("fault {} at operation {}, {}", static_cast<int>(fault), n, power_cut ? "power cut" : "kill");
    Machine machine(static_cast<std::uint64_t>(n) * 2 + (power_cut ? 1 : 0));
    machine.append_some(0);
    if (n / 2 % 2 == 0) { // half of them in tables that are there already
        ASSERT_TRUE(machine.lander().land_all().ok()) << when;
        machine.append_some(6);
    }
    machine.world().fail_operation(n, fault);
    const Status landed = machine.lander().land_all();
    done = !machine.world().fault_happened();
    machine.world().fail_nothing();
    if (fault != io::SimEnv::Fault::stop && n / 2 % 3 == 0) { // the process goes on
        machine.append_some(12);
        const Status later = machine.lander().land_all();
        if (fault == io::SimEnv::Fault::disk_full) {
            ASSERT_TRUE(later.ok()) << when << ": " << later.error().message;
            if (!machine.is_any_stopped()) machine.expect_all_landed(when + ", in the same process");
        }
    }
    std::map<std::string, std::vector<std::int64_t>> seen;
    if (fault != io::SimEnv::Fault::stop)
        for (const std::string name : {"sword", "guild", "dead_letters"})
            if (!machine.is_stopped(name)) seen[name] = machine.committed(name);
    if (power_cut)
        machine.world().power_cut();
    else
        machine.world().crash();
    machine.restart();
    for (const auto& [name, before] : seen) {
        if (!landed.ok()) continue; // its commit may have been seen before it was durable
        ASSERT_EQ(machine.committed(name), before) << when << ": what was landed is gone, " << name;
    }
    machine.append_some(18);
    const Status again = machine.lander().land_all();
    ASSERT_TRUE(again.ok()) << when << ": " << again.error().message;
    machine.expect_all_landed(when);
}

class LanderSim : public ::testing::TestWithParam<std::tuple<io::SimEnv::Fault, bool>> {};

TEST_P(LanderSim, NothingIsLostOrDoubledWhateverFails) {
    const auto [fault, power_cut] = GetParam();
    // Each step meets each kind of fault, by a kill or by a power cut.
    constexpr std::int64_t stride = 2;
    int rounds = 0;
    for (std::int64_t n = power_cut ? 1 : 0; !HasFatalFailure(); n += stride, ++rounds) {
        bool done = false;
        run(fault, power_cut, n, done);
        if (done) break;
    }
    EXPECT_GT(rounds, 30);
}

INSTANTIATE_TEST_SUITE_P(Faults, LanderSim,
                         ::testing::Combine(::testing::Values(io::SimEnv::Fault::stop, io::SimEnv::Fault::io_error,
                                                              io::SimEnv::Fault::disk_full),
                                            ::testing::Bool()));

} // namespace
} // namespace questlog::batch
