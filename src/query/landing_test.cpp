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

std::vector<std::pair<std::int64_t, std::int64_t>> expired(std::int64_t start, std::int64_t from, std::int64_t to) {
    std::vector<std::pair<std::int64_t, std::int64_t>> pieces;
    for (const auto& piece : expired_before_landing(log_of({{start, 100}}), {{0, Offset{from}, Offset{to}}}))
        pieces.emplace_back(piece.from.value, piece.to.value);
    return pieces;
}

TEST(ExpiredBeforeLanding, IsAllBelowTheStartButWhatWasLanded) {
    using Pieces = std::vector<std::pair<std::int64_t, std::int64_t>>;
    EXPECT_EQ(expired(0, 0, 60), Pieces{});
    EXPECT_EQ(expired(40, 0, 60), Pieces{});
    EXPECT_EQ(expired(60, 0, 60), Pieces{});
    EXPECT_EQ(expired(80, 0, 60), (Pieces{{60, 80}}));
    EXPECT_EQ(expired(80, 30, 60), (Pieces{{0, 30}, {60, 80}}));
    EXPECT_EQ(expired(30, 30, 60), (Pieces{{0, 30}}));
    EXPECT_EQ(expired(30, 50, 60), (Pieces{{0, 30}})) << "the log has the rest of what is before the landed range";
    EXPECT_EQ(expired(80, 0, 0), (Pieces{{0, 80}}));
    EXPECT_EQ(events_of(expired_before_landing(log_of({{8, 10}, {0, 5}, {3, 4}}), {{2, Offset{0}, Offset{3}}})), 8);
}

TEST(ReachesBack, AsLongAsTheLogHasAllThatWasLanded) {
    EXPECT_TRUE(reaches_back(log_of({{0, 10}}), {{0, Offset{0}, Offset{7}}}));
    EXPECT_TRUE(reaches_back(log_of({{3, 10}}), {{0, Offset{3}, Offset{7}}}));
    EXPECT_FALSE(reaches_back(log_of({{4, 10}}), {{0, Offset{3}, Offset{7}}}));
    EXPECT_TRUE(reaches_back(log_of({{4, 10}}), {{0, Offset{3}, Offset{3}}})) << "nothing was landed of it";
    EXPECT_FALSE(reaches_back(log_of({{0, 10}}), {{1, Offset{0}, Offset{1}}}));
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
