#include "collect/seen_ids.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace questlog::collect {
namespace {

using std::chrono::milliseconds;

event::MessageHash id(int number) {
    return event::hash_of(fmt::format("id {}", number));
}
event::IdSighting met(int number, std::int64_t offset, std::int64_t time) {
    return {id(number), Offset{offset}, TimestampMs{time}};
}

TEST(SeenIds, HashesAreWhatLiesOnDisk) {
    const event::MessageHash hash = event::hash_of("order-4711"); // as the Python package xxhash says
    EXPECT_EQ(fmt::format("{:016x}{:016x}", hash.high, hash.low), "5bb5ea715cb7ee680829849f39953227");
}

TEST(SeenIds, KnowsAnIdUpToTheLastMillisecondOfTheWindow) {
    SeenIds seen({milliseconds(1000), 10});
    seen.add(met(1, 5, 100));
    EXPECT_EQ(seen.find(id(1), TimestampMs{1100}), Offset{5});
    EXPECT_FALSE(seen.find(id(1), TimestampMs{1101}));
    EXPECT_FALSE(seen.find(id(2), TimestampMs{100}));
}

TEST(SeenIds, KnowsAsManyIdsAsTheWindowHas) {
    SeenIds seen({milliseconds(1000), 3});
    for (int i = 0; i < 4; ++i) seen.add(met(i, i, 0));
    EXPECT_FALSE(seen.find(id(0), TimestampMs{0}));
    EXPECT_EQ(seen.find(id(1), TimestampMs{0}), Offset{1});
    EXPECT_EQ(seen.size(), 4U) << "what fell out of the window goes with the next one";
    SeenIds none({milliseconds(1000), 0});
    none.add(met(1, 0, 0));
    EXPECT_FALSE(none.find(id(1), TimestampMs{0}));
}

TEST(SeenIds, TheFirstStandsForThoseThatRepeatIt) {
    SeenIds seen({milliseconds(1000), 10});
    seen.add(met(1, 0, 0));
    seen.add(met(1, 4, 900));
    EXPECT_EQ(seen.find(id(1), TimestampMs{1900}), Offset{0}) << "a repeat begins the window anew";
    seen.add(met(1, 9, 2000));
    EXPECT_EQ(seen.find(id(1), TimestampMs{2000}), Offset{9}) << "too late to be a repeat";
}

TEST(SeenIds, ForgetsWhatIsNotInTheLogAfterAll) {
    SeenIds seen({milliseconds(1000), 10});
    for (int i = 0; i < 6; ++i) seen.add(met(i, i, i));
    seen.forget_from(Offset{3});
    EXPECT_EQ(seen.size(), 3U);
    for (int i = 0; i < 6; ++i) EXPECT_EQ(seen.find(id(i), TimestampMs{6}).has_value(), i < 3) << i;
    seen.add(met(5, 3, 7));
    EXPECT_EQ(seen.find(id(5), TimestampMs{7}), Offset{3});
}

/// Holds it against the rule as it is written down.
TEST(SeenIds, AgreesWithTheRuleOverAnyHistory) {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        std::mt19937_64 random(seed);
        const event::RepeatWindow window{milliseconds(random() % 200), static_cast<std::int64_t>(random() % 60)};
        SeenIds seen(window);
        struct Met {
            int number;
            std::int64_t offset;
            std::int64_t first;
            std::int64_t time;
        };
        std::vector<Met> log;
        std::int64_t time = 0;
        const auto first_of = [&](int number) -> std::optional<std::int64_t> {
            for (std::size_t back = 1; back <= log.size(); ++back) {
                const Met& one = log[log.size() - back];
                if (one.number != number) continue;
                const bool within =
                    static_cast<std::int64_t>(back) <= window.ids && time - one.time <= window.time.count();
                return within ? std::optional(one.first) : std::nullopt;
            }
            return std::nullopt;
        };
        for (std::int64_t offset = 0; offset < 3000; ++offset) {
            time += static_cast<std::int64_t>(random() % 8);
            const int number = static_cast<int>(random() % 90);
            const auto expected = first_of(number);
            const auto found = seen.find(id(number), TimestampMs{time});
            ASSERT_EQ(found.has_value(), expected.has_value()) << seed << " " << offset;
            ASSERT_EQ(found.value_or(Offset{-1}).value, expected.value_or(-1)) << seed << " " << offset;
            if (found && random() % 2 == 0) continue; // not stored, as at the door
            seen.add(met(number, offset, time));
            log.push_back({number, offset, expected.value_or(offset), time});
        }
        ASSERT_LE(seen.size(), static_cast<std::size_t>(window.ids) + 1);
    }
}

} // namespace
} // namespace questlog::collect
