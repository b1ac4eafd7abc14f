#include "app/listing_text.h"

#include <gtest/gtest.h>

namespace questlog::app {
namespace {

constexpr std::int64_t evening = 1'795'384'740'000; // 2026-11-22 21:59 UTC

hdfs::FileStatus file(std::int64_t length, std::int64_t replication = 1) {
    return {"", io::Kind::file, length, TimestampMs{evening}, 1, replication, "644", "root", "supergroup"};
}

hdfs::FileStatus folder() {
    return {"", io::Kind::directory, 0, TimestampMs{evening}, 1, 0, "755", "root", "supergroup"};
}

// Lines that the real `hdfs dfs -ls` printed.
TEST(ListingText, PrintsWhatHadoopPrints) {
    EXPECT_EQ(listing_header(2) +
                  listing_text({{file(0), "/tmp/swords/_SUCCESS"}, {file(2458), "/tmp/swords/part-0.parquet"}}, false),
              "Found 2 items\n"
              "-rw-r--r--   1 root supergroup          0 2026-11-22 21:59 /tmp/swords/_SUCCESS\n"
              "-rw-r--r--   1 root supergroup       2458 2026-11-22 21:59 /tmp/swords/part-0.parquet\n");
    EXPECT_EQ(listing_text({{folder(), "/tmp/purchases"}}, false),
              "drwxr-xr-x   - root supergroup          0 2026-11-22 21:59 /tmp/purchases\n");
    EXPECT_EQ(listing_header(0), "");
}

TEST(ListingText, ColumnsAreAsWideAsTheirWidestCell) {
    hdfs::FileStatus other = file(123'456'789'012, 3);
    other.owner = "gamemaster";
    other.group = "g";
    EXPECT_EQ(listing_text({{file(7), "a"}, {other, "b"}}, false),
              "-rw-r--r--   1 root       supergroup            7 2026-11-22 21:59 a\n"
              "-rw-r--r--   3 gamemaster g          123456789012 2026-11-22 21:59 b\n");
}

TEST(ListingText, SizesForPeople) {
    EXPECT_EQ(human_size(0), "0");
    EXPECT_EQ(human_size(1023), "1023");
    EXPECT_EQ(human_size(1024), "1 K");
    EXPECT_EQ(human_size(2458), "2.4 K");
    EXPECT_EQ(human_size(1'048'575), "1.0 M");
    EXPECT_EQ(human_size(std::int64_t{3} << 30), "3 G");
}

TEST(ListingText, StickyFolders) {
    hdfs::FileStatus status = folder();
    status.permission = "1777";
    EXPECT_EQ(permission_text(status), "drwxrwxrwt");
    status.permission = "1776";
    EXPECT_EQ(permission_text(status), "drwxrwxrwT");
}

} // namespace
} // namespace questlog::app
