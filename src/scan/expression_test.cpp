#include "scan/expression.h"

#include <gtest/gtest.h>

namespace questlog::scan {
namespace {

const SourcePosition here{"game.toml", 7, 10};

Expression parsed(std::string_view text) {
    Result<Expression> expression = Expression::parse(text, here);
    if (!expression.ok()) throw std::runtime_error(expression.error().message);
    return *expression;
}

std::string refusal(std::string_view text, Role role = Role::value) {
    const Result<Expression> expression = Expression::parse(text, here, role);
    if (expression.ok()) return "accepted as " + expression->normal_form();
    EXPECT_EQ(expression.error().kind, ErrorKind::reject);
    return expression.error().message;
}

using Types = std::optional<std::vector<std::string>>;
Types types(std::string_view text) {
    return parsed(text).event_types();
}

TEST(Expression, IsNormalisedWithEveryIdentifierQuoted) {
    EXPECT_EQ(parsed("event_type='purchase_sword'").normal_form(), R"(("event_type" = 'purchase_sword'))");
    EXPECT_EQ(parsed(R"("User-Agent" like 'Apache%')").normal_form(),
              R"((CAST("User-Agent" AS VARCHAR) LIKE 'Apache%'))");
    EXPECT_EQ(parsed("not a and b or c").normal_form(), R"((((NOT "a") AND "b") OR "c"))");
    EXPECT_EQ(parsed("1 + 2 * -x").normal_form(), R"((CAST(1 AS BIGINT) + (CAST(2 AS BIGINT) * (-"x"))))");
    EXPECT_EQ(parsed("'it''s'").normal_form(), "'it''s'");
    EXPECT_EQ(parsed(R"("a""b" != 1.50)").normal_form(), R"(("a""b" <> 1.5e0))");
    EXPECT_EQ(parsed("-9223372036854775808").normal_form(), "CAST(-9223372036854775808 AS BIGINT)");
    EXPECT_EQ(parsed("x in (1, -2, null)").normal_form(), R"(("x" IN (CAST(1 AS BIGINT), CAST(-2 AS BIGINT), NULL)))");
    EXPECT_EQ(parsed("x NOT BETWEEN 1 AND 2 AND y").normal_form(),
              R"((("x" NOT BETWEEN CAST(1 AS BIGINT) AND CAST(2 AS BIGINT)) AND "y"))");
    EXPECT_EQ(parsed("a is not null").normal_form(), R"(("a" IS NOT NULL))");
    EXPECT_EQ(parsed("a is distinct from 'x'").normal_form(), R"(("a" IS DISTINCT FROM 'x'))");
    EXPECT_EQ(parsed("case when a then 'x' else 'y' end").normal_form(), R"(CASE WHEN "a" THEN 'x' ELSE 'y' END)");
    EXPECT_EQ(parsed("substring(a, 2, 3)").normal_form(), R"(substr(CAST("a" AS VARCHAR), 2, 3))");
    EXPECT_EQ(parsed("a / nullif(b, 0) % 3").normal_form(),
              R"((("a" / nullif("b", CAST(0 AS BIGINT))) % CAST(3 AS BIGINT)))");
}

TEST(Expression, TextsThatDifferOnlyInWritingAreOneExpression) {
    const std::string one = parsed("event_type = 'a' and x <> 2").normal_form();
    EXPECT_EQ(parsed("(event_type='a')\n  AND ((\"x\"!=02))").normal_form(), one);
    EXPECT_NE(parsed("event_type = 'a' and X <> 2").normal_form(), one);
}

TEST(Expression, SparkGetsItsOwnQuotesTypesAndEscapes) {
    const auto for_spark = [](std::string_view text) {
        return parsed(text).bind([](std::string_view) { return event::ColumnType::string; }).spark_sql();
    };
    EXPECT_EQ(for_spark(R"("User-Agent" = 'it''s')"), R"((`User-Agent` = 'it\'s'))");
    EXPECT_EQ(for_spark("\"a`b\""), "`a``b`");
    EXPECT_EQ(for_spark("cast(x as varchar)"), "CAST(`x` AS STRING)");
    EXPECT_EQ(for_spark("length('abc')"), "CAST(length('abc') AS BIGINT)");
    EXPECT_EQ(for_spark("trim(' a ')"), "trim(' a ')");
    EXPECT_EQ(for_spark("coalesce(NULL, NULL)"), "CAST(NULL AS STRING)");
    EXPECT_EQ(parsed("cast(x as string)").normal_form(), R"(CAST("x" AS VARCHAR))");
    EXPECT_EQ(parsed("trim(' a ')").normal_form(), "trim(' a ', ' ')");
}

TEST(Expression, NullAloneIsATextColumn) {
    EXPECT_EQ(parsed("NULL").normal_form(), "CAST(NULL AS VARCHAR)");
    EXPECT_EQ(parsed("NULL || 'a'").normal_form(), "CAST((CAST(NULL AS VARCHAR) || 'a') AS VARCHAR)");
    EXPECT_EQ(parsed("CASE WHEN a THEN NULL ELSE 1 END").normal_form(),
              R"(CASE WHEN "a" THEN NULL ELSE CAST(1 AS BIGINT) END)");
}

TEST(Expression, NamesTheColumnsItReadsInOrder) {
    EXPECT_EQ(parsed("b = a OR \"C d\" = b").columns(), (std::vector<std::string>{"b", "a", "C d"}));
}

TEST(Expression, RefusalsStandAtTheOffendingCharacter) {
    EXPECT_EQ(refusal("upper(Host) = 'X'").substr(0, 15), "game.toml:7:10:");
    EXPECT_EQ(refusal("a = 1 AND upper(Host) = 'X'").substr(0, 15), "game.toml:7:20:");
    EXPECT_EQ(refusal("a = 1 AND\n  upper(Host) = 'X'").substr(0, 14), "game.toml:8:3:");
    EXPECT_EQ(refusal("a = 'ÄÖ€😀' AND #").substr(0, 15), "game.toml:7:25:");
    EXPECT_EQ(refusal("a =").substr(0, 15), "game.toml:7:13:");
}

TEST(Expression, WhatIsReadDifferentlyIsRefusedWithAdvice) {
    const std::vector<std::pair<std::string_view, std::string_view>> cases{
        {R"(a = 'x\n')", "backslash"},
        {"concat(a, b)", "join texts with ||"},
        {"upper(a)", "letters beyond ASCII"},
        {"a / b", "nullif(x, 0)"},
        {"a % 0", "nullif(x, 0)"},
        {"a / 0.0", "nullif(x, 0)"},
        {"a / nullif(b, 1)", "nullif(x, 0)"},
        {"a || b + 1", "set parentheses"},
        {"a = b = c", "set parentheses"},
        {"a = b IS NULL", "set parentheses"},
        {"substr(a, 0)", "whole number from 1"},
        {"substr(a, b)", "whole number from 1"},
        {"substr(a, 1, -1)", "whole number from 0"},
        {"replace(a, '', 'x')", "not empty"},
        {"CAST(a AS BIGINT)", "DuckDB rounds where Spark cuts off"},
        {"CAST(1.5 AS VARCHAR)", "keep it a number"},
        {"a || 1.5", "keep it a number"},
        {"a == 1", "write ="},
        {"a <=> 1", "IS NOT DISTINCT FROM"},
        {"a::varchar", "CAST(x AS VARCHAR)"},
        {"`a` = 1", "double quotes"},
        {"a // 2", "//"},
        {"a ILIKE 'x'", "LIKE"},
        {"a NOT ILIKE 'x'", "write LIKE"},
        {"a LIKE b", "text as its pattern"},
        {"a LIKE 'x' ESCAPE '!'", "ESCAPE"},
        {"a IN (SELECT 1)", "row by row"},
        {"(SELECT 1)", "row by row"},
        {"a IN (b)", "IN takes literals"},
        {"a IN ()", "expected a value"},
        {"count(a)", "row by row"},
        {"now()", "same rows at every run"},
        {"current_timestamp", "\"current_timestamp\""},
        {"t.a = 1", "without a table"},
        {"a -- b", "comments"},
        {"a /* b */", "comments"},
        {"a;", "leave the ; out"},
        {"+1", "leave the + "},
        {"9223372036854775808", "9223372036854775807"},
        {"1e999", "too large"},
        {"1.", "digit is missing"},
        {"1e", "digit is missing"},
        {"12abc", "double quotes"},
        {"'open", "no closing '"},
        {"\"open", "no closing \""},
        {"\"\"", "name is missing"},
        {"(a", "to close the parenthesis"},
        {"a)", "operator or the end"},
        {"a b", "operator or the end"},
        {"", "empty"},
        {"  ", "empty"},
        {"CASE a WHEN 1 THEN 2 END", "CASE is followed by WHEN"},
        {"CASE WHEN NULL THEN 1 END", "takes no NULL"},
        {"CASE WHEN a THEN 1", "expected end"},
        {"AND a", "expected a value"},
        {"NOT", "expected a value"},
        {"a @ b", "this character"},
        {"strftime(a, 'x')", "Allowed are"},
    };
    for (const auto& [text, advice] : cases)
        EXPECT_NE(refusal(text).find(advice), std::string::npos) << text << " -> " << refusal(text);
}

TEST(Expression, KnownTypesMustAgree) {
    for (const std::string_view text :
         {"'a' + 1", "'a' = 1", "TRUE = 1", "1 AND TRUE", "NOT 1", "-'a'", "-TRUE", "abs('x')", "coalesce(a, 'x', 1)",
          "CASE WHEN a THEN 'x' ELSE 1 END", "CASE WHEN 1 THEN 'x' END", "nullif('a', 1)", "a IN ('x', 1)",
          "1 BETWEEN 'a' AND 2", "length(1.5)", "replace('a', 'b', 1)", "(1 = 1) + 1"}) {
        EXPECT_EQ(refusal(text).substr(0, 10), "game.toml:") << text << " -> " << refusal(text);
    }
    for (const std::string_view text :
         {"a + 1", "a = 'x'", "1 = 1.5", "coalesce(1, 2.5)", "a AND b", "NULL = 1", "NOT NULL"})
        EXPECT_TRUE(Expression::parse(text, here).ok()) << text;
}

TEST(Expression, AFilterIsACondition) {
    EXPECT_NE(refusal("level", Role::filter).find("accepted"), std::string::npos);
    EXPECT_NE(refusal("level + 1.5", Role::filter).find("condition"), std::string::npos);
    EXPECT_NE(refusal("'true'", Role::filter).find("condition"), std::string::npos);
}

TEST(Expression, DepthAndSizeAreBounded) {
    EXPECT_NE(refusal(std::string(100'000, '(') + "a").find("nested more than"), std::string::npos);
    std::string cases = "a";
    for (int i = 0; i < 10'000; ++i) cases = "CASE WHEN " + cases.substr(0, 2'000);
    EXPECT_EQ(refusal(cases).substr(0, 10), "game.toml:");
    std::string minus, nots, sum = "a";
    for (int i = 0; i < 2'000; ++i) sum += " + a", nots += "NOT ";
    EXPECT_NE(refusal(sum).find("at most 1000 terms"), std::string::npos);
    EXPECT_NE(refusal(nots + "a").find("at most 1000 terms"), std::string::npos);
    std::string wide = "a";
    for (int i = 0; i < 400; ++i) wide += " OR a";
    EXPECT_TRUE(Expression::parse(wide, here).ok());
    for (int i = 0; i < 60; ++i) wide = "(" + wide + ")";
    EXPECT_TRUE(Expression::parse(wide, here).ok());
    std::string siblings = "(a)";
    for (int i = 0; i < 200; ++i) siblings += " OR (a)";
    EXPECT_TRUE(Expression::parse(siblings, here).ok()) << "depth counts what is open, not what was closed";
}

TEST(EventTypes, AreReadOffTheFilter) {
    EXPECT_EQ(types("event_type = 'a'"), Types({{"a"}}));
    EXPECT_EQ(types("'a' = event_type"), Types({{"a"}}));
    EXPECT_EQ(types("\"event_type\" IN ('b', 'a', NULL)"), Types({{"a", "b"}}));
    EXPECT_EQ(types("event_type = 'b' OR event_type = 'a'"), Types({{"a", "b"}}));
    EXPECT_EQ(types("event_type = 'a' AND level > 3"), Types({{"a"}}));
    EXPECT_EQ(types("level > 3 AND (event_type = 'a' OR event_type = 'b')"), Types({{"a", "b"}}));
    EXPECT_EQ(types("NOT (event_type <> 'a' OR level > 3)"), Types({{"a"}}));
    EXPECT_EQ(types("NOT event_type NOT IN ('a')"), Types({{"a"}}));
    EXPECT_EQ(types("event_type IS NOT DISTINCT FROM 'a'"), Types({{"a"}}));
}

TEST(EventTypes, NothingIsPrunedThatCouldBeInTheTable) {
    for (const std::string_view text :
         {"event_type <> 'a'", "event_type NOT IN ('a')", "NOT event_type = 'a'", "event_type = 'a' OR level > 3",
          "event_type LIKE 'a%'", "event_type > 'a'", "event_type = Host", "coalesce(event_type, 'b') = 'a'",
          "Event_Type = 'a'", "CASE WHEN event_type = 'a' THEN FALSE ELSE TRUE END", "TRUE", "level",
          "(event_type = 'a') = FALSE", "(event_type = 'a') IS NULL", "event_type = 'a' OR TRUE",
          "event_type IS DISTINCT FROM 'a'"}) {
        EXPECT_EQ(types(text), std::nullopt) << text;
    }
}

TEST(EventTypes, AFilterThatIsNeverTrueKeepsNone) {
    EXPECT_EQ(types("FALSE"), Types(std::vector<std::string>{}));
    EXPECT_EQ(types("NULL"), Types(std::vector<std::string>{}));
    EXPECT_EQ(types("event_type = 'a' AND event_type = 'b'"), Types(std::vector<std::string>{}));
    EXPECT_EQ(types("NOT (level > 1 OR NULL)"), Types(std::vector<std::string>{}));
}

} // namespace
} // namespace questlog::scan
