#include "duck/duck.h"
#include "scan/expression.h"

#include <bit>
#include <fmt/format.h>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <vector>

/// The subset is what both engines read alike: DuckDB gives the values that a real Spark 3.5.7 gave for the same
/// expressions over the same rows (tests/golden/spark/expressions.py).
namespace questlog::scan {
namespace {

constexpr std::string_view rows_sql =
    "CREATE TABLE events AS SELECT * FROM (VALUES ('a', 'a', 1::BIGINT, 1.5::DOUBLE, true), ('abc', 'cba', -7, -2.5, "
    "false), "
    "(NULL, NULL, NULL, NULL, NULL), ('', '', 0, 0.0, true), ('  x ', ' x  ', 922337203, 1e10, false), "
    "('ÄÖß İ', 'İ ßÖÄ', 5, 1e-5, NULL), ('12', '21', 12, 12.0, true), "
    "('-1.5e3', 'true', 9223372036854775807, 1e300, true), ('false', '3', '-9223372036854775808'::BIGINT, -1e300, "
    "false), ('1e400', '01', 3, 3.0, true), ('+1', '.5', -1, 0.5, false), ('5 ', 'NaN', 1, 5.0, true)) "
    "AS rows(s, t, n, d, b)";

event::ColumnType engine_type_of(std::string_view column) {
    if (column == "s" || column == "t") return event::ColumnType::string;
    if (column == "n") return event::ColumnType::bigint;
    if (column == "d") return event::ColumnType::double_;
    if (column == "b") return event::ColumnType::boolean;
    return event::ColumnType::null;
}

std::string cell_text(const duck::Rows& rows, std::size_t row) {
    if (rows.is_null(0, row)) return "~";
    switch (rows.columns()[0].type) {
    case duck::ValueType::boolean: return rows.boolean(0, row) ? "true" : "false";
    case duck::ValueType::bigint: return std::to_string(rows.bigint(0, row));
    case duck::ValueType::double_: return fmt::format("{:016x}", std::bit_cast<std::uint64_t>(rows.number(0, row)));
    case duck::ValueType::varchar: return std::string(rows.varchar(0, row));
    case duck::ValueType::blob:
    case duck::ValueType::timestamp_tz:
    case duck::ValueType::other: break;
    }
    return rows.columns()[0].type_name;
}

std::string values_of(duck::Connection& connection, const std::string& sql) {
    auto rows = connection.query("SELECT " + sql + " FROM events");
    if (!rows.ok()) return rows.error().message;
    std::string text;
    for (;;) {
        const std::size_t count = (*rows)->next().value();
        if (count == 0) return text;
        for (std::size_t row = 0; row < count; ++row)
            text += (text.empty() && row == 0 ? "" : "|") + cell_text(**rows, row);
    }
}

TEST(ExpressionEngines, DuckDbGivesWhatSparkGives) {
    const auto connection = duck::Database::open({}).value()->connect().value();
    ASSERT_TRUE(connection->execute(std::string(rows_sql)).ok());
    std::ifstream file(QUESTLOG_SOURCE_DIR "/tests/golden/spark/expressions.txt");
    int count = 0;
    for (std::string line; std::getline(file, line); ++count) {
        std::istringstream fields(line);
        std::string text, for_spark, values;
        std::getline(fields, text, '\t');
        std::getline(fields, for_spark, '\t');
        std::getline(fields, values, '\t');
        const auto expression = Expression::parse(text, {"expressions.txt", count + 1, 1});
        ASSERT_TRUE(expression.ok()) << expression.error().message;
        const BoundExpression bound = expression->bind(engine_type_of);
        EXPECT_EQ(bound.spark_sql(), for_spark) << "run expressions.py again: Spark was asked something else";
        EXPECT_EQ(values_of(*connection, bound.sql()), values) << text << "\n" << bound.sql();
    }
    EXPECT_GT(count, 400);
}

} // namespace
} // namespace questlog::scan
