#include "query/time_cuts.h"

#include <gtest/gtest.h>

namespace questlog::query {
namespace {

using Constants = std::vector<PlanConstant>;

TEST(ConstantsIn, AreReadFromAPlansText) {
    EXPECT_EQ(constants_in("no constant"), Constants{});
    EXPECT_EQ(constants_in("(name = 'moe''s') AND (x > '')"), (Constants{{"moe's", ""}, {"", ""}}));
    EXPECT_EQ(constants_in("(t BETWEEN '2026-01-01 00:00:00+00'::TIMESTAMP WITH TIME ZONE AND '2027'::TIMESTAMP) OR "
                           "(d = '2026-01-01'::DATE OR e = 'x'::DATE)"),
              (Constants{{"2026-01-01 00:00:00+00", "TIMESTAMP WITH TIME ZONE"},
                         {"2027", "TIMESTAMP"},
                         {"2026-01-01", "DATE"},
                         {"x", "DATE"}}));
    EXPECT_EQ(constants_in("it's open"), Constants{});
    EXPECT_EQ(constants_in("'a'::"), (Constants{{"a", ""}}));
}

class FindTimeCuts : public ::testing::Test {
protected:
    FindTimeCuts() : connection_(duck::Database::open({}).value()->connect().value()) {
        EXPECT_TRUE(connection_->execute("CREATE TABLE e (\"timestamp\" TIMESTAMPTZ, t VARCHAR)").ok());
        EXPECT_TRUE(connection_->execute("INSERT INTO e VALUES ('1900-01-01', ''), ('2100-01-01', 'z')").ok());
    }
    /// "reached..passed" in milliseconds, of the timestamps and then of the texts.
    std::vector<std::string> cuts(const std::string& where) {
        const auto found = find_time_cuts(*connection_, "SELECT * FROM e WHERE " + where);
        EXPECT_TRUE(found.ok());
        std::vector<std::string> told;
        for (const auto* list : {&found->timestamps, &found->texts})
            for (const scan::TimeCut& cut : *list) told.push_back(fmt::format("{}..{}", cut.reached, cut.passed));
        return told;
    }
    std::unique_ptr<duck::Connection> connection_;
};

using Told = std::vector<std::string>;

TEST_F(FindTimeCuts, AreTheConstantsAsDuckDBUnderstandsThem) {
    EXPECT_EQ(cuts("timestamp >= '1970-01-01 00:00:01'"), Told{"1000..1001"});
    EXPECT_EQ(cuts("timestamp > TIMESTAMP '1970-01-01' + INTERVAL 1500 MICROSECONDS"), Told{"2..2"});
    EXPECT_EQ(cuts("timestamp BETWEEN '1970-01-01' AND '1970-01-01 01:00:00+01'"), Told{"0..1"});
    EXPECT_EQ(cuts("t >= '1970-01-01 00:00:01' AND t < 'x'"), Told{"1000..1001"});
    EXPECT_EQ(cuts("timestamp < 'infinity' AND timestamp > NULL"), Told{});
    EXPECT_EQ(cuts("timestamp IS NOT NULL"), Told{});
}

TEST_F(FindTimeCuts, AreNotMoreThanCanBeHandled) {
    std::string many = "false";
    for (int i = 0; i < 50; ++i) many += fmt::format(" OR timestamp = '2026-11-25 10:00:{:02}'", i);
    EXPECT_EQ(cuts(many).size(), limits::time_cuts_max);
}

TEST_F(FindTimeCuts, AStatementWithoutAPlanHasNone) {
    for (const char* sql : {"DESCRIBE SELECT 1", "SHOW ALL TABLES", "SELECT * FROM nothing"}) {
        ASSERT_TRUE(connection_->execute("BEGIN TRANSACTION").ok());
        const auto found = find_time_cuts(*connection_, sql);
        ASSERT_TRUE(found.ok());
        EXPECT_TRUE(found->timestamps.empty() && found->texts.empty());
        EXPECT_TRUE(connection_->execute("SELECT 1").ok()) << "the transaction that failed is over";
        static_cast<void>(connection_->execute("ROLLBACK"));
    }
}

} // namespace
} // namespace questlog::query
