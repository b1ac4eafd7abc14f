#include "batch/lander_fixture.h"
#include "batch/rebuild.h"
#include "batch/run_fixture.h"
#include "batch/verification.h"

namespace questlog::batch {
namespace {

using Rows = std::vector<std::string>;

class VerificationTest : public LanderFixture {
protected:
    VerificationTest() {
        append({event("sword", 1), event("guild", 2), "no JSON"});
        EXPECT_TRUE(lander_->land_all().ok());
        append({event("sword", 3, R"(, "late": true)"), event("sword", 4)});
        EXPECT_TRUE(lander_->land_all().ok());
    }

    LandingWorld landing_world() { return landing_world(*reader_); }
    LandingWorld landing_world(log::LogReader& log) {
        return {world_.env(), log, *store_, [this]() -> Result<duck::Database*> { return database_.get(); }};
    }
    /// What is not the same, each file on a line.
    Rows verified(std::optional<std::string> table = std::nullopt) { return verified(*reader_, std::move(table)); }
    Rows verified(log::LogReader& log, std::optional<std::string> table = std::nullopt) {
        Rows lines;
        VerifyOptions options;
        options.table = std::move(table);
        options.writer = options_.writer;
        options.on_file = [&](const VerifiedFile& file) -> Status {
            constexpr const char* states[] = {"same", "different", "missing", "unverifiable"};
            if (file.state != VerifiedFile::State::same)
                lines.push_back(fmt::format("{} {}..{} {}: {}", file.table, file.ranges.front().from,
                                            file.ranges.front().to, states[static_cast<std::size_t>(file.state)],
                                            file.what));
            return {};
        };
        report_ = verify(landing_world(log), options).value();
        for (const std::string& name : world_.names("/data/lake/.staging"))
            EXPECT_FALSE(name.starts_with("verify-")) << "what was made is gone";
        return lines;
    }
    std::string path(const std::string& table, std::size_t file) {
        return "/data/lake/events/" + table + "/" + files_there(table).at(file);
    }
    /// Puts the rows of `select` in the place of a file's; %s stands for these.
    void tamper(const std::string& table, std::size_t file, std::string select) {
        const auto readable = world_.env().files.library_path_of(path(table, file)).value();
        const std::string made = world_.env().files.scratch_directory("/data").value() + "/made";
        select.replace(select.find("%s"), 2, "read_parquet(" + duck::quote_literal(readable.path) + ")");
        ASSERT_TRUE(connection_
                        ->execute(fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd)", select,
                                              duck::quote_literal(made)))
                        .ok());
        ASSERT_TRUE(world_.env().files.adopt(made, path(table, file)).ok());
    }

    VerifyReport report_;
};

TEST_F(VerificationTest, WhatWasLandedIsLandedAgainByteForByte) {
    EXPECT_EQ(verified(), Rows{});
    EXPECT_EQ(report_.same, 4);
    EXPECT_EQ(report_.rows, 5);
    reopen();
    EXPECT_EQ(verified("sword"), Rows{});
    EXPECT_EQ(report_.same, 2);
    EXPECT_EQ(verify(landing_world(), {"nowhere", "", {}, {}}).error().kind, ErrorKind::reject);
}

TEST_F(VerificationTest, TheFirstDifferenceIsTold) {
    tamper("sword", 1,
           "SELECT event_type, CASE WHEN _offset = 4 THEN 5 ELSE n END AS n, late, _rescued_data, _timestamp, "
           "_partition, _offset FROM %s");
    EXPECT_EQ(verified(), (Rows{"sword 3..5 different: row 2, offset 4: n is 5, and by the log 4"}));
    tamper("sword", 1, "SELECT * FROM %s LIMIT 1");
    EXPECT_EQ(verified(), (Rows{"sword 3..5 different: it has 1 rows, and fewer than the log"}));
}

TEST_F(VerificationTest, OtherBytesAreADifferenceOnlyToTheVersionsThatWroteThem) {
    tamper("guild", 0, "SELECT * FROM %s"); // other encodings
    EXPECT_EQ(verified(), (Rows{"guild 0..3 different: its rows are the same, and its bytes are not, though the same "
                                "versions wrote it"}));
    options_.writer = "questlog of another day";
    EXPECT_EQ(verified(), Rows{});
}

TEST_F(VerificationTest, ADamagedOrMissingFileIsTold) {
    world_.shorten(path("guild", 0), 100);
    const Rows damaged = verified();
    ASSERT_EQ(damaged.size(), 1U);
    EXPECT_TRUE(damaged[0].starts_with("guild 0..3 different: it does not read: ")) << damaged[0];
    world_.remove("/data/lake/events/sword/_delta_log/00000000000000000001.json");
    EXPECT_EQ(verified("sword"), (Rows{"sword 3..5 missing: no file has the cut"}));
}

