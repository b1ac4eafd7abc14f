#include "lake/snapshot_fixture.h"

#include "base/crc32c.h"

#include <cstring>
#include <span>

namespace questlog::lake {
namespace {

class DamagedSnapshots : public SnapshotFixture {
protected:
    Error expect_error(ErrorKind kind) {
        const auto opened = store_->open(table_);
        EXPECT_FALSE(opened.ok());
        if (opened.ok()) return {};
        EXPECT_EQ(opened.error().kind, kind) << opened.error().message;
        return opened.error();
    }

    void spark_writes_the_folder() {
        std::filesystem::create_directories(table_folder());
        ASSERT_TRUE(connection_
                        ->execute("COPY (SELECT 'spark' AS generation) TO '" + table_folder() +
                                  "/part-00000-x-c000.snappy.parquet' (FORMAT parquet)")
                        .ok());
        write_bytes(table_folder() + "/_SUCCESS", "");
    }
};

TEST_F(DamagedSnapshots, aCutFileIsNamedWithItsCure) {
    ASSERT_TRUE(land(1, 100).ok());
    const std::string whole = bytes_of(data_file());
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{1}, std::size_t{4}, whole.size() / 2, whole.size() - 1}) {
        write_bytes(data_file(), whole.substr(0, size));
        const Error error = expect_error(ErrorKind::corrupt);
        EXPECT_NE(error.message.find(data_file()), std::string::npos) << error.message;
        EXPECT_NE(error.message.find("questlog batch JOB"), std::string::npos) << error.message;
    }
    ASSERT_TRUE(land(2, 100).ok()) << "the cure";
    EXPECT_EQ(present(), "100|generation 2");
}

/// Every byte of the footer with one bit flipped: either it is told, or the facts are not touched by it.
TEST_F(DamagedSnapshots, noFlippedBitChangesTheFacts) {
    const auto written = land(1, 100);
    ASSERT_TRUE(written.ok());
    const std::string file = data_file();
    const std::string whole = bytes_of(file);
    std::uint32_t footer_size = 0;
    std::memcpy(&footer_size, whole.data() + whole.size() - 8, sizeof(footer_size));
    ASSERT_LT(footer_size, whole.size());
    std::size_t told = 0;
    for (std::size_t at = whole.size() - 8 - footer_size; at < whole.size(); ++at) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(flipped[at] ^ (1 << (at % 8)));
        write_bytes(file, flipped);
        const auto opened = store_->open(table_);
        if (!opened.ok()) {
            // A few bytes hold the list of facts itself: without it the file cannot be told from another's.
            const bool none_left =
                opened.error().message.find("has no facts of questlog, or is damaged") != std::string::npos;
            EXPECT_TRUE(opened.error().kind == ErrorKind::corrupt || none_left) << at << ": " << opened.error().message;
            ++told;
            continue;
        }
        ASSERT_TRUE(*opened);
        const SnapshotFacts& facts = (*opened)->facts;
        EXPECT_EQ(facts.rows, written->rows) << "byte " << at;
        EXPECT_EQ(facts.log_id, written->log_id) << "byte " << at;
        EXPECT_EQ(facts.declaration, written->declaration) << "byte " << at;
        EXPECT_EQ(facts.ranges[0].to, written->ranges[0].to) << "byte " << at;
        EXPECT_EQ(facts.filtered, written->filtered) << "byte " << at;
        EXPECT_EQ(facts.schema, written->schema) << "byte " << at;
    }
    EXPECT_GT(told, footer_size / 2);
}

TEST_F(DamagedSnapshots, whatQuestlogDidNotWriteIsNotReplaced) {
    spark_writes_the_folder();
    EXPECT_NE(expect_error(ErrorKind::reject).message.find("--force"), std::string::npos);
    const auto refused = land(1, 10);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::reject);
    EXPECT_EQ(read({data_file()}).value(), "1|spark");
    OverwriteOptions force;
    force.force = true;
    ASSERT_TRUE(land(1, 10, force).ok());
    EXPECT_EQ(present(), "10|generation 1");
}

TEST_F(DamagedSnapshots, aFolderThatIsNotOneGenerationIsToldApart) {
    ASSERT_TRUE(land(1, 10).ok());
    std::filesystem::copy_file(data_file(), table_folder() + "/part-00001.parquet");
    EXPECT_NE(expect_error(ErrorKind::reject).message.find("part-00001.parquet"), std::string::npos);
    std::filesystem::remove(table_folder() + "/part-00001.parquet");
    std::filesystem::create_directory(table_folder() + "/year=2026");
    EXPECT_NE(expect_error(ErrorKind::reject).message.find("year=2026"), std::string::npos);
    std::filesystem::remove(table_folder() + "/year=2026");
    write_bytes(table_folder() + "/.part.crc", "hidden names are other readers' business");
    EXPECT_EQ(present(), "10|generation 1");
    std::filesystem::remove(table_folder() + "/_SUCCESS");
    EXPECT_NE(expect_error(ErrorKind::reject).message.find("_SUCCESS"), std::string::npos);
    std::filesystem::remove_all(table_folder());
    write_bytes(table_folder(), "");
    EXPECT_NE(expect_error(ErrorKind::reject).message.find("it is a file"), std::string::npos);
}

