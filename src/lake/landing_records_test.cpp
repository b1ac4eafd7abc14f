#include "lake/landing_records.h"

#include "base/crc32c.h"
#include "io/sim_env.h"
#include "io/whole_file.h"

#include <gtest/gtest.h>

namespace questlog::lake {
namespace {

class LandingRecordsTest : public ::testing::Test {
protected:
    LandingRecords records(std::int32_t partition = 0) {
        return {world_.env(), "/lake", "4L6g3nShT-eMCtK--X86sw", Partition{partition}};
    }
    static PlannedCut cut(std::int64_t from, std::int64_t to) {
        return {Offset{from}, Offset{to}, "2026-11-25", CutReason::idle, "questlog 1, DuckDB v1.5.6"};
    }
    static Books books() {
        Books books;
        books.began = Offset{3};
        books.landed_to = Offset{90};
        books.records = 87;
        books.tables["purchase_sword"].events = 40;
        books.tables["join_guild"] = {47, Offset{50}, "its log is damaged;\nsee above"};
        return books;
    }

    io::SimEnv world_{1};
};

TEST_F(LandingRecordsTest, AreReadAsTheyWereWritten) {
    auto of_0 = records();
    EXPECT_EQ(of_0.books().value(), std::nullopt);
    EXPECT_EQ(of_0.cut_at(Offset{3}).value(), std::nullopt);
    EXPECT_TRUE(of_0.cuts().value().empty());
    EXPECT_EQ(of_0.record(cut(3, 10)).value(), cut(3, 10));
    EXPECT_EQ(of_0.record(cut(10, 90)).value(), cut(10, 90));
    ASSERT_TRUE(of_0.write_books(books()).ok());
    Books read = books();
    read.tables["join_guild"].reason = "its log is damaged; see above";
    EXPECT_EQ(records().books().value(), read);
    EXPECT_EQ(records().cuts().value(), (std::vector{cut(3, 10), cut(10, 90)}));
    EXPECT_EQ(records(1).books().value(), std::nullopt) << "each partition has its own";
}

/// The texts never change.
TEST_F(LandingRecordsTest, SayWhichRecordWasTheLast) {
    PlannedCut with_last = cut(3, 10);
    with_last.last = Witness{Offset{9}, 0x0f1e2d3c};
    EXPECT_EQ(records().record(with_last).value(), with_last);
    EXPECT_EQ(records().cut_at(Offset{3}).value(), with_last);
    EXPECT_EQ(*world_.contents(records().directory() + "/00000000000000000003.plan"),
              "questlog landing cut\nversion = 1\nfrom = 3\nto = 10\ndate = 2026-11-25\nreason = idle\n"
              "writer = questlog 1, DuckDB v1.5.6\nlast = 9 0f1e2d3c\ncrc32c = 7f23e22a\n");
    Books with = books();
    with.tables.erase("join_guild");
    with.last = Witness{Offset{89}, 0xfedcba98};
    ASSERT_TRUE(records().write_books(with).ok());
    EXPECT_EQ(records().books().value(), with);
    EXPECT_EQ(*world_.contents(records().directory() + "/books"),
              "questlog landing books\nversion = 1\nbegan = 3\nlanded_to = 90\nrecords = 87\nrebuilt = 0\n"
              "last = 89 fedcba98\ntable = 40 purchase_sword\ncrc32c = 8618678f\n");
}

/// The text never changes.
TEST_F(LandingRecordsTest, SayWhichLogsTheRecordsCameFrom) {
    Books with = books();
    with.tables.erase("join_guild");
    with.origins = {"4L6g3nShT-eMCtK--X86sw", "another"};
    ASSERT_TRUE(records().write_books(with).ok());
    EXPECT_EQ(records().books().value(), with);
    const std::string text = *world_.contents(records().directory() + "/books");
    EXPECT_EQ(text.substr(0, text.find("crc32c")),
              "questlog landing books\nversion = 1\nbegan = 3\nlanded_to = 90\nrecords = 87\nrebuilt = 0\n"
              "origin = 4L6g3nShT-eMCtK--X86sw\norigin = another\ntable = 40 purchase_sword\n");
}

TEST_F(LandingRecordsTest, TheFirstToRecordACutHasDecidedIt) {
    auto one = records();
    auto other = records();
    EXPECT_EQ(one.record(cut(0, 10)).value(), cut(0, 10));
    EXPECT_EQ(other.record(cut(0, 25)).value(), cut(0, 10));
    EXPECT_EQ(world_.names(one.directory()), (std::vector<std::string>{"00000000000000000000.plan"}));
}

TEST_F(LandingRecordsTest, LandersOfOnePartitionExcludeEachOther) {
    auto one = records();
    auto held = one.lock({});
    ASSERT_TRUE(held.ok());
    EXPECT_EQ(records().lock({}).error().kind, ErrorKind::retry_later);
    EXPECT_TRUE(records(1).lock({}).ok());
    held.value().reset();
    EXPECT_TRUE(records().lock({}).ok());
}

TEST_F(LandingRecordsTest, ADamagedOneIsNotBelieved) {
    auto written = records();
    ASSERT_TRUE(written.record(cut(0, 10)).ok());
    ASSERT_TRUE(written.write_books(books()).ok());
    for (const std::string name : {"/books", "/00000000000000000000.plan"}) {
        const std::string path = written.directory() + name;
        const std::string bytes = *world_.contents(path);
        for (std::size_t byte = 0; byte < bytes.size(); ++byte) {
            world_.flip_bit(path, static_cast<std::int64_t>(byte), byte % 8);
            const auto failed =
                name == "/books" ? Status(written.books().error()) : Status(written.cut_at(Offset{0}).error());
            EXPECT_NE(failed.error().message.find(path), std::string::npos);
            world_.flip_bit(path, static_cast<std::int64_t>(byte), byte % 8);
        }
        world_.shorten(path, static_cast<std::int64_t>(bytes.size()) - 1);
        EXPECT_FALSE(name == "/books" ? written.books().ok() : written.cut_at(Offset{0}).ok());
    }
}

TEST_F(LandingRecordsTest, NoCutIsRecordedThatDoesNotReadBack) {
    EXPECT_EQ(records().record(cut(10, 10)).error().kind, ErrorKind::internal);
    EXPECT_EQ(records().record(cut(-1, 10)).error().kind, ErrorKind::internal);
    EXPECT_TRUE(records().cuts().value().empty());
}

TEST_F(LandingRecordsTest, APlanWithAGapIsDamaged) {
    auto written = records();
    ASSERT_TRUE(written.record(cut(0, 10)).ok());
    ASSERT_TRUE(written.record(cut(12, 20)).ok());
    EXPECT_EQ(written.cuts().error().kind, ErrorKind::corrupt);
}

/// Whatever fails at whatever step: a cut that was recorded stays as it is, and so do books.
TEST_F(LandingRecordsTest, SurviveAPowerCutAtAnyStep) {
    for (const auto fault : {io::SimEnv::Fault::stop, io::SimEnv::Fault::io_error, io::SimEnv::Fault::disk_full})
        for (std::int64_t n = 0;; ++n) {
            io::SimEnv world(static_cast<std::uint64_t>(n) * 7 + 1);
            LandingRecords records(world.env(), "/lake", "id", Partition{0});
            Books first = books();
            first.tables["join_guild"].reason = "why";
            ASSERT_TRUE(records.write_books(first).ok());
            world.fail_operation(n, fault);
            const auto recorded = records.record(cut(90, 100));
            Books second = first;
            second.landed_to = Offset{100};
            const bool wrote = recorded.ok() && records.write_books(second).ok();
            const bool failed = world.fault_happened();
            world.fail_nothing();
            world.power_cut();
            LandingRecords again(world.env(), "/lake", "id", Partition{0});
            const auto read = again.books();
            ASSERT_TRUE(read.ok() && *read) << n;
            EXPECT_TRUE(**read == second || (!wrote && **read == first)) << n;
            const auto decided = again.record(cut(90, 95));
            ASSERT_TRUE(decided.ok()) << n;
            EXPECT_EQ(again.cut_at(Offset{90}).value(), *decided) << n;
            EXPECT_TRUE(*decided == cut(90, 100) || (!recorded.ok() && *decided == cut(90, 95))) << n;
            if (!failed) break;
        }
}

TEST_F(LandingRecordsTest, OfACutWithMessageIdsSayWhichRepeat) {
    PlannedCut with_ids = cut(3, 10);
    with_ids.ids = 5;
    EXPECT_EQ(records().record(with_ids).value(), with_ids);
    EXPECT_EQ(records().cut_at(Offset{3}).value(), with_ids);
    PlannedCut repeating = cut(10, 90);
    repeating.ids = 70;
    repeating.repeats = {{Offset{10}, Offset{11}}, {Offset{12}, Offset{40}}, {Offset{89}, Offset{90}}};
    EXPECT_EQ(records().record(repeating).value(), repeating);
    EXPECT_EQ(records().cut_at(Offset{10}).value(), repeating);
    PlannedCut invalid = cut(90, 95);
    invalid.invalid = {{"field \"n\": out of its range", {{Offset{90}, Offset{92}}, {Offset{94}, Offset{95}}}},
                       {"field \"m = 1\": required, and missing", {{Offset{92}, Offset{93}}}}};
    EXPECT_EQ(records().record(invalid).value(), invalid);
    EXPECT_EQ(records().cut_at(Offset{90}).value(), invalid);
    Books with_repeats = books();
    with_repeats.tables["purchase_sword"].repeats = 30;
    with_repeats.tables["join_guild"] = {47, Offset{50}, "damaged", 2, 7};
    ASSERT_TRUE(records().write_books(with_repeats).ok());
    EXPECT_EQ(records().books().value(), with_repeats);
}

class LandingIdsTest : public LandingRecordsTest {
protected:
    static event::IdSighting met(std::int64_t offset, std::int64_t time) {
        return {event::hash_of(std::to_string(offset)), Offset{offset}, TimestampMs{time}};
    }
    std::vector<std::int64_t> offsets(std::int64_t below, std::int64_t time) {
        std::vector<std::int64_t> found;
        const Status visited = records().visit_ids(Offset{below}, TimestampMs{time}, [&](const event::IdSighting& id) {
            EXPECT_EQ(id.id, event::hash_of(std::to_string(id.offset.value)));
            found.push_back(id.offset.value);
        });
        EXPECT_TRUE(visited.ok()) << visited.error().message;
        return found;
    }
};

TEST_F(LandingIdsTest, AreReadAsFarAsTheyAreAskedFor) {
    EXPECT_TRUE(offsets(100, 0).empty());
    EXPECT_EQ(records().ids_of(Offset{3}).value(), 0);
    ASSERT_TRUE(records().write_ids(Offset{3}, {met(4, 1000), met(9, 86'400'000)}).ok());
    ASSERT_TRUE(records().write_ids(Offset{10}, {met(10, 86'400'001)}).ok());
    EXPECT_EQ(records().ids_of(Offset{3}).value(), 2);
    EXPECT_EQ(offsets(100, 0), (std::vector<std::int64_t>{4, 9, 10}));
    EXPECT_EQ(offsets(10, 0), (std::vector<std::int64_t>{4, 9}));
    EXPECT_EQ(offsets(9, 0), (std::vector<std::int64_t>{4}));
    EXPECT_EQ(offsets(100, 86'400'001), (std::vector<std::int64_t>{10}));
    EXPECT_EQ(offsets(100, 86'400'000), (std::vector<std::int64_t>{4, 9, 10})) << "from a cut that has any on, all";
    ASSERT_TRUE(records().write_ids(Offset{10}, {met(10, 86'400'001), met(11, 86'400'001)}).ok());
    world_.power_cut();
    EXPECT_EQ(offsets(100, 0), (std::vector<std::int64_t>{4, 9, 10, 11}));
}

TEST_F(LandingIdsTest, NoBitOfThemChangesUnseen) {
    ASSERT_TRUE(records().write_ids(Offset{0}, {met(0, 5), met(1, 6), met(2, 7)}).ok());
    const std::string path = records().directory() + "/00000000000000000000.ids";
    const std::string whole = io::read_text_file(world_.env().files, path).value();
    EXPECT_EQ(whole.size(), 24 + 3 * 32 + 4);
    const auto write = [&](const std::string& bytes) {
        ASSERT_TRUE(io::write_file_durably(world_.env().files, records().directory(), path, bytes).ok());
    };
    const auto visited = [&] { return records().visit_ids(Offset{9}, TimestampMs{0}, [](const auto&) {}); };
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string damaged = whole;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
        write(damaged);
        ASSERT_FALSE(visited().ok()) << bit;
        ASSERT_EQ(visited().error().kind, ErrorKind::corrupt);
        ASSERT_EQ(records().ids_of(Offset{0}).value(), 0);
    }
    for (std::size_t size = 0; size < whole.size(); ++size) {
        write(whole.substr(0, size));
        ASSERT_FALSE(visited().ok()) << size;
    }
    write(whole + "x");
    ASSERT_FALSE(visited().ok());
    write(whole);
    EXPECT_TRUE(visited().ok());
}

TEST_F(LandingIdsTest, AreForgottenBeyondTheWindowAndAMargin) {
    for (std::int64_t i = 0; i < 10; ++i) ASSERT_TRUE(records().write_ids(Offset{i}, {met(i, i * 1000)}).ok());
    ASSERT_TRUE(records().forget_ids({std::chrono::milliseconds(8000), 100}).ok());
    EXPECT_EQ(offsets(100, 0).size(), 10U) << "8 s and an eighth";
    ASSERT_TRUE(records().forget_ids({std::chrono::milliseconds(4000), 100}).ok());
    EXPECT_EQ(offsets(100, 0), (std::vector<std::int64_t>{5, 6, 7, 8, 9}));
    ASSERT_TRUE(records().forget_ids({std::chrono::milliseconds(4000), 3}).ok());
    EXPECT_EQ(offsets(100, 0), (std::vector<std::int64_t>{6, 7, 8, 9})) << "with three after it, one may be asked for";
}

TEST_F(LandingIdsTest, HaveTheTimesThatAProducerGaveThem) {
    const std::vector<event::IdSighting> given{met(4, 1000), met(6, -5), met(9, INT64_MAX), met(11, INT64_MIN),
                                               met(INT64_MAX - 1, 0)};
    ASSERT_TRUE(records().write_ids(Offset{3}, given).ok());
    std::vector<event::IdSighting> read;
    ASSERT_TRUE(records()
                    .visit_ids(Offset{INT64_MAX}, TimestampMs{INT64_MAX}, [&](const auto& id) { read.push_back(id); })
                    .ok());
    EXPECT_EQ(read, given);
}

/// What repeats is told by how many lie between, too: none of them is left out.
TEST_F(LandingIdsTest, AreReadFromTheFirstCutOnThatHasAnyInTheWindow) {
    ASSERT_TRUE(records().write_ids(Offset{0}, {met(0, 1000)}).ok());
    ASSERT_TRUE(records().write_ids(Offset{1}, {met(1, 5000), met(2, 4)}).ok());
    ASSERT_TRUE(records().write_ids(Offset{3}, {met(3, 100)}).ok());
    EXPECT_EQ(offsets(100, 5000), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_TRUE(offsets(100, 5001).empty());
}

TEST_F(LandingIdsTest, ThatAreNotThereAreAskedForAsFarAsTheyCanMatter) {
    for (const std::int64_t from : {0, 10, 20, 30, 40}) {
        PlannedCut one = cut(from, from + 10);
        one.ids = from == 30 ? 0 : 1;
        ASSERT_TRUE(records().record(one).ok());
    }
    ASSERT_TRUE(records().write_ids(Offset{10}, {met(11, 1000)}).ok());
    ASSERT_TRUE(records().write_ids(Offset{40}, {met(41, 1000)}).ok());
    const std::string damaged = records().directory() + "/00000000000000000040.ids";
    world_.flip_bit(damaged, 30, 0);
    std::vector<std::int64_t> asked;
    const auto visited = [&](Offset from, TimestampMs time) {
        std::vector<std::int64_t> found;
        asked.clear();
        const auto ask = [&](const PlannedCut& one, const SightingSink& sink) -> Status {
            asked.push_back(one.from.value);
            sink(met(one.from.plus(1).value, 5));
            return {};
        };
        const Status done = records().visit_ids(
            Offset{50}, time, [&](const event::IdSighting& id) { found.push_back(id.offset.value); }, {from, ask});
        EXPECT_TRUE(done.ok()) << done.error().message;
        return found;
    };
    EXPECT_EQ(visited(Offset{0}, TimestampMs{0}), (std::vector<std::int64_t>{1, 11, 21, 41}));
    EXPECT_EQ(asked, (std::vector<std::int64_t>{0, 20, 40})) << "one is damaged, and one has no ids";
    EXPECT_EQ(visited(Offset{10}, TimestampMs{0}), (std::vector<std::int64_t>{11, 21, 41}));
    EXPECT_EQ(visited(Offset{9}, TimestampMs{2000}), (std::vector<std::int64_t>{1, 11, 21, 41}));
    EXPECT_TRUE(visited(Offset{50}, TimestampMs{2000}).empty()) << "that are damaged cannot matter";
    EXPECT_EQ(records().visit_ids(Offset{50}, TimestampMs{0}, [](const auto&) {}).error().kind, ErrorKind::corrupt);
}

TEST_F(LandingIdsTest, AreForgottenByNoTimeThatGoesBackOrIsFarAhead) {
    const std::int64_t now = world_.env().clock.wall_ms().value;
    const event::RepeatWindow window{std::chrono::milliseconds(8000), 100};
    ASSERT_TRUE(records().write_ids(Offset{0}, {met(0, now)}).ok());
    ASSERT_TRUE(records().write_ids(Offset{1}, {met(1, now), met(2, now - 7'000'000)}).ok());
    ASSERT_TRUE(records().write_ids(Offset{3}, {met(3, now - 7'000'000)}).ok());
    ASSERT_TRUE(records().write_ids(Offset{4}, {met(4, INT64_MAX)}).ok());
    ASSERT_TRUE(records().forget_ids(window).ok());
    EXPECT_EQ(offsets(100, 0), (std::vector<std::int64_t>{0, 1, 2, 3, 4})) << "one that is far ahead ages them not";
    world_.advance(std::chrono::milliseconds(9001)); // 8 s and an eighth
    ASSERT_TRUE(records().write_ids(Offset{5}, {met(5, now + 9001)}).ok());
    ASSERT_TRUE(records().forget_ids(window).ok());
    EXPECT_EQ(offsets(100, 0), (std::vector<std::int64_t>{5})) << "and is forgotten like them";
}

/// As they were written at first.
TEST_F(LandingIdsTest, OfTheFirstVersionAreRead) {
    const auto append = [](std::string& bytes, auto value) {
        bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    std::string bytes = "QLids 1\n";
    for (const std::int64_t number : {4, 1000, 3}) append(bytes, number); // first offset, its time, how many
    for (const auto& [offset, ms] : {std::pair(0U, 0U), std::pair(5U, 4'000'000'000U), std::pair(6U, 7U)}) {
        const event::MessageHash id = event::hash_of(std::to_string(4 + offset));
        append(bytes, id.high);
        append(bytes, id.low);
        append(bytes, offset);
        append(bytes, ms);
    }
    append(bytes, crc32c(bytes));
    const std::string path = records().directory() + "/00000000000000000003.ids";
    ASSERT_TRUE(world_.env().files.make_directories(records().directory()).ok());
    ASSERT_TRUE(io::write_file_durably(world_.env().files, records().directory(), path, bytes).ok());
    EXPECT_EQ(records().ids_of(Offset{3}).value(), 3);
    EXPECT_EQ(offsets(100, 4'000'001'000), (std::vector<std::int64_t>{4, 9, 10})) << "the latest is not the last";
    EXPECT_TRUE(offsets(100, 4'000'001'001).empty());
    ASSERT_TRUE(records().write_ids(Offset{11}, {met(11, 4'000'002'000)}).ok());
    ASSERT_TRUE(records().forget_ids({std::chrono::milliseconds(2000), 100}).ok());
    EXPECT_EQ(offsets(100, 0), (std::vector<std::int64_t>{4, 9, 10, 11}));
    ASSERT_TRUE(records().forget_ids({std::chrono::milliseconds(500), 100}).ok());
    EXPECT_EQ(offsets(100, 0), (std::vector<std::int64_t>{11}));
}

} // namespace
} // namespace questlog::lake
