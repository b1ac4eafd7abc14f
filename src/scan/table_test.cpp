#include "scan/table.h"

#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

Expression expression(std::string_view text) {
    return *Expression::parse(text, {"game.toml", 1, 1});
}

TableDeclaration sword_purchases() {
    TableDeclaration table;
    table.name = "sword_purchases";
    table.path = "tmp/sword_purchases";
    table.topic = "game-events";
    table.set.push_back({"Host", expression("'moe'")});
    table.set.push_back({"Cache-Control", expression("'no-cache'")});
    table.where = expression("event_type = 'purchase_sword'");
    return table;
}

TEST(TableDeclaration, DigestIsTheSameInEveryVersionThatMeansTheSame) {
    EXPECT_EQ(sword_purchases().digest(), "6491c242d7e92b10");
}

TEST(TableDeclaration, DigestFollowsWhatDecidesTheContent) {
    const std::string digest = sword_purchases().digest();
    TableDeclaration same = sword_purchases();
    std::swap(same.set[0], same.set[1]);
    same.name = "swords";
    same.path = "elsewhere/swords";
    same.where = expression("  (event_type='purchase_sword')");
    EXPECT_EQ(same.digest(), digest);

    TableDeclaration other = sword_purchases();
    other.topic = "other-events";
    EXPECT_NE(other.digest(), digest);
    other = sword_purchases();
    other.where = std::nullopt;
    EXPECT_NE(other.digest(), digest);
    other = sword_purchases();
    other.where = expression("event_type = 'purchase_knife'");
    EXPECT_NE(other.digest(), digest);
    other = sword_purchases();
    other.set.pop_back();
    EXPECT_NE(other.digest(), digest);
    other = sword_purchases();
    std::swap(other.set[0].column, other.set[1].column);
    EXPECT_NE(other.digest(), digest);
}

TEST(TableDeclaration, EventTypesArePrunedUnlessSetReplacesThem) {
    TableDeclaration table = sword_purchases();
    EXPECT_EQ(table.event_types(), std::vector<std::string>{"purchase_sword"});
    table.set.push_back({"Event_Type", expression("'purchase_sword'")});
    EXPECT_EQ(table.event_types(), std::nullopt);
    table = sword_purchases();
    table.where = std::nullopt;
    EXPECT_EQ(table.event_types(), std::nullopt);
}

} // namespace
} // namespace questlog::scan
