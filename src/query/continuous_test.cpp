// Continuous tables as SQL reads them: what is landed, and the log after it, whatever a lander is doing.
#include "io/forwarding_files.h"
#include "query/continuous_fixture.h"
#include "query/status.h"
#include "scan/landed_log.h"

#include <cerrno>

namespace questlog::query {
namespace {

TEST_F(ContinuousTest, ATypeIsATableFromItsFirstEventOn) {
    EXPECT_NE(ask("SELECT * FROM raid")[0][0].find("raid"), std::string::npos) << "there is none yet";
    raid(1, R"(, "boss": "Onyx")");
    EXPECT_EQ(ask("SELECT n, boss, _rescued_data, _partition, _offset FROM raid"),
              (Rows{{"1", "Onyx", "NULL", "0", "0"}}));
    EXPECT_EQ(ask("SELECT n FROM RAID"), (Rows{{"1"}}));
    EXPECT_EQ(ask("WITH x AS (SELECT n FROM raid) SELECT count(*) FROM x"), (Rows{{"1"}}));
    EXPECT_EQ(ledger(), (Rows{{"0", "raid", "1", "0", "1", "true", "NULL"}}));
}

TEST_F(ContinuousTest, ACutThatIsBeingLandedIsReadOnce) {
    raid(1);
    raid(2);
    land_table("raid", 0, 2);
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}, {"2"}})) << "committed, and not in the books yet";
    EXPECT_EQ(ledger(), (Rows{{"0", "raid", "2", "2", "0", "true", "NULL"}}));
    raid(3);
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}, {"2"}, {"3"}}));
    EXPECT_EQ(ledger(), (Rows{{"0", "raid", "3", "2", "1", "true", "NULL"}}));
    write_books(2, {{"raid", {2, std::nullopt, ""}}});
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}, {"2"}, {"3"}}));
    EXPECT_EQ(ledger(), (Rows{{"0", "raid", "3", "2", "1", "true", "NULL"}}));
}

TEST_F(ContinuousTest, WhatTheBooksSayIsLandedIsNotReadFromTheLog) {
    raid(1);
    raid(2);
    land_table("raid", 0, 1);
    write_books(2, {{"raid", {2, std::nullopt, ""}}});
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}})) << "what is missing in the files shows";
    EXPECT_EQ(ledger(), (Rows{{"0", "raid", "2", "1", "0", "false", "NULL"}})) << "and in the ledger";
    const auto report = status(*world_).value();
    EXPECT_FALSE(report.sound());
    EXPECT_NE(status_text(report).find("WRONG"), std::string::npos) << status_text(report);
}

TEST_F(ContinuousTest, AStoppedTableIsReadFromTheLogFromThereOn) {
    raid(1);
    post({R"({"event_type": "guild", "n": 1})"});
    land_table("raid", 0, 2);
    land_table("guild", 0, 2);
    raid(2);
    raid(3);
    write_books(4, {{"raid", {1, Offset{2}, "its files are damaged"}}, {"guild", {1, std::nullopt, ""}}});
    raid(4);
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}, {"2"}, {"3"}, {"4"}}));
    EXPECT_EQ(ask("SELECT n FROM guild"), (Rows{{"1"}}));
    EXPECT_EQ(ledger(), (Rows{{"0", "guild", "1", "1", "0", "true", "NULL"},
                              {"0", "raid", "4", "1", "3", "true", "its files are damaged"}}));
    EXPECT_FALSE(status(*world_)->sound());
}

TEST_F(ContinuousTest, ATableThatWasStoppedBeforeItsFirstCommitIsReadFromTheLog) {
    raid(1);
    post({R"({"event_type": "quest", "n": 2})"});
    raid(3);
    land_table("quest", 0, 2);
    write_books(2, {{"raid", {0, Offset{0}, "no"}}, {"quest", {1, std::nullopt, ""}}});
    EXPECT_EQ(ask("SELECT n FROM raid ORDER BY n"), (Rows{{"1"}, {"3"}}));
    EXPECT_EQ(ask("SELECT n FROM quest"), (Rows{{"2"}}));
}

