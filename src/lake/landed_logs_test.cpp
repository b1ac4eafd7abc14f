#include "lake/landed_logs.h"

#include "io/sim_env.h"
#include "lake/landing_records.h"

#include <gtest/gtest.h>

namespace questlog::lake {
namespace {

using Ids = std::set<std::string>;

class LandedLogsTest : public ::testing::Test {
protected:
    LandingRecords records(const std::string& id, std::int32_t partition = 0) {
        return {world_.env(), "/lake", id, Partition{partition}};
    }
    void write_books(const std::string& id, std::int64_t events, const Ids& origins, std::int32_t partition = 0) {
        Books books{Offset{5}, Offset{5 + events}, events, 0, {}};
        books.origins = origins;
        ASSERT_TRUE(records(id, partition).write_books(books).ok());
    }
    void record_cut(const std::string& id, std::int64_t from) {
        ASSERT_TRUE(
            records(id).record({Offset{from}, Offset{from + 1}, "2026-11-25", CutReason::idle, "questlog 1"}).ok());
    }
    std::vector<LandedLog> others(const std::string& id) {
        return other_landed_logs(world_.env(), "/lake", id).value();
    }

    io::SimEnv world_{1};
};

TEST_F(LandedLogsTest, AreThoseThatMayHaveEventsInTables) {
    EXPECT_TRUE(others("own").empty());
    write_books("own", 1, {});
    write_books("of-kafka", 1, {"a"});
    write_books("of-kafka", 1, {"b"}, 12);
    write_books("nothing-yet", 0, {"a"});
    EXPECT_EQ(others("own"), (std::vector<LandedLog>{{"of-kafka", {"a", "b"}}}));
    record_cut("nothing-yet", 5);
    EXPECT_EQ(others("own").front(), (LandedLog{"nothing-yet", {"a"}})) << "a cut is being landed";
    record_cut("without-books", 0);
    EXPECT_EQ(others("own").back(), (LandedLog{"without-books", {}}));
    EXPECT_EQ(others("of-kafka").size(), 3U);
}

TEST_F(LandedLogsTest, AreAlsoThoseWhoseRecordsAreDamaged) {
    write_books("a", 1, {});
    world_.put(records("a").directory() + "/books", "not they");
    EXPECT_EQ(others("own"), (std::vector<LandedLog>{{"a", {}}}));
}

TEST_F(LandedLogsTest, NoTwoOfThemHaveTheSameEvents) {
    const auto told = [](const std::string& id, const Ids& origins, const LandedLog& other) {
        const Status done = check_landed_once(id, origins, {{"some", {"thing"}}, other});
        if (done.ok()) return std::string();
        EXPECT_EQ(done.error().kind, ErrorKind::corrupt);
        return done.error().message;
    };
    const auto says = [](const std::string& text, const std::string& words) {
        return text.find(words) != std::string::npos && text.find("Move the lake's folder away") != std::string::npos;
    };
    EXPECT_EQ(told("a", {}, {"b", {}}), "");
    EXPECT_EQ(told("a", {}, {"of-kafka", {"b"}}), "");
    EXPECT_EQ(told("of-kafka", {"a"}, {"of-another", {"b"}}), "");
    EXPECT_TRUE(says(told("of-kafka", {"a"}, {"a", {}}), "from the embedded log a, which is forwarded to this topic"));
    EXPECT_TRUE(says(told("a", {}, {"of-kafka", {"a"}}), "that it was forwarded to (log of-kafka)"));
    EXPECT_TRUE(says(told("of-kafka", {"a"}, {"of-another", {"a", "b"}}), "another topic in Kafka (log of-another)"));
}

} // namespace
} // namespace questlog::lake
