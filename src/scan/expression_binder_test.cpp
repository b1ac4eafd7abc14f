#include "duck/duck.h"
#include "scan/column_names.h"
#include "scan/expression.h"
#include "scan/query_rows.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>

/// What an expression makes of values that clients sent and that are not of the kind its text asks for.
namespace questlog::scan {
namespace {

using event::ColumnType;
using testing::Rows;
using testing::rows_of;
using Strings = std::vector<std::string>;

Expression parsed_in_role(std::string_view text, Role role = Role::value) {
    return Expression::parse(text, {"game.toml", 1, 1}, role).value();
}

ColumnType type_by_letter(std::string_view column) {
    switch (column.front()) {
    case 't': return ColumnType::string;
    case 'n': return ColumnType::bigint;
    case 'd': return ColumnType::double_;
    case 'b': return ColumnType::boolean;
    default: return ColumnType::null;
    }
}

class ExpressionBinder : public ::testing::Test {
protected:
    /// The value of `text` for one row: its column `t` is `t`, n 5, d 0.5, b true, no `gone`.
    std::string value(std::string_view text, std::string_view t = "abc") {
        const std::string sql = parsed_in_role(text).bind(type_by_letter).sql();
        const Rows rows = rows_of(*connection_, fmt::format("SELECT {} FROM (SELECT {} AS t, 5::BIGINT AS n, "
                                                            "0.5::DOUBLE AS d, true AS b)",
                                                            sql, duck::quote_literal(t)));
        return rows.size() == 1 ? rows[0][0] : "not one row";
    }
    static ColumnType type(std::string_view text) { return parsed_in_role(text).bind(type_by_letter).type(); }

