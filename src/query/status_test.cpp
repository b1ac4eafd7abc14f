#include "query/status.h"

#include "log/repair.h"
#include "query/query_fixture.h"

#include <fstream>

namespace questlog::query {
namespace {

class StatusTest : public QueryFixture {
protected:
    StatusReport report() {
        auto made = status(*world_);
        EXPECT_TRUE(made.ok()) << made.error().message;
        return made.ok() ? *made : StatusReport{};
    }
    TableStatus table(const std::string& name) {
        for (const TopicStatus& topic : report().topics) {
            for (const TableStatus& one : topic.tables) {
                if (one.name == name) return one;
            }
        }
        ADD_FAILURE() << name;
        return {};
    }
    /// Of partition 0, in order.
    std::vector<std::filesystem::path> segments() {
        std::vector<std::filesystem::path> paths;
        for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/log/game-events-0"))
            if (entry.path().extension() == ".log") paths.push_back(entry.path());
        std::sort(paths.begin(), paths.end());
        return paths;
    }
};

void expect_books(const TableStatus& table, const Books& books) {
    ASSERT_TRUE(table.books);
    EXPECT_EQ(table.books->accepted, books.accepted);
    EXPECT_EQ(table.books->landed, books.landed);
    EXPECT_EQ(table.books->pending, books.pending);
    EXPECT_EQ(table.books->filtered, books.filtered);
    EXPECT_EQ(table.books->dead_lettered, books.dead_lettered);
}

TEST_F(StatusTest, EveryEventHasItsPlaceInTheBooks) {
    declare("swords", "event_type = 'purchase_sword'");
    buy("sword", 1);
    buy("knife", 1);
    post({"not JSON"});
    expect_books(table("swords"), {.accepted = 3, .pending = 3});
    land("swords");
    expect_books(table("swords"), {.accepted = 3, .landed = 1, .filtered = 1, .dead_lettered = 1});
    buy("sword", 2);
    const TableStatus swords = table("swords");
    expect_books(swords, {.accepted = 4, .landed = 1, .pending = 1, .filtered = 1, .dead_lettered = 1});
    EXPECT_TRUE(swords.books->balanced());
    EXPECT_EQ(swords.state, TableState::landed);
    EXPECT_EQ(swords.rows, 1);
    EXPECT_EQ(swords.landed.at(0).to, Offset{3});
    EXPECT_GT(swords.bytes, 0);
    ASSERT_EQ(swords.files.size(), 1U);
    EXPECT_TRUE(swords.files[0].starts_with("part-00000-"));
    EXPECT_TRUE(report().sound());
}

TEST_F(StatusTest, BooksThatDoNotBalanceAreSeen) {
    auto& table_declaration = declare("swords", "event_type = 'purchase_sword'");
    for (int i = 0; i < 5; ++i) buy("sword", i);
    lake::SnapshotFacts facts; // Claims to have looked at offsets 0 to 3 and accounts for two events.
    facts.log_id = writer_->topic().id;
    facts.topic = "game-events";
    facts.declaration = table_declaration.digest();
    facts.ranges = {{0, Offset{1}, Offset{3}}};
    facts.examined = 2;
    auto connection = database_->connect().value();
    ASSERT_TRUE(store_->overwrite(table_declaration.path, *connection, "SELECT 1::BIGINT AS price", facts).ok());
    const TableStatus swords = table("swords");
    expect_books(swords, {.accepted = 5, .landed = 1, .pending = 2, .filtered = 1});
    EXPECT_FALSE(swords.books->balanced());
    EXPECT_FALSE(report().sound());
    EXPECT_NE(status_text(report()).find("WRONG"), std::string::npos);
    EXPECT_NE(status_json(report()).find("\"balanced\": false"), std::string::npos);
}

TEST_F(StatusTest, FilesThatSqlDoesNotUseHaveLandedNothing) {
    declare("swords", "event_type = 'purchase_sword'");
    buy("sword", 1);
    land("swords");
    declare("swords", "event_type = 'purchase_knife'");
    const TableStatus changed = table("swords");
    EXPECT_EQ(changed.state, TableState::declaration_changed);
    EXPECT_EQ(changed.rows, 1);
    expect_books(changed, {.accepted = 1, .pending = 1});
    EXPECT_NE(changed.problem.find("`questlog batch write_swords`"), std::string::npos);

    declare("swords", "event_type = 'purchase_sword'");
    remake_topic("game-events");
    EXPECT_EQ(table("swords").state, TableState::other_log);
}

TEST_F(StatusTest, DamageIsReportedBesideWhatIsSound) {
    declare("swords", "");
    declare("knives", "");
    buy("sword", 1);
    land("swords");
    land("knives");
    for (const auto& entry : std::filesystem::directory_iterator(folder_ + "/lake/tmp/swords")) {
        if (entry.path().extension() == ".parquet") std::filesystem::resize_file(entry.path(), 30);
    }
    EXPECT_EQ(table("swords").state, TableState::damaged);
    EXPECT_FALSE(table("swords").problem.empty());
    EXPECT_EQ(table("knives").state, TableState::landed);
    EXPECT_FALSE(report().sound());
}

TEST_F(StatusTest, WhatARepairOfTheLogGaveUpIsLostInTheBooksUnlessItWasLandedBefore) {
    declare("before", "event_type = 'purchase_sword'");
    declare("between", "event_type = 'purchase_sword'");
    declare("never", "");
    for (int i = 0; i < 3; ++i) buy("sword", i);
    land("before");
    land("between", {{1}});
    ASSERT_TRUE(writer_->close().ok());
    writer_.reset();
    std::fstream segment(segments().at(0), std::ios::in | std::ios::out | std::ios::binary);
    segment.seekp(-5, std::ios::end); // in the third event's batch
    segment.put('!');
    segment.close();
    const auto topic = topics_->find("game-events").value();
    const auto repaired = log::repair(real_.env(), *topics_, topic, {});
    ASSERT_TRUE(repaired.ok()) << repaired.error().message;
    ASSERT_EQ(repaired->places.size(), 1U);

    expect_books(table("before"), {.accepted = 3, .landed = 3});
    expect_books(table("between"), {.accepted = 3, .landed = 1, .pending = 1});
    EXPECT_EQ(table("before").books->lost, 0) << "its files have it";
    EXPECT_EQ(table("between").books->lost, 1);
    EXPECT_EQ(table("never").books->lost, 1);
    EXPECT_EQ(table("never").books->pending, 2);
    EXPECT_TRUE(report().sound()) << status_text(report());
    EXPECT_NE(status_text(report()).find("1 event lost (offset 2), see 0"), std::string::npos) << status_text(report());
    EXPECT_NE(status_text(report()).find("+ lost"), std::string::npos);
    EXPECT_NE(status_json(report()).find("\"lost\": 1, \"holes\": [{\"from\": 2, \"to\": 3"), std::string::npos)
        << status_json(report());
    std::filesystem::resize_file(folder_ + "/log/game-events-0/holes", 20);
    EXPECT_FALSE(report().sound()) << "a record that cannot be read is a problem";
}

TEST_F(StatusTest, TellsTheLogOfEveryTopic) {
    buy("sword", 1);
    make_topic("other-events", 3);
    const StatusReport made = report();
    ASSERT_EQ(made.topics.size(), 2U);
    EXPECT_EQ(made.topics[0].name, "game-events");
    EXPECT_EQ(made.topics[0].partitions.at(0).durable_end, Offset{1});
    EXPECT_GT(made.topics[0].partitions.at(0).bytes.value(), 61);
    EXPECT_EQ(made.topics[1].partitions.size(), 3U);
    EXPECT_EQ(made.topics[1].log_id, writer_->topic().id);
}

TEST_F(StatusTest, ASegmentThatIsMissingOrDamagedIsAProblemBesideEverythingElse) {
    declare("swords", "event_type = 'purchase_sword'");
    const std::string pad(20'000, 'x');
    for (int i = 0; i < 200; ++i) post({fmt::format(R"({{"event_type": "purchase_sword", "pad": "{}"}})", pad)});
    land("swords");
    ASSERT_TRUE(writer_->close().ok());
    writer_.reset();
    ASSERT_TRUE(report().sound()) << status_text(report());
    auto paths = segments();
    ASSERT_GE(paths.size(), 3U);
    for (const std::size_t i : {std::size_t{0}, paths.size() / 2}) {
        std::filesystem::rename(paths[i], folder_ + "/aside");
        const StatusReport made = report();
        EXPECT_FALSE(made.sound());
        const PartitionStatus& partition = made.topics.at(0).partitions.at(0);
        EXPECT_NE(partition.problem.find(paths[i].filename().string()), std::string::npos) << partition.problem;
        EXPECT_NE(partition.problem.find("from a backup"), std::string::npos) << partition.problem;
        EXPECT_EQ(partition.durable_end, Offset{200});
        expect_books(made.topics[0].tables.at(0), {.accepted = 200, .landed = 200});
        EXPECT_NE(status_text(made).find("  partition 0: " + partition.problem), std::string::npos);
        EXPECT_NE(status_json(made).find("\"sound\": false"), std::string::npos);
        std::filesystem::rename(folder_ + "/aside", paths[i]);
    }
    std::filesystem::resize_file(paths[1], std::filesystem::file_size(paths[1]) - 1);
    EXPECT_NE(report().topics.at(0).partitions.at(0).problem.find(paths[1].string()), std::string::npos);
}

TEST_F(StatusTest, ALogThatCannotBeOpenedLeavesTheTablesFilesToBeTold) {
    declare("swords", "event_type = 'purchase_sword'");
    declare("knives", "event_type = 'purchase_knife'");
    buy("sword", 1);
    land("swords");
    writer_.reset(); // as a kill
    std::filesystem::resize_file(segments().back(), 10);
    const StatusReport made = report();
    EXPECT_FALSE(made.sound());
    const TopicStatus& topic = made.topics.at(0);
    EXPECT_NE(topic.problem.find("is damaged at byte 0"), std::string::npos) << topic.problem;
    EXPECT_EQ(topic.tables.at(0).state, TableState::log_unreadable);
    EXPECT_EQ(topic.tables.at(0).rows, 1);
    EXPECT_EQ(topic.tables.at(0).landed.at(0).to, Offset{1});
    EXPECT_EQ(topic.tables.at(1).state, TableState::never_landed);
    EXPECT_FALSE(topic.tables.at(0).books);
    EXPECT_EQ(status_text(made).find("books"), std::string::npos);
    EXPECT_NE(status_text(made).find("swords  log unreadable          1     1"), std::string::npos)
        << status_text(made);
    EXPECT_NE(status_json(made).find(R"("duplicates": null, "lost": null, "expired": null, "balanced": null)"),
              std::string::npos);
}

TEST_F(StatusTest, ATopicWhoseMetadataIsDamagedDoesNotHideTheOthers) {
    buy("sword", 1);
    writer_.reset();
    make_topic("other-events");
    std::filesystem::resize_file(folder_ + "/log/other-events.topic", 30);
    const StatusReport made = report();
    ASSERT_EQ(made.topics.size(), 2U);
    EXPECT_TRUE(made.topics[0].problem.empty());
    EXPECT_NE(made.topics[1].problem.find("other-events.topic"), std::string::npos) << made.topics[1].problem;
    EXPECT_FALSE(made.sound());
}

TEST_F(StatusTest, WithoutAnyTopicSaysHowToMakeOne) {
    writer_.reset();
    std::filesystem::remove_all(folder_ + "/log");
    const auto made = status(*world_);
    ASSERT_FALSE(made.ok());
    EXPECT_NE(made.error().message.find("topic create"), std::string::npos) << made.error().message;
}

TEST(StatusText, FitsATerminal) {
    StatusReport report;
    report.server = {ServerState::running,           4242, "http://127.0.0.1:5000", "game-events", "0.1.0",
                     TimestampMs{1'785'845'470'124}, {}};
    TopicStatus& topic = report.topics.emplace_back();
    topic.name = "game-events";
    topic.log_id = "F2hbjghYTdC0uevB7P0PWw";
    topic.partitions = {{Partition{0}, Offset{0}, Offset{70}, 10'240, {}, {}}};
    TableStatus& swords = topic.tables.emplace_back();
    swords.name = "sword_purchases";
    swords.path = "tmp/sword_purchases";
    swords.state = TableState::landed;
    swords.landed = {{0, Offset{0}, Offset{60}}};
    swords.rows = 20;
    swords.bytes = 1868;
    swords.files = {"part-00000-x-c000.snappy.parquet"};
    swords.books = {.accepted = 70, .landed = 20, .pending = 10, .filtered = 39, .dead_lettered = 1};
    TableStatus& hits = topic.tables.emplace_back();
    hits.name = "default_hits";
    hits.path = "tmp/default_hits";
    hits.books = {.accepted = 70, .pending = 70};
    EXPECT_EQ(status_text(report), R"(server: running, pid 4242, http://127.0.0.1:5000
  topic game-events, since 2026-08-04 12:11:10.124 UTC, questlog 0.1.0

topic game-events  log F2hbjghYTdC0uevB7P0PWw
70 events, 10.0 KiB, 1 partition

  partition  first offset  durable end     bytes
  0                     0           70  10.0 KiB

  table                   state  landed to  rows  files   bytes
  sword_purchases        landed         60    20      1  1868 B
  default_hits     never landed          -     0      0     0 B

  books            accepted  = landed  + pending  + filtered  + dead  + dup
  sword_purchases        70        20         10          39       1      0  ok
  default_hits           70         0         70           0       0      0  ok
)");
    EXPECT_EQ(
        status_json(report),
        R"({"server": {"state": "running", "pid": 4242, "url": "http://127.0.0.1:5000", "topic": "game-events", )"
        R"("version": "0.1.0", "since": 1785845470124, "problem": null}, )"
        R"("topics": [{"topic": "game-events", "log_id": "F2hbjghYTdC0uevB7P0PWw", "cluster": "", )"
        R"("partitions": [{"partition": 0, "start": 0, "durable_end": 70, "bytes": 10240, )"
        R"("synced_end": null, "lost_events": 0, "unforwarded": 0, "lost": 0, "holes": [], "problem": null}], )"
        R"("retention": {"bytes": null, "ms": null, "force": false}, "kept": [], )"
        R"("tables": [{"name": "sword_purchases", "path": "tmp/sword_purchases", "state": "landed", )"
        R"("landed_ranges": [{"partition": 0, "from": 0, "to": 60}], "files": ["part-00000-x-c000.snappy.parquet"], )"
        R"("rows": 20, "bytes": 1868, "accepted": 70, "landed": 20, "pending": 10, "filtered": 39, )"
        R"("dead_lettered": 1, "duplicates": 0, "lost": 0, "expired": 0, "balanced": true, "problem": null}, )"
        R"({"name": "default_hits", "path": "tmp/default_hits", "state": "never landed", "landed_ranges": [], )"
        R"("files": [], "rows": 0, "bytes": 0, "accepted": 70, "landed": 0, "pending": 70, "filtered": 0, )"
        R"("dead_lettered": 0, "duplicates": 0, "lost": 0, "expired": 0, "balanced": true, "problem": null}], )"
        R"("continuous": [], "problem": null}], )"
        R"("sound": true})"
        "\n");
}

TEST(StatusText, FitsATerminalWithEventsThatAreGone) {
    StatusReport report;
    TopicStatus& topic = report.topics.emplace_back();
    topic.name = "game-events";
    topic.partitions = {{Partition{0}, Offset{40}, Offset{70}, 10'240, {}, {}}};
    TableStatus& swords = topic.tables.emplace_back();
    swords.name = "sword_purchases";
    swords.books = {.accepted = 70, .landed = 20, .pending = 10, .lost = 3, .expired = 37};
    const auto text = status_text(report);
    EXPECT_NE(text.find(R"(
  books            accepted  = landed  + pending  + filtered  + dead  + gone
  sword_purchases        70        20         10           0       0      40  ok

  sword_purchases: 37 events expired that no file of it has; 3 lost in damage
)"),
              std::string::npos)
        << text;
}

TEST(StatusText, SaysWhereThereIsNoServerAndWhereOneIsSilent) {
    StatusReport report;
    EXPECT_EQ(status_text(report), "server: none\n");
    EXPECT_EQ(status_json(report), R"({"server": {"state": "none", "pid": null, "url": null, "topic": null, )"
                                   R"("version": null, "since": null, "problem": null}, "topics": [], "sound": true})"
                                   "\n");
    report.server.state = ServerState::silent;
    report.server.problem = "it hangs";
    EXPECT_EQ(status_text(report), "server: silent, it hangs\n");
    EXPECT_NE(status_json(report).find(R"("since": null, "problem": "it hangs"})"), std::string::npos);
    EXPECT_TRUE(report.sound()) << "the data are";
}

} // namespace
} // namespace questlog::query
