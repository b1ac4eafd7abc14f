#include "event/schema.h"

#include <gtest/gtest.h>

namespace questlog::event {
namespace {

constexpr ColumnType all_types[] = {ColumnType::null, ColumnType::boolean, ColumnType::bigint, ColumnType::double_,
                                    ColumnType::string};

TEST(Schema, WideningIsTheSameInAnyOrder) {
    for (const ColumnType one : all_types) {
        EXPECT_EQ(widen(one, one), one);
        for (const ColumnType other : all_types) {
            EXPECT_EQ(widen(one, other), widen(other, one));
            for (const ColumnType third : all_types)
                EXPECT_EQ(widen(widen(one, other), third), widen(one, widen(other, third)));
        }
    }
}

TEST(Schema, NullYieldsNumbersMeetInDoubleAndAllElseInString) {
    EXPECT_EQ(widen(ColumnType::null, ColumnType::boolean), ColumnType::boolean);
    EXPECT_EQ(widen(ColumnType::bigint, ColumnType::double_), ColumnType::double_);
    EXPECT_EQ(widen(ColumnType::boolean, ColumnType::bigint), ColumnType::string);
    EXPECT_EQ(widen(ColumnType::string, ColumnType::double_), ColumnType::string);
}

TEST(Schema, MergeKeepsEachKeyOnceAtTheWiderType) {
    const Schema one{{"Host", ColumnType::string}, {"price", ColumnType::bigint}, {"z", ColumnType::null}};
    const Schema other{{"a", ColumnType::boolean}, {"price", ColumnType::double_}, {"z", ColumnType::boolean}};
    const Schema expected{{"Host", ColumnType::string},
                          {"a", ColumnType::boolean},
                          {"price", ColumnType::double_},
                          {"z", ColumnType::boolean}};
    EXPECT_EQ(merge(one, other), expected);
    EXPECT_EQ(merge(other, one), expected);
    EXPECT_EQ(merge(one, {}), one);
}

TEST(Schema, ColumnsAreFoundByTheirWholeKey) {
    const Schema schema{{"Host", ColumnType::string}, {"hosts", ColumnType::bigint}};
    ASSERT_NE(find_column(schema, "hosts"), nullptr);
    EXPECT_EQ(find_column(schema, "hosts")->type, ColumnType::bigint);
    EXPECT_EQ(find_column(schema, "host"), nullptr);
    EXPECT_EQ(find_column({}, "host"), nullptr);
}

TEST(Schema, NullReadsAsString) {
    EXPECT_EQ(type_name(ColumnType::null), "string");
    EXPECT_EQ(type_name(ColumnType::double_), "double");
}

} // namespace
} // namespace questlog::event
