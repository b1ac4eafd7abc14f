#include "base/result.h"

#include <gtest/gtest.h>
#include <memory>

namespace questlog {
namespace {

using Owned = Result<std::unique_ptr<int>>; // Copying one does not compile.

Status checked(const Owned& result) {
    CHECK_OK(result);
    return {};
}

TEST(CheckOk, LooksAtAResultWithoutTakingIt) {
    const Owned seven(std::make_unique<int>(7));
    EXPECT_TRUE(checked(seven).ok());
    EXPECT_EQ(**seven, 7);
}

TEST(CheckOk, ReturnsTheErrorAsItIs) {
    const Owned full(Error{ErrorKind::retry_later, "the disk is full", 28});
    const Status status = checked(full);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, ErrorKind::retry_later);
    EXPECT_EQ(status.error().message, "the disk is full");
    EXPECT_EQ(status.error().system_errno, 28);
    EXPECT_EQ(full.error().message, "the disk is full");
}

Result<int> of_a_temporary(bool fails) {
    const auto made = [&]() -> std::optional<Status> { return fails ? Status(reject("no")) : Status(); };
    CHECK_OK(*made());
    return 1;
}

TEST(CheckOk, TakesAPartOfATemporary) {
    EXPECT_TRUE(of_a_temporary(false).ok());
    EXPECT_EQ(of_a_temporary(true).error().message, "no");
}

} // namespace
} // namespace questlog
