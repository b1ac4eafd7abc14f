#include "lake/landing_records.h"

#include "io/sim_env.h"

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

} // namespace
} // namespace questlog::lake
