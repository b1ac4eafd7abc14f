#include "query/landing.h"

#include <gtest/gtest.h>

namespace questlog::query {
namespace {

using duck::ValueType;
using event::ColumnType;

scan::LogRange log_of(std::vector<std::pair<std::int64_t, std::int64_t>> partitions) {
    scan::LogRange range;
    for (const auto& [from, to] : partitions)
        range.push_back({Partition{static_cast<std::int32_t>(range.size())}, Offset{from}, Offset{to}});
    return range;
}

TEST(AfterLanded, IsTheRestOfEachPartition) {
    const auto rest =
        after_landed(log_of({{0, 10}, {0, 5}, {2, 9}}), {{0, Offset{0}, Offset{7}}, {1, Offset{0}, Offset{5}}});
    ASSERT_TRUE(rest.ok());
    EXPECT_EQ((*rest)[0].from, Offset{7});
    EXPECT_EQ((*rest)[0].to, Offset{10});
    EXPECT_EQ((*rest)[1].from, (*rest)[1].to) << "all of it is landed";
    EXPECT_EQ((*rest)[2].from, Offset{2}) << "a partition that was added after the landing is not landed";
}

TEST(AfterLanded, NeverBeginsBeforeTheLog) {
    EXPECT_EQ((*after_landed(log_of({{8, 10}}), {{0, Offset{0}, Offset{7}}}))[0].from, Offset{8});
}

TEST(AfterLanded, BeyondTheLogsEndIsCorrupt) {
    const auto rest = after_landed(log_of({{0, 6}}), {{0, Offset{0}, Offset{7}}});
    ASSERT_FALSE(rest.ok());
    EXPECT_EQ(rest.error().kind, ErrorKind::corrupt);
}

TEST(Unite, IsBytewiseWithTheWiderTypes) {
    const auto united = unite(
        {{"b", ColumnType::bigint}, {"c", ColumnType::null}, {"é", ColumnType::boolean}},
        {{"Z", ColumnType::string}, {"b", ColumnType::double_}, {"c", ColumnType::boolean}, {"é", ColumnType::bigint}},
        {});
    EXPECT_EQ(united.obstacle, "");
    ASSERT_EQ(united.columns.size(), 4U);
    EXPECT_EQ(united.columns[0].name, "Z");
    EXPECT_FALSE(united.columns[0].landed);
    EXPECT_EQ(united.columns[1].type, ColumnType::double_);
    EXPECT_EQ(united.columns[2].type, ColumnType::boolean);
    EXPECT_EQ(united.columns[3].type, ColumnType::string);
    EXPECT_TRUE(united.columns[3].landed && united.columns[3].tail);
}

TEST(Unite, SeesWhatTheFilesCannotGive) {
    EXPECT_NE(unite({{"a", ColumnType::double_}}, {{"a", ColumnType::string}}, {}).obstacle, "");
    EXPECT_NE(unite({{"a", ColumnType::string}}, {{"a", ColumnType::double_}}, {}).obstacle, "");
    EXPECT_NE(unite({{"a", ColumnType::bigint}}, {{"a", ColumnType::string}}, {"A"}).obstacle, "")
        << "names know no case";
    EXPECT_EQ(unite({{"a", ColumnType::bigint}}, {{"a", ColumnType::string}}, {"b"}).obstacle, "");
    EXPECT_EQ(unite({{"a", ColumnType::bigint}}, {{"a", ColumnType::null}}, {"a"}).obstacle, "");
    EXPECT_EQ(unite({{"a", ColumnType::null}}, {{"a", ColumnType::bigint}}, {"a"}).obstacle, "");
    EXPECT_NE(unite({{"a", ColumnType::bigint}}, {{"A", ColumnType::bigint}}, {}).obstacle, "");
}

TEST(LandedState, ComparesLogAndDeclaration) {
    scan::TableDeclaration table;
    table.topic = "game-events";
    log::Topic topic;
    topic.id = "one";
    lake::Snapshot snapshot;
    snapshot.facts.log_id = "one";
    snapshot.facts.declaration = table.digest();
    EXPECT_EQ(landed_state(table, nullptr, topic), LandedState::never);
    EXPECT_EQ(landed_state(table, &snapshot, topic), LandedState::landed);
    snapshot.facts.declaration = "another";
    EXPECT_EQ(landed_state(table, &snapshot, topic), LandedState::declaration_changed);
    snapshot.facts.log_id = "two";
    EXPECT_EQ(landed_state(table, &snapshot, topic), LandedState::other_log);
}

} // namespace
} // namespace questlog::query
