#include "lake/table_path.h"

#include <gtest/gtest.h>

namespace questlog::lake {
namespace {

TEST(TablePath, takesOrdinaryPaths) {
    for (const char* path : {"sword_purchases", "tmp/sword_purchases", "a/b/c", "tmp/2026-08-04", "tmp/größe", "a b"})
        EXPECT_TRUE(check_table_path(path).ok()) << path;
}

TEST(TablePath, refusesWhatWouldLeaveTheRootOrHideFromReaders) {
    for (const std::string path : {"", "/", "/tmp/x", "tmp/", "tmp//x", "..", "tmp/../x", "./x", ".staging/x",
                                   "_SUCCESS", "tmp/_x", "tmp\\x", "tmp/x\n"}) {
        const auto checked = check_table_path(path);
        ASSERT_FALSE(checked.ok()) << path;
        EXPECT_EQ(checked.error().kind, ErrorKind::reject);
    }
    EXPECT_FALSE(check_table_path(std::string("a\0b", 3)).ok());
}

TEST(TablePath, refusesWhatIsNoFileNameOnceEscaped) {
    EXPECT_TRUE(check_table_path(std::string(200, 'a')).ok());
    EXPECT_FALSE(check_table_path(std::string(201, 'a')).ok());
    EXPECT_FALSE(check_table_path(std::string(100, ' ')).ok());
}

TEST(TablePath, escapesDistinctPathsToDistinctFileNames) {
    EXPECT_EQ(escaped_table_path("tmp/sword_purchases"), "tmp%2Fsword_purchases");
    EXPECT_EQ(escaped_table_path("a%2Fb"), "a%252Fb");
    EXPECT_EQ(escaped_table_path("größe"), "gr%C3%B6%C3%9Fe");
}

} // namespace
} // namespace questlog::lake