/// It was forwarded to Kafka once, and was landed from there.
TEST_F(ContinuousTest, ALogWhoseEventsWereLandedFromAnotherOneIsNoAnswer) {
    raid(1);
    land_table("raid", 0, 1);
    lake::LandingRecords of_kafka(real_.env(), folder_ + "/lake", "of-kafka", Partition{0});
    lake::Books books{Offset{0}, Offset{1}, 1, 0, {{"raid", {1, std::nullopt, ""}}}};
    books.origins = {"some other"};
    ASSERT_TRUE(of_kafka.write_books(books).ok());
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}})) << "another topic's";
    EXPECT_TRUE(status(*world_)->sound());
    books.origins.insert(writer_->topic().id);
    ASSERT_TRUE(of_kafka.write_books(books).ok());
    const std::string told = "from the topic in Kafka that it was forwarded to (log of-kafka)";
    const std::string error = ask("SELECT n FROM raid")[0][0];
    for (const std::string words : {told.c_str(), "`--landed` reads the files alone"})
        EXPECT_NE(error.find(words), std::string::npos) << error;
    EXPECT_EQ(ask("SELECT n FROM raid", {.landed_only = true}), (Rows{{"1"}}));
    const Rows rows = ledger();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows[0][5], "false");
    EXPECT_NE(rows[0][6].find(told), std::string::npos) << rows[0][6];
    EXPECT_FALSE(status(*world_)->sound());
}

/// A log restored from an older backup: the events that came in the place of landed ones are in no file.
TEST_F(ContinuousTest, ALogThatIsNotTheOneThatWasLandedIsNoAnswer) {
    raid(1);
    land_table("raid", 0, 1);
    raid(2);
    post({R"({"event_type": "guild", "n": 3})"});
    auto reader = log::open_reader(real_.env(), *topics_, writer_->topic()).value();
    lake::Books books{Offset{0}, Offset{1}, 1, 0, {{"raid", {1, std::nullopt, ""}}}};
    books.last = scan::witness_at(reader->partition(Partition{0}), Offset{0}).value();
    ASSERT_TRUE(records().write_books(books).ok());
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}, {"2"}}));
    EXPECT_TRUE(status(*world_)->sound());
    const auto expect_refused = [&](const std::string& what) {
        ASSERT_TRUE(records().write_books(books).ok());
        for (const std::string table : {"raid", "guild"}) {
            const std::string error = ask("SELECT n FROM " + table)[0][0];
            for (const std::string words : {"topic game-events [0]: this is not the log that was landed", what.c_str(),
                                            "`--landed` reads the files alone"})
                EXPECT_NE(error.find(words), std::string::npos) << error;
        }
        EXPECT_EQ(ask("SELECT n FROM raid", {.landed_only = true}), (Rows{{"1"}}));
        EXPECT_EQ(ask("SELECT count(*) FROM events"), (Rows{{"3"}})) << "the log as it is";
        const Rows rows = ledger();
        ASSERT_EQ(rows.size(), 1U);
        EXPECT_EQ(Rows::value_type(rows[0].begin(), rows[0].begin() + 6),
                  (Rows::value_type{"0", "raid", "1", "1", "0", "false"}));
        EXPECT_NE(rows[0][6].find(what), std::string::npos) << rows[0][6];
        const auto report = status(*world_).value();
        EXPECT_FALSE(report.sound());
        EXPECT_NE(status_text(report).find("raid: nothing more is landed: topic game-events [0]"), std::string::npos)
            << status_text(report);
    };
    ++books.last->fingerprint;
    expect_refused("another event than the one that was landed is at offset 0");
    books = {Offset{0}, Offset{7}, 7, 0, {{"raid", {1, std::nullopt, ""}}}};
    expect_refused("offset 6 was landed, and the log ends at 3");
}

TEST_F(ContinuousTest, LandedAndTailAreOneTableWithTheColumnsOfBoth) {
    raid(1, R"(, "hp": 5)");
    land_table("raid", 0, 1);
    write_books(1, {{"raid", {1, std::nullopt, ""}}});
    raid(2, R"(, "hp": "full", "new": true)");
    EXPECT_EQ(ask("SELECT n, hp, new, _rescued_data FROM raid"),
              (Rows{{"1", "5", "NULL", "NULL"}, {"2", "NULL", "true", R"({"hp": "full"})"}}));
    Session landed(*world_, {true});
    EXPECT_EQ(all_of(*landed.query_as_text("SELECT n, hp FROM raid").value()), (Rows{{"1", "5"}}));
}

