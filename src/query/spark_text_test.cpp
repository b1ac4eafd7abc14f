#include "query/spark_text.h"

#include <bit>
#include <cstdint>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

namespace questlog::query {
namespace {

using Row = std::vector<std::optional<std::string>>;
constexpr auto null = std::nullopt;

/// What a real Spark 3.5.7 printed (tests/golden/spark/generate.py, whose tables are those below).
std::string golden(const std::string& name) {
    std::ifstream file(QUESTLOG_SOURCE_DIR "/tests/golden/spark/" + name, std::ios::binary);
    EXPECT_TRUE(file.is_open()) << name;
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

const TextTable escapes{
    {"line\nbreak", "text"},
    {{"a\nb", "tab\there"}, {"cr\r", "ff\f bs\b"}, {"vt\v", "bell\a"}, {"\"\\", std::string("esc\x1b nul\0.", 10)}}};

TEST(Show, ControlCharactersAreEscapedInCellsAndNames) {
    EXPECT_EQ(show(escapes), golden("show_escapes.txt"));
    EXPECT_EQ(show(escapes, {.truncate = 0}), golden("show_escapes_whole.txt"));
    EXPECT_EQ(print_schema({{"line\nbreak", "string"}, {"text", "string"}}), golden("schema_escapes.txt"));
}

TEST(Show, FullWidthCharactersCountTwo) {
    const TextTable table{{"名前", "n"},
                          {{"全角文字", "1"},
                           {"ｱｲｳ", "22"},
                           {"한글", "333"},
                           {"😀😀", null},
                           {"Ä€é", "4444"},
                           {"，．！", "5"},
                           {null, "-6"}}};
    EXPECT_EQ(show(table), golden("show_wide.txt"));
    EXPECT_EQ(show(table, {.truncate = 0}), golden("show_wide_whole.txt"));
}

TEST(Show, LongCellsAreCutByCodeUnitsAndNamesAreNot) {
    std::string accents;
    for (int i = 0; i < 25; ++i) accents += "é";
    const TextTable table{{"a_column_name_of_more_than_twenty_characters", "s"},
                          {{std::string(19, 'x'), "1"},
                           {std::string(20, 'x'), "12"},
                           {std::string(21, 'x'), "123"},
                           {std::string(16, 'x') + "😀😀😀", "1234"},
                           {null, null},
                           {std::string(10, '\n'), "12345"},
                           {std::string(11, '\n'), accents}}};
    for (const std::size_t truncate : {1U, 2U, 3U, 4U, 5U, 20U, 100U})
        EXPECT_EQ(show(table, {.truncate = truncate}), golden("show_truncate_" + std::to_string(truncate) + ".txt"));
    EXPECT_EQ(show(table, {.truncate = 0}), golden("show_truncate_whole.txt"));
}

TEST(Show, SaysThatThereIsMore) {
    const TextTable three{{"n"}, {{"1"}, {"2"}, {"3"}}};
    for (const std::size_t rows : {0U, 1U, 2U, 3U, 4U})
        EXPECT_EQ(show(three, {.rows = rows}), golden("show_top_" + std::to_string(rows) + ".txt"));
}

TEST(Show, WidthsAreThoseOfTheRowsShown) {
    EXPECT_EQ(show({{"n"}, {{"1"}, {"1234567"}}}, {.rows = 1}), golden("show_top_1.txt"));
}

TEST(Show, EmptyTables) {
    EXPECT_EQ(show({{"n"}, {}}), golden("show_empty.txt"));
    EXPECT_EQ(show({{}, {Row{}, Row{}, Row{}}}), golden("show_no_columns.txt"));
    EXPECT_EQ(print_schema({}), golden("schema_no_columns.txt"));
}

TEST(Show, TypesAsSparkWritesThem) {
    const TextTable table{{"b", "l", "d", "s", "t"},
                          {{"true", "1", java_double(1.0), "x", "2026-11-22 21:58:53.873"},
                           {"false", "-9223372036854775808", java_double(-0.0), "", "2026-11-22 21:58:54"},
                           {null, null, null, null, null}}};
    EXPECT_EQ(show(table), golden("show_types.txt"));
    EXPECT_EQ(print_schema({{"b", "boolean"}, {"l", "long"}, {"d", "double"}, {"s", "string"}, {"t", "timestamp"}}),
              golden("schema_types.txt"));
}

/// The cells between the bars of a printed line.
Row cells_of(const std::string& line) {
    Row cells;
    for (std::size_t from = 1; from < line.size();) {
        const std::size_t bar = line.find('|', from);
        std::string cell = line.substr(from, bar - from);
        cell.erase(cell.find_last_not_of(' ') + 1);
        cell.erase(0, cell.find_first_not_of(' '));
        cells.push_back(cell == "NULL" ? std::optional<std::string>() : cell);
        from = bar + 1;
    }
    return cells;
}

class ReferenceJob : public ::testing::TestWithParam<std::string> {};

TEST_P(ReferenceJob, EveryTableItPrintedIsPrintedAlike) {
    std::istringstream lines(golden(GetParam()));
    int tables = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with('+')) continue;
        std::string printed = line + '\n';
        TextTable table;
        for (int borders = 1; borders < 3 && std::getline(lines, line);) {
            printed += line + '\n';
            if (line.starts_with('+'))
                ++borders;
            else if (borders == 2)
                table.rows.push_back(cells_of(line));
            else
                for (const auto& cell : cells_of(line)) table.columns.push_back(*cell);
        }
        const std::size_t shown = table.rows.size();
        if (std::getline(lines, line); !line.empty()) { // "only showing": there was more.
            printed += line + '\n';
            table.rows.emplace_back(table.columns.size());
        }
        const bool left = printed.find("|Host    ") != std::string::npos; // Printed with truncate=False.
        EXPECT_EQ(show(table, {.rows = shown, .truncate = left ? 0U : 20U}), printed + '\n');
        ++tables;
    }
    EXPECT_GE(tables, 1);
}
INSTANTIATE_TEST_SUITE_P(Golden, ReferenceJob,
                         ::testing::Values("separate_events.stdout.txt", "filtered_writes.stdout.txt",
                                           "read_back.stdout.txt"),
                         [](const auto& job) { return job.param.substr(0, job.param.find('.')); });

TEST(Show, SchemaBeforeTable) {
    const std::string text = golden("filtered_writes.stdout.txt");
    const std::string schema = print_schema({{"Accept", "string"},
                                             {"Host", "string"},
                                             {"User-Agent", "string"},
                                             {"event_type", "string"},
                                             {"timestamp", "string"}});
    EXPECT_EQ(text.substr(0, schema.size()), schema);
}

TEST(JavaDouble, IsTheShortestThatReadsBack) {
    std::istringstream lines(golden("doubles.txt"));
    std::string bits;
    std::string text;
    int count = 0;
    for (; lines >> bits >> text; ++count)
        EXPECT_EQ(java_double(std::bit_cast<double>(std::uint64_t{std::stoull(bits, nullptr, 16)})), text) << bits;
    EXPECT_EQ(count, 2950);
}

} // namespace
} // namespace questlog::query
