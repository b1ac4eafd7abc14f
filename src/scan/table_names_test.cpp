#include "scan/table_names.h"

#include <gtest/gtest.h>
#include <map>
#include <random>

namespace questlog::scan {
namespace {

TEST(TableNames, AreTheTypeItselfWhereItCanBe) {
    EXPECT_EQ(table_name_of("purchase_sword"), "purchase_sword");
    EXPECT_EQ(table_name_of("JoinGuild-2"), "JoinGuild-2");
    EXPECT_EQ(table_name_of(std::string(64, 'a')), std::string(64, 'a'));
}

TEST(TableNames, OfReservedWordsHaveASuffixThatNoOtherTypeGets) {
    EXPECT_EQ(table_name_of("default"), "default_event");
    EXPECT_EQ(table_name_of("Events"), "Events_event");
    EXPECT_EQ(table_name_of("ledger"), "ledger_event");
    EXPECT_EQ(table_name_of("dead_letters"), "dead_letters_event");
    EXPECT_EQ(table_name_of("default_event"), "default_x5F_event");
    EXPECT_EQ(table_name_of("default_x5F_event"), "default_x5F_x5F_event");
    EXPECT_EQ(table_name_of("my_event"), "my_event");
}

TEST(TableNames, EscapeWhatCouldLeaveTheFolderOrTheName) {
    EXPECT_EQ(table_name_of(""), "e_xs");
    EXPECT_EQ(table_name_of("../etc"), "e_xs_x2E__x2E__x2F_etc");
    EXPECT_EQ(table_name_of("a b"), "a_x20_b");
    EXPECT_EQ(table_name_of("schwert_für"), "schwert_f_xFC_r");
    EXPECT_EQ(table_name_of("\xf0\x9f\x97\xa1"), "e_xs_x1F5E1_");
    EXPECT_EQ(table_name_of("_hidden"), "e_xs_hidden");
    EXPECT_EQ(table_name_of("a_x20_b"), "a_x5F_x20_b");
    EXPECT_EQ(table_name_of("a\xff"), "a_xFF_");
    EXPECT_EQ(table_name_of(std::string(65, 'a')), std::string(45, 'a') + "_xh8087e9a889f8a14c");
}

/// Types made of the pieces that the rules turn on.
TEST(TableNames, OfDistinctTypesAreDistinct) {
    const std::vector<std::string> pieces = {"_",   "x", "_x", "5F", "_x5F_", "default", "_event", "-", "e",
                                             "_xs", "h", "20", " ",  "ü",     "Events",  "s",      "F", "\xff"};
    std::mt19937 random(7);
    std::map<std::string, std::string> types;
    for (int i = 0; i < 200'000; ++i) {
        std::string type;
        for (auto n = random() % 7; n > 0; --n) type += pieces[random() % pieces.size()];
        const std::string name = table_name_of(type);
        const auto [known, is_new] = types.emplace(name, type);
        ASSERT_EQ(known->second, type) << "both are " << name;
        ASSERT_LE(name.size(), 64U);
        ASSERT_TRUE(name.front() != '_' && name.front() != '.' && name.find('/') == std::string::npos) << name;
    }
    EXPECT_GT(types.size(), 50'000U);
}

} // namespace
} // namespace questlog::scan
