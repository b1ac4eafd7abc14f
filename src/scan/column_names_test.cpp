#include "scan/column_names.h"

#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

using Names = std::vector<std::string>;

Names names(const std::vector<std::string>& keys, const Names& landed = {}) {
    event::Schema schema;
    for (const std::string& key : keys) schema.push_back({key, event::ColumnType::string});
    return column_names(schema, landed);
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

TEST(ColumnNames, StayAsTheyLanded) {
    EXPECT_EQ(names({"Host", "host"}, {"host"}), (Names{"Host_2", "host"}));
    EXPECT_EQ(names({"host"}, {"Host", "host_2"}), (Names{"host_2"}));
    EXPECT_EQ(names({"new"}, {"old"}), (Names{"new"}));
}

} // namespace
} // namespace questlog::scan
