#include "lake/footer.h"

#include "lake/facts.h"

#include <cstdio>
#include <gtest/gtest.h>

namespace questlog::lake {
namespace {

SnapshotFacts facts() {
    SnapshotFacts facts;
    facts.log_id = "4L6g3nShT-eMCtK--X86sw";
    facts.topic = "game-events";
    facts.declaration = "5f3a";
    facts.ranges = {{0, Offset{0}, Offset{40}}, {1, Offset{7}, Offset{9}}};
    facts.examined = 42;
    facts.dead_lettered = 1;
    return facts;
}

const std::vector<duck::ResultColumn> columns{{"Host", duck::ValueType::varchar, "VARCHAR"},
                                              {"größe", duck::ValueType::bigint, "BIGINT"}};

/// The bytes of version 1: whoever changes them makes a new version.
constexpr const char* text =
    R"({"version": 1, "topic": "game-events", "log_id": "4L6g3nShT-eMCtK--X86sw", "declaration": "5f3a", )"
    R"("ranges": [{"partition": 0, "from": 0, "to": 40}, {"partition": 1, "from": 7, "to": 9}], )"
    R"("examined": 42, "dead_lettered": 1, )"
    R"("columns": [{"name": "Host", "type": "VARCHAR"}, {"name": "gr\u00f6\u00dfe", "type": "BIGINT"}]})";

TEST(SnapshotFooter, isWrittenAsItsFormatSays) {
    EXPECT_EQ(facts_text(facts(), columns), text);
    EXPECT_EQ(footer_option("{}"), "KV_METADATA {'questlog.snapshot': '{}', 'questlog.snapshot.crc32c': '297bd0aa'}");
}

TEST(SnapshotFooter, namesTheKeysOfColumnsThatAreNamedOtherwise) {
    const auto connection = duck::Database::open({}).value()->connect().value();
    SnapshotFacts written = facts();
    written.keys = {{"a_x2E_b", "a.b"}, {"größe", "\"Größe\""}};
    written.replaced = {{"Host", "HOST"}};
    written.nulls = {"Host"};
    const std::string path = ::testing::TempDir() + "questlog_footer_test.parquet";
    ASSERT_TRUE(
        connection
            ->execute(fmt::format(R"(COPY (SELECT 'x' AS "Host", 1::BIGINT AS "größe") TO {} (FORMAT parquet, {}))",
                                  duck::quote_literal(path), footer_option(facts_text(written, columns))))
            .ok());
    const auto read = read_footer(*connection, path);
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ((*read)->keys, written.keys);
    EXPECT_EQ((*read)->replaced, written.replaced);
    EXPECT_EQ((*read)->schema,
              (event::Schema{{"Host", event::ColumnType::null}, {"größe", event::ColumnType::bigint}}));
    std::remove(path.c_str());
}

/// A file of version 1 as the first questlog wrote it.
TEST(SnapshotFooter, ofTheFirstVersionIsStillRead) {
    const auto connection = duck::Database::open({}).value()->connect().value();
    const auto read = read_footer(*connection, QUESTLOG_SOURCE_DIR "/src/lake/golden/snapshot_v1.parquet");
    ASSERT_TRUE(read.ok()) << read.error().message;
    ASSERT_TRUE(*read);
    EXPECT_EQ((*read)->log_id, "4L6g3nShT-eMCtK--X86sw");
    EXPECT_EQ((*read)->declaration, "5f3a");
    EXPECT_EQ((*read)->ranges[1].from, Offset{7});
    EXPECT_EQ((*read)->rows, 3);
    EXPECT_EQ((*read)->filtered, 38);
    EXPECT_EQ((*read)->dead_lettered, 1);
    EXPECT_EQ((*read)->schema,
              (event::Schema{{"Host", event::ColumnType::string}, {"größe", event::ColumnType::bigint}}));
}

} // namespace
} // namespace questlog::lake
