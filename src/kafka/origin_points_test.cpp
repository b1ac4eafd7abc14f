#include "kafka/origin_points.h"

#include <gtest/gtest.h>

namespace questlog::kafka {
namespace {

constexpr std::int64_t apart = OriginPoints::offsets_between;

OriginsSeen seen_to(std::int64_t offset) {
    OriginsSeen seen;
    seen.see({"log", Partition{0}, Offset{offset}});
    return seen;
}

std::size_t count(const OriginPoints& points) {
    std::size_t lines = 0;
    const std::string text = points.encode();
    for (std::size_t at = text.find("point "); at != std::string::npos; at = text.find("point ", at + 1)) ++lines;
    return lines;
}

TEST(OriginPointsTest, TheLastOneThatIsNotBehindIsFound) {
    OriginPoints points;
    EXPECT_FALSE(points.before(Offset{5}));
    points.add(Offset{10}, seen_to(9));
    points.add(Offset{apart * 2}, seen_to(99));
    EXPECT_FALSE(points.before(Offset{9}));
    EXPECT_EQ(points.before(Offset{10})->at, Offset{10});
    EXPECT_EQ(points.before(Offset{apart * 2 - 1})->seen, seen_to(9));
    EXPECT_EQ(points.before(Offset{apart * 9})->seen, seen_to(99));
}

TEST(OriginPointsTest, NoMoreAreKeptThanAreWorthIt) {
    OriginPoints points;
    for (std::int64_t at = 0; at < apart * 10; at += apart / 100) points.add(Offset{at}, seen_to(at));
    const std::size_t once = count(points);
    EXPECT_LE(once, 12U);
    for (std::int64_t at = 7; at < apart * 9; at += apart / 100) points.add(Offset{at}, seen_to(at)); // again
    EXPECT_LE(count(points), once + 1);
    points.forget_below(Offset{apart * 8});
    EXPECT_LE(count(points), 5U);
    EXPECT_TRUE(points.before(Offset{apart * 8})) << "what came before the first offset is still known";
}

TEST(OriginPointsTest, AreReadAsTheyAreWritten) {
    OriginPoints points;
    points.add(Offset{10}, seen_to(9));
    points.witness = OriginPoints::Witness{Offset{9}, 0xdeadbeef};
    const auto read = OriginPoints::decode(points.encode(), "file");
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->witness, points.witness);
    EXPECT_EQ(read->encode(), points.encode());
    std::string text = points.encode();
    text[text.find("log:")] = 'x';
    EXPECT_EQ(OriginPoints::decode(text, "file").error().kind, ErrorKind::corrupt);
}

} // namespace
} // namespace questlog::kafka