    std::unique_ptr<duck::Connection> connection_ = duck::Database::open({}).value()->connect().value();
};

TEST_F(ExpressionBinder, ATextThatIsAJsonNumberIsReadAsThatNumber) {
    for (const auto& [text, read] :
         std::vector<std::pair<std::string, std::string>>{{"5", "6.0"},
                                                          {"-0.5e1", "-4.0"},
                                                          {"1E2", "101.0"},
                                                          {"1.50", "2.5"},
                                                          {"12345678901234567890", "1.2345678901234567e+19"}})
        EXPECT_EQ(value("t + 1", text), read) << text;
    for (const std::string text :
         {"",    "abc", " 5",  "5 ",       "5\n", "+5",  "05",   ".5",  "5.", "1_000",    "0x10",
          "nan", "inf", "NaN", "Infinity", "1e",  "--1", "true", "[5]", "١",  "5\xc2\xa0"})
        EXPECT_EQ(value("t + 1", text), "NULL") << text;
}

TEST_F(ExpressionBinder, AMisfitIsNullAndMakesNoErrorWhereverItStands) {
    for (const std::string text : {"t > 1",   "t = 1",        "t IN (1, 2)", "t BETWEEN 1 AND 2",
                                   "-t",      "abs(t)",       "t * 2",       "t / 4",
                                   "t % 4",   "nullif(t, 1)", "b + 1",       "b > 1",
                                   "-b",      "n = TRUE",     "NOT n",       "NOT t",
                                   "d AND b", "t AND b",      "t < n",       "n < t",
                                   "t + d",   "gone + t"})
        EXPECT_EQ(value(text), "NULL") << text;
    EXPECT_EQ(value("coalesce(t, 7)"), "7.0");
    EXPECT_EQ(value("CASE WHEN t THEN 'y' ELSE 'n' END"), "n");
    EXPECT_EQ(value("t IS DISTINCT FROM 5"), "true");
    EXPECT_EQ(value("b OR t"), "true");
}

TEST_F(ExpressionBinder, OnlyTheTextsTrueAndFalseAreBooleans) {
    EXPECT_EQ(value("NOT t", "false"), "true");
    EXPECT_EQ(value("t = TRUE", "true"), "true");
    for (const std::string text : {"True", "t", "yes", "1", " true", ""})
        EXPECT_EQ(value("NOT t", text), "NULL") << text;
}

TEST_F(ExpressionBinder, ATextInTheExpressionMakesTextsOfWhatMeetsIt) {
    EXPECT_EQ(value("n = '5'"), "true");
    EXPECT_EQ(value("n IN ('5', 'x')"), "true");
    EXPECT_EQ(value("b = 'yes'"), "false");
    EXPECT_EQ(value("coalesce(n, 'none')"), "5");
    EXPECT_EQ(value("nullif(n, '5')"), "NULL");
    EXPECT_EQ(value("CASE WHEN b THEN n ELSE 'none' END"), "5");
    EXPECT_EQ(value("n || '!'"), "5!");
}

TEST_F(ExpressionBinder, ColumnsThatMeetAreNumbersWhereOneIs) {
    EXPECT_EQ(value("t < n", "4"), "true"); // "10" < "9" would be true among texts
    EXPECT_EQ(value("t < n", "10"), "false");
    EXPECT_EQ(value("t = b", "true"), "true");
    EXPECT_EQ(value("coalesce(gone, n)"), "5");
}

TEST_F(ExpressionBinder, WholeNumbersBeyond64BitsAreNull) {
    for (const std::string text :
         {"n * 9223372036854775807", "n + 9223372036854775807", "-9223372036854775808 - n", "abs(-9223372036854775808)",
          "abs(-n * 1844674407370955161 - 3)", "-(-9223372036854775808)", "-(-n * 1844674407370955161 - 3)"})
        EXPECT_EQ(value(text), "NULL") << text;
    EXPECT_EQ(value("(-n * 1844674407370955161 - 3) % -1"), "0");
    EXPECT_EQ(value("n * 1844674407370955161 + 2"), "9223372036854775807");
    EXPECT_EQ(value("-n * 1844674407370955161 - 3"), "-9223372036854775808");
}

TEST_F(ExpressionBinder, TwoSignsAreNoComment) {
    EXPECT_EQ(value("-(-1.5)"), "1.5");
    EXPECT_EQ(value("1 - -1.5"), "2.5");
    EXPECT_EQ(value("-(-(-d))"), "-0.5");
}

TEST_F(ExpressionBinder, WhatNoEventHasIsNullOfNoType) {
    EXPECT_EQ(type("gone"), ColumnType::null);
    EXPECT_EQ(type("gone + gone"), ColumnType::null);
    EXPECT_EQ(type("gone + 1"), ColumnType::bigint);
    EXPECT_EQ(type("gone / 2"), ColumnType::double_);
    EXPECT_EQ(type("coalesce(gone, n, d)"), ColumnType::double_);
    EXPECT_EQ(type("gone || 'a'"), ColumnType::string);
    EXPECT_EQ(type("NOT gone"), ColumnType::boolean);
    EXPECT_EQ(parsed_in_role("gone > 1 AND n > 0").bind(type_by_letter).columns(), Strings{"n"});
}

TEST_F(ExpressionBinder, AFilterIsABoolean) {
    const auto filter = [](std::string_view text) { return parsed_in_role(text, Role::filter).bind(type_by_letter); };
    EXPECT_EQ(filter("t").type(), ColumnType::boolean);
    EXPECT_EQ(filter("n").sql(), "CAST(NULL AS BOOLEAN)");
    EXPECT_EQ(filter("gone").sql(), "CAST(NULL AS BOOLEAN)");
    EXPECT_EQ(filter("b").sql(), "\"b\"");
}

TEST_F(ExpressionBinder, ItTellsWhichColumnsItMayNotUnderstand) {
    const auto told = [](std::string_view text) { return parsed_in_role(text).bind(type_by_letter).read_as(); };
    EXPECT_EQ(told("t > 1 AND t + n > 2 AND t"), (Strings{"t as a number", "t as a boolean"}));
    EXPECT_EQ(told("t > 'a' AND n > 1 AND b AND gone > 2 AND t || n = 'x'"), Strings{});
}

TEST_F(ExpressionBinder, AnyExpressionOverAnyTypesHasAValueOfItsType) {
    const Strings texts{"a > 1",
                        "a = b",
                        "a < b",
                        "a + b",
                        "a * a",
                        "-a",
                        "abs(a)",
                        "a / 4",
                        "a % 7",
                        "a % nullif(b, 0)",
                        "a || b",
                        "length(a)",
                        "trim(a)",
                        "substr(a, 2)",
                        "replace(a, 'a', b)",
                        "a IN (1, 2.5)",
                        "a IN ('x', '1')",
                        "a BETWEEN b AND 9",
                        "a LIKE '%1'",
                        "NOT a",
                        "a AND b",
                        "a OR b = 'x'",
                        "a = TRUE",
                        "coalesce(a, b)",
                        "coalesce(a, 'x')",
                        "coalesce(a, 1)",
                        "nullif(a, b)",
                        "nullif(a, 1)",
                        "CASE WHEN a THEN b END",
                        "CASE WHEN a IS NULL THEN 1 ELSE b END",
                        "a IS DISTINCT FROM b",
                        "CAST(a AS VARCHAR)",
                        "a",
                        "a IS NULL",
                        "(a + 1) * b - abs(-a)",
                        "coalesce(a, b) > nullif(b, a)"};
    const std::vector<std::pair<ColumnType, Strings>> kinds{
        {ColumnType::null, {"NULL"}},
        {ColumnType::boolean, {"true", "false", "NULL"}},
        {ColumnType::bigint, {"0", "5", "'-9223372036854775808'", "9223372036854775807", "NULL"}},
        {ColumnType::double_, {"0.0", "-2.5", "1e308", "5e-324", "NULL"}},
        {ColumnType::string, {"''", "'abc'", "'1'", "'1e999'", "'-3.5'", "'true'", "'[1]'", "'ÄÖ'", "NULL"}}};
    const auto values_of = [](std::string_view name, ColumnType type, const Strings& values) {
        return fmt::format("(SELECT CAST({0} AS {1}) AS {0} FROM (VALUES ({2})) AS v({0}))", name, sql_type(type),
                           fmt::join(values, "), ("));
    };
    for (const auto& [a_type, a_values] : kinds)
        for (const auto& [b_type, b_values] : kinds)
            for (const std::string& text : texts) {
                const auto types = [&, a = a_type, b = b_type](std::string_view column) {
                    return column == "a" ? a : b;
                };
                const BoundExpression bound = parsed_in_role(text).bind(types);
                const auto rows =
                    connection_->query(fmt::format("SELECT {} FROM {} CROSS JOIN {}", bound.sql(),
                                                   values_of("a", a_type, a_values), values_of("b", b_type, b_values)));
                ASSERT_TRUE(rows.ok()) << text << ": " << rows.error().message;
                EXPECT_EQ((*rows)->columns()[0].type_name, sql_type(bound.type())) << bound.sql();
                const auto read = (*rows)->next();
                EXPECT_TRUE(read.ok()) << bound.sql() << ": " << read.error().message;
                if (read.ok()) {
                    EXPECT_EQ(*read, a_values.size() * b_values.size());
                }
            }
}

} // namespace
} // namespace questlog::scan