TEST_F(ContinuousTest, DeadLettersAreATable) {
    post({"no JSON", R"({"a": 1})"});
    raid(1);
    EXPECT_EQ(ask(R"(SELECT topic, "partition", "offset", reason, value FROM dead_letters)"),
              (Rows{{"game-events", "0", "0", "not JSON", "no JSON"},
                    {"game-events", "0", "1", "no string event_type", R"({\x22a\x22: 1})"}}));
    EXPECT_EQ(ledger(), (Rows{{"0", "dead_letters", "2", "0", "2", "true", "NULL"},
                              {"0", "raid", "1", "0", "1", "true", "NULL"}}));
}

/// `SHOW TABLES`, the ledger and the status have it and all others.
TEST_F(ContinuousTest, ADamagedTableIsToldAndHidesNoOther) {
    raid(1);
    post({R"({"event_type": "guild", "n": 1})", R"({"event_type": "guild", "n": 2})"});
    land_table("raid", 0, 3);
    land_table("guild", 0, 3);
    write_books(3, {{"raid", {1, std::nullopt, ""}}, {"guild", {2, std::nullopt, ""}}});
    raid(2);
    std::filesystem::resize_file(folder_ + "/lake/events/guild/_delta_log/00000000000000000000.json", 1);
    const auto expect_all = [&](const std::string& accepted, const std::string& pending) {
        const Rows rows = ledger();
        ASSERT_EQ(rows.size(), 2U);
        const std::string& problem = rows[0].back();
        EXPECT_NE(problem.find("guild/_delta_log/00000000000000000000.json"), std::string::npos) << problem;
        EXPECT_EQ(rows[0], (std::vector<std::string>{"0", "guild", accepted, "0", pending, "false", problem}));
        EXPECT_EQ(rows[1], (std::vector<std::string>{"0", "raid", "2", "1", "1", "true", "NULL"}));
        EXPECT_EQ(ask("SHOW TABLES"), (Rows{{"dead_letters"}, {"events"}, {"guild"}, {"ledger"}, {"raid"}}));
        EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}, {"2"}}));
        EXPECT_NE(ask("SELECT * FROM guild")[0][0].find("table guild: "), std::string::npos);
        const auto report = status(*world_).value();
        EXPECT_FALSE(report.sound());
        ASSERT_EQ(report.topics.size(), 1U);
        EXPECT_EQ(report.topics[0].continuous_problem, "");
        ASSERT_EQ(report.topics[0].continuous.size(), 2U);
        EXPECT_EQ(report.topics[0].continuous[0].problem, problem);
        EXPECT_TRUE(report.topics[0].continuous[1].sound());
        EXPECT_NE(status_text(report).find(problem), std::string::npos);
    };
    expect_all("2", "0");
    post({R"({"event_type": "guild", "n": 3})"});
    expect_all("3", "1");
    write_books(5, {{"raid", {2, std::nullopt, ""}}, {"guild", {2, Offset{3}, "its files are damaged"}}});
    land_table("raid", 3, 5);
    raid(3);
    const Rows stopped = ask("SELECT accepted, pending, balanced FROM ledger WHERE \"table\" = 'guild'");
    EXPECT_EQ(stopped, (Rows{{"3", "1", "false"}})) << "from there on the log is read";
    EXPECT_EQ(ask("SELECT n FROM raid"), (Rows{{"1"}, {"2"}, {"3"}}));
    std::filesystem::remove_all(folder_ + "/lake/.landing");
    EXPECT_EQ(ask("SELECT \"table\" FROM ledger"), (Rows{{"guild"}, {"raid"}}));
}

class ContinuousPartitionsTest : public ContinuousTest {
protected:
    ContinuousPartitionsTest() : ContinuousTest(2) {}
};

TEST_F(ContinuousPartitionsTest, EachPartitionIsLandedByItself) {
    raid(1, "", 0);
    raid(2, "", 1);
    raid(3, "", 1);
    land_table("raid", 0, 1, 1);
    EXPECT_EQ(ask("SELECT n, _partition FROM raid ORDER BY n"), (Rows{{"1", "0"}, {"2", "1"}, {"3", "1"}}));
    EXPECT_EQ(ledger(),
              (Rows{{"0", "raid", "1", "0", "1", "true", "NULL"}, {"1", "raid", "2", "1", "1", "true", "NULL"}}));
}

/// Files of tables that are gone when they come to be read, so many times.
class VanishingFiles final : public io::ForwardingFiles {
public:
    VanishingFiles(io::Files& files, int times) : ForwardingFiles(files), times_(times) {}