TEST_F(DamagedSnapshots, aFileThatIsGoneIsDamageWithItsCure) {
    for (const char* left : {"_SUCCESS", ""}) {
        ASSERT_TRUE(land(1, 10).ok());
        std::filesystem::remove(data_file());
        if (*left == '\0') std::filesystem::remove(table_folder() + "/_SUCCESS");
        const Error error = expect_error(ErrorKind::corrupt);
        EXPECT_NE(error.message.find(table_folder() + " is damaged"), std::string::npos) << error.message;
        EXPECT_NE(error.message.find(*left == '\0' ? "empty" : left), std::string::npos) << error.message;
        EXPECT_NE(error.message.find("questlog batch JOB"), std::string::npos) << error.message;
        ASSERT_TRUE(land(2, 10).ok()) << "the cure";
        EXPECT_EQ(present(), "10|generation 2");
    }
}

TEST_F(DamagedSnapshots, aFolderWithoutItsFileThatHoldsSomethingElseIsNotReplaced) {
    for (const char* other : {"notes.txt", "_temporary/0/part.parquet"}) {
        ASSERT_TRUE(land(1, 10).ok());
        std::filesystem::remove(data_file());
        const std::filesystem::path file = table_folder() + "/" + other;
        std::filesystem::create_directories(file.parent_path());
        write_bytes(file, "of somebody else");
        EXPECT_NE(expect_error(ErrorKind::reject).message.find("--force"), std::string::npos) << other;
        EXPECT_FALSE(land(2, 10).ok()) << other;
        EXPECT_EQ(bytes_of(file), "of somebody else");
        std::filesystem::remove_all(table_folder());
    }
}

TEST_F(DamagedSnapshots, aNewerFormatIsNotCalledDamage) {
    const std::string facts = R"({"version": 2, "what comes next": []})";
    const auto checksum = crc32c(facts);
    std::filesystem::create_directories(table_folder());
    write_bytes(table_folder() + "/_SUCCESS", "");
    ASSERT_TRUE(connection_
                    ->execute(fmt::format("COPY (SELECT 1 AS n) TO '{}/part-0.parquet' (FORMAT parquet, "
                                          "KV_METADATA {{'questlog.snapshot': '{}', 'questlog.snapshot.crc32c': "
                                          "'{:08x}'}})",
                                          table_folder(), facts, checksum))
                    .ok());
    EXPECT_NE(expect_error(ErrorKind::reject).message.find("snapshot format 2"), std::string::npos);
    EXPECT_FALSE(land(1, 10).ok()) << "what a newer questlog wrote is not replaced unasked";
}

TEST_F(DamagedSnapshots, whatACrashedWriterLeftIsGoneAfterTheNext) {
    ASSERT_TRUE(land(1, 10).ok());
    std::filesystem::create_directories(root_ + "/.staging/tmp%2Fsword_purchases/0badcafe");
    write_bytes(root_ + "/.staging/tmp%2Fsword_purchases/0badcafe/part-00000.parquet", "half");
    ASSERT_TRUE(land(2, 10).ok());
    EXPECT_EQ(names_in(".staging/tmp%2Fsword_purchases"), std::vector<std::string>{});
    EXPECT_EQ(present(), "10|generation 2");
}

/// Where the file system cannot exchange, a crash between two renames leaves no table; the next writer puts it back.
TEST_F(DamagedSnapshots, aSwapByRenamesThatWasCutOffIsUndone) {
    ASSERT_TRUE(land(1, 10).ok());
    const std::string staging = root_ + "/.staging/tmp%2Fsword_purchases/";
    std::filesystem::create_directories(staging + "0badcafe.exchange");
    std::filesystem::rename(table_folder(), staging + "0badcafe");
    EXPECT_EQ(present(), "10|generation 1"); // a reader finds the old one where it was set aside
    ASSERT_TRUE(store_->writer(table_).ok());
    EXPECT_EQ(present(), "10|generation 1");
    EXPECT_EQ(names_in(".staging/tmp%2Fsword_purchases"), std::vector<std::string>{});
}

} // namespace
} // namespace questlog::lake