TEST_F(VerificationTest, ADamagedTableIsToldOnceAndTheOthersAreVerified) {
    tamper("guild", 0, "SELECT event_type, 7 AS n, * EXCLUDE (event_type, n) FROM %s");
    append({event("dog", 1), event("guild", 3)});
    ASSERT_TRUE(lander_->land_all().ok());
    for (const std::string name : {"dead_letters", "sword"})
        world_.put("/data/lake/events/" + name + "/_delta_log/00000000000000000000.json", "{");
    const auto expect_told = [](const Rows& lines, const std::string& name) {
        EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                                [&](const std::string& line) {
                                    return line.starts_with(name + " 0..3 different: ") &&
                                           line.find("00000000000000000000.json") != std::string::npos;
                                }),
                  1)
            << name;
    };
    const Rows lines = verified();
    ASSERT_EQ(lines.size(), 3U);
    expect_told(lines, "dead_letters");
    expect_told(lines, "sword");
    EXPECT_EQ(report_.different, 3) << "the guilds', too";
    EXPECT_EQ(report_.same, 2) << "the others' files of the later cut";
    LaterLog later(*reader_, Offset{1});
    const Rows of_later = verified(later);
    ASSERT_EQ(of_later.size(), 3U) << "the guilds' first is unverifiable";
    expect_told(of_later, "dead_letters");
    expect_told(of_later, "sword");
    EXPECT_EQ(verified("sword").size(), 1U);
}

TEST_F(VerificationTest, ACutThatTheLogNoLongerHasInFullIsUnverifiable) {
    LaterLog later(*reader_, Offset{1}); // its other events would make another file
    EXPECT_EQ(verified(later), (Rows{"dead_letters 0..3 unverifiable: the log begins at offset 1",
                                     "guild 0..3 unverifiable: the log begins at offset 1",
                                     "sword 0..3 unverifiable: the log begins at offset 1"}));
    EXPECT_EQ(report_.unverifiable, 3);
    EXPECT_EQ(report_.same, 1) << "the cut after it";
    EXPECT_EQ(verified(later, "guild"), (Rows{"guild 0..3 unverifiable: the log begins at offset 1"}));
    LaterLog at_the_cut(*reader_, Offset{3});
    EXPECT_EQ(verified(at_the_cut).size(), 3U);
    EXPECT_EQ(report_.same, 1) << "it has all of the second cut";
    LaterLog much_later(*reader_, Offset{4});
    EXPECT_EQ(verified(much_later).size(), 4U);
    EXPECT_EQ(report_.same, 0);
}

TEST_F(VerificationTest, ACutThatIsBeingLandedIsLeftOut) {
    append({event("sword", 5)});
    lake::PlannedCut cut = cuts().back();
    cut.from = Offset{5};
    cut.to = Offset{6};
    ASSERT_TRUE(records().record(cut).ok());
    EXPECT_EQ(verified(), Rows{});
    EXPECT_EQ(report_.same, 4);
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(verified(), Rows{});
    EXPECT_EQ(report_.same, 5);
}

TEST_F(VerificationTest, ARebuiltTableIsTheSameInOtherFiles) {
    const Rows before = rows("sword", "SELECT * FROM %s");
    const auto old_files = files_there("sword");
    world_.shorten(path("sword", 0), 100);
    const auto report = rebuild(landing_world(), "sword", {});
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->rows, 3);
    EXPECT_EQ(rows("sword", "SELECT * FROM %s"), before);
    EXPECT_EQ(verified(), Rows{});
    EXPECT_EQ(table("sword")->generation(), 1);
    for (const std::string& file : files_there("sword"))
        EXPECT_EQ(std::count(old_files.begin(), old_files.end(), file), 0) << "no name is used for other bytes";
    append({event("sword", 5)});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "3", "4", "5"}));
    EXPECT_EQ(books().tables.at("sword").events, 4);
    EXPECT_EQ(books().tables.at("sword").stopped_at, std::nullopt) << "a lander sees that the table is another";
}

TEST_F(VerificationTest, ARebuildMendsATableThatWasStopped) {
    world_.remove("/data/lake/events/sword/_delta_log/00000000000000000000.json");
    reopen();
    append({event("sword", 5), event("guild", 6)});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(books().tables.at("sword").stopped_at, Offset{5});
    EXPECT_FALSE(store_->open(*connection_, "sword").ok());
    const auto report = rebuild(landing_world(), "sword", {});
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "3", "4", "5"}));
    append({event("sword", 7)});
    ASSERT_TRUE(lander_->land_all().ok());
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "3", "4", "5", "7"}));
    EXPECT_EQ(verified(), Rows{});
}

TEST_F(VerificationTest, ARebuildThatFailsLeavesTheTableAsItWas) {
    EXPECT_EQ(rebuild(landing_world(), "nowhere", {}).error().kind, ErrorKind::reject);
    const auto held = records().lock({});
    RebuildOptions impatient;
    impatient.lock_wait = {};
    EXPECT_EQ(rebuild(landing_world(), "sword", impatient).error().kind, ErrorKind::retry_later);
    EXPECT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "3", "4"}));
    EXPECT_EQ(verified(), Rows{});
}

/// At every step: the old table or the new one, whole.
TEST_F(VerificationTest, ARebuildSurvivesAPowerCutAtAnyStep) {
    for (std::int64_t n = 0;; n += 3) {
        world_.fail_operation(n, io::SimEnv::Fault::stop);
        const auto made = rebuild(landing_world(), "sword", {});
        const bool failed = world_.fault_happened();
        world_.fail_nothing();
        world_.power_cut();
        reopen();
        ASSERT_EQ(rows("sword", "SELECT n FROM %s"), (Rows{"1", "3", "4"})) << n;
        ASSERT_TRUE(lander_->land_all().ok()) << n;
        ASSERT_EQ(books().tables.at("sword").events, 3) << n;
        if (!failed) break;
    }
    EXPECT_EQ(verified(), Rows{});
}

} // namespace
} // namespace questlog::batch