    Result<LibraryPath> library_path_of(const std::string& path) override {
        if (times_-- <= 0) return ForwardingFiles::library_path_of(path);
        Error gone = reject("cannot open {}: it is not there", path); // HDFS's words
        gone.system_errno = ENOENT;
        return gone;
    }

private:
    int times_;
};

TEST_F(ContinuousTest, ATableThatIsMadeAnewAfterItsFilesWereListedIsReadOnceMore) {
    raid(1);
    land_table("raid", 0, 1);
    write_books(1, {{"raid", {1, std::nullopt, ""}}});
    for (const int times : {1, 3, 99}) {
        const auto ask_vanishing = [&](const auto& asking) {
            VanishingFiles files(real_.env().files, times);
            lake::ContinuousStore store({real_.env().clock, files, real_.env().entropy}, folder_ + "/lake");
            const World world{real_.env(), *topics_, *store_, store, database_, {}, "game-events", {}, {}, {}};
            Session session(world, {});
            return asking(session);
        };
        const bool is_there = times < 5;
        EXPECT_EQ(ask_vanishing([](Session& session) { return session.query("SELECT n FROM raid").ok(); }), is_there);
        EXPECT_EQ(ask_vanishing([](Session& session) { return session.query_as_text("SELECT n FROM raid").ok(); }),
                  is_there);
        const std::string answer = folder_ + "/answer.parquet";
        EXPECT_EQ(
            ask_vanishing([&](Session& session) { return session.copy_to_parquet("SELECT n FROM raid", answer).ok(); }),
            is_there);
    }
}

/// Whatever of it is landed, and however far: the answer is the same, and repeats are in the books.
TEST_F(ContinuousTest, AnEventThatIsInTheLogTwiceByItsMessageIdIsReadOnce) {
    const auto post_with_ids = [&](const std::vector<std::pair<std::string, int>>& events) {
        log::PartitionWriter& partition = writer_->partition(Partition{0});
        log::BatchBuilder batch;
        batch.begin(partition.next_offset());
        for (const auto& [id, n] : events) {
            const log::RecordHeader header{"message_id", id};
            batch.add(TimestampMs{now_ms_++}, fmt::format(R"({{"event_type": "raid", "n": {}}})", n), std::nullopt,
                      {&header, 1});
        }
        ASSERT_TRUE(partition.append(batch.seal()).ok() && partition.sync().ok());
    };
    post_with_ids({{"a", 1}, {"b", 2}});
    const auto expect_once = [&](const std::string& when, const std::string& landed, const std::string& pending) {
        EXPECT_EQ(ask("SELECT n FROM raid ORDER BY n"), (Rows{{"1"}, {"2"}, {"5"}})) << when;
        EXPECT_EQ(ask("SELECT accepted, landed, pending, duplicates, balanced FROM ledger"),
                  (Rows{{"5", landed, pending, "2", "true"}}))
            << when;
        EXPECT_EQ(ask("SELECT count(*) FROM events"), (Rows{{"5"}})) << "the log as it is";
    };
    constexpr std::int64_t a_day_and_more = 25 * 60 * 60 * 1000;
    now_ms_ += a_day_and_more; // another producer's clock
    post_with_ids({{"c", 5}});
    now_ms_ -= a_day_and_more;
    post_with_ids({{"a", 3}, {"b", 4}});
    expect_once("from the log alone", "0", "3");
    lake::PlannedCut cut{Offset{0}, Offset{2}, "2026-11-22", lake::CutReason::asked, "test", 2, {}};
    ASSERT_TRUE(records()
                    .write_ids(Offset{0}, {{event::hash_of("a"), Offset{0}, TimestampMs{now_ms_ - 5}},
                                           {event::hash_of("b"), Offset{1}, TimestampMs{now_ms_ - 4}}})
                    .ok());
    ASSERT_TRUE(records().record(cut).ok());
    expect_once("a cut is recorded, and not landed", "0", "3");
    land_table("raid", 0, 2);
    expect_once("it is committed, and not in the books", "2", "1");
    write_books(2, {{"raid", {2, std::nullopt, ""}}});
    expect_once("it is landed", "2", "1");
    world_->repeats.ids = 0;
    EXPECT_EQ(ask("SELECT n FROM raid ORDER BY n"), (Rows{{"1"}, {"2"}, {"3"}, {"4"}, {"5"}}));
}

} // namespace
} // namespace questlog::query
