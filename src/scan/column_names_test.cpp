#include "scan/column_names.h"

#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

using Names = std::vector<std::string>;

Names names(const Names& keys, const NameRights& rights = {}) {
    return column_names(keys, rights);
}

TEST(ColumnNames, AreTheKeysWhereTheyCanBe) {
    EXPECT_EQ(names({"Accept", "User-Agent", "_x", "event_type", "price2"}),
              (Names{"Accept", "User-Agent", "_x", "event_type", "price2"}));
}

TEST(ColumnNames, ShowWhatWasEscaped) {
    EXPECT_EQ(escaped_name("a.b"), "a_x2E_b");
    EXPECT_EQ(escaped_name("größe"), "gr_xF6__xDF_e");
    EXPECT_EQ(escaped_name("😀"), "_x1F600_");
    EXPECT_EQ(escaped_name(std::string_view("\0", 1)), "_x0_");
    EXPECT_EQ(escaped_name("\"; DROP"), "_x22__x3B__x20_DROP");
    EXPECT_EQ(escaped_name(""), "_x_");
    EXPECT_EQ(escaped_name("../x"), "_x2E__x2E__x2F_x");
    EXPECT_EQ(escaped_name("\xf0\x9f"), "_x1F_"); // a cut character does not read on
}

TEST(ColumnNames, LongKeysKeepTheirBeginningsAndStayApart) {
    const std::string long_key(64, 'k');
    EXPECT_EQ(escaped_name(long_key), long_key);
    const std::string one = escaped_name(long_key + "1");
    const std::string other = escaped_name(long_key + "2");
    EXPECT_EQ(one.size(), 64U);
    EXPECT_EQ(one.substr(0, 55), std::string(55, 'k'));
    EXPECT_NE(one, other);
}

TEST(ColumnNames, DifferAlsoWhereCaseIsIgnored) {
    EXPECT_EQ(names({"Host", "hOst", "host"}), (Names{"Host", "hOst_2", "host_3"}));
    EXPECT_EQ(names({"A", "A_2", "a"}), (Names{"A", "A_2", "a_3"}));
    EXPECT_EQ(names({"A", "a", "a_2"}), (Names{"A", "a_2", "a_2_2"}));
    EXPECT_EQ(names({"a.b", "a_x2E_b"}), (Names{"a_x2E_b", "a_x2E_b_2"}));
}

TEST(ColumnNames, LeaveTheRowsOwnNamesAlone) {
    EXPECT_EQ(names({"TimeStamp", "_Offset", "_offset", "_partition", "timestamp"}),
              (Names{"TimeStamp_2", "_Offset_2", "_offset_3", "_partition_2", "timestamp_3"}));
    EXPECT_EQ(names({"_Rescued_Data", "_rescued_data"}), (Names{"_Rescued_Data_2", "_rescued_data"}));
}

TEST(ColumnNames, GoToWhoeverCameFirst) {
    EXPECT_EQ(names({"host", "Host"}), (Names{"host", "Host_2"}));
    const Names all{"b", "B", "b_2", "a.b", "B_2", "a_x2E_b", "timestamp"};
    const Names given = names(all);
    for (std::size_t known = 0; known < all.size(); ++known) { // later keys change no name
        const std::span<const std::string> first(all.data(), known);
        EXPECT_EQ(column_names(first, {}), Names(given.begin(), given.begin() + static_cast<std::ptrdiff_t>(known)));
    }
}

TEST(ColumnNames, StayAsTheyLanded) {
    EXPECT_EQ(names({"Host", "host"}, {{{"host", "host"}}, {}}), (Names{"Host_2", "host"}));
    EXPECT_EQ(names({"host"}, {{{"Host", "Host"}, {"host", "host_2"}}, {}}), (Names{"host_2"}));
    EXPECT_EQ(names({"new"}, {{{"old", "old"}}, {}}), (Names{"new"}));
    EXPECT_EQ(names({"a_2", "a"}, {{{"A", "a_2"}}, {}}), (Names{"a_2_2", "a"})) << "the key counts, not the name";
}

TEST(ColumnNames, ThatAreDeclaredGoToTheKeyThatIsSoToTheLetter) {
    EXPECT_EQ(names({"PRICE", "price"}, {{}, {"price"}}), (Names{"PRICE_2", "price"}));
    EXPECT_EQ(names({"PRICE"}, {{}, {"price"}}), (Names{"PRICE"}));
    EXPECT_EQ(names({"price", "Price"}, {{{"Price", "Price"}}, {"price"}}), (Names{"price_2", "Price"}));
    EXPECT_EQ(names({"b_x2E_", "b."}, {{}, {"b."}}), (Names{"b_x2E_", "b_x2E__2"}));
}

} // namespace
} // namespace questlog::scan
