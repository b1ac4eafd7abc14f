#include "query/query_fixture.h"

#include <algorithm>
#include <random>

/// Landed rows and tail together are what the whole log gives by the table's declaration, wherever the log was cut,
/// whatever the events hold.
namespace questlog::query {
namespace {

/// By number of partitions.
class UnionProperty : public QueryFixture, public ::testing::WithParamInterface<std::int32_t> {
protected:
    UnionProperty() : QueryFixture(GetParam()) {}

    struct Oddity {
        bool values = false; ///< Types that do not go together.
        bool keys = false;   ///< Keys that contend for one column's name.
    };

    std::string random_event(std::mt19937& random, Oddity odd) {
        static const std::vector<std::string> types{"play", "play", "win", "lose"};
        static const std::vector<std::string> plain{"1", "2", "null", "77"};
        static const std::vector<std::string> strange{
            "1.50", "true", "\"x\"", "\"\"", "[1, 2]", "{\"a\": 1}", "1e3", "12345678901234567890", "false"};
        static const std::vector<std::string> keys{"level", "score", "name",    "a.b",   "a",
                                                   "A",     "a_2",   "a_x2E_b", "Level", "timestamp"};
        std::string event = fmt::format(R"({{"event_type": "{}")", types[random() % types.size()]);
        for (std::size_t i = 0; i < (odd.keys ? keys.size() : 4); ++i) {
            if (random() % (i < 4 ? 3U : 20U) == 0 || (i >= 4 && random() % 4 != 0)) continue;
            const auto& values = odd.values && random() % 5 == 0 ? strange : plain;
            event += fmt::format(R"(, "{}": {})", keys[i], values[random() % values.size()]);
        }
        return random() % 50 == 0 ? "no event" : event + "}";
    }

    /// Lands `cut` up to somewhere, asks for it and for `whole`, which never lands. True if files were used.
    bool cut_is_whole(const std::string& where, const Sets& set, std::mt19937& random) {
        declare("whole", where, set);
        declare("cut", where, set);
        std::vector<std::int64_t> cuts;
        for (const std::int64_t end : ends_)
            cuts.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end + 1)));
        land("cut", cuts);
        notices_.clear();
        Rows cut = ask("SELECT * FROM cut");
        const bool united = std::none_of(notices_.begin(), notices_.end(), [](const std::string& notice) {
            return notice.find("the whole log is read") != std::string::npos;
        });
        Rows whole = ask("SELECT * FROM whole");
        EXPECT_EQ(columns_of("cut"), columns_of("whole"));
        std::sort(cut.begin(), cut.end());
        std::sort(whole.begin(), whole.end());
        EXPECT_EQ(cut, whole);
        return united;
    }

    std::vector<std::int64_t> ends_ = std::vector<std::int64_t>(static_cast<std::size_t>(GetParam()), 0);
};

TEST_P(UnionProperty, WhereverTheLogIsCut) {
    const std::vector<std::pair<std::string, Sets>> declarations{
        {"", {}},
        {"event_type = 'play'", {}},
        {"event_type IN ('play', 'win') AND name IS NOT NULL", {{"name", "'moe'"}, {"level_text", "level || '!'"}}},
        {"CAST(level AS VARCHAR) LIKE '%1%' OR event_type = 'lose'",
         {{"score", "coalesce(CAST(score AS VARCHAR), 'none')"}}},
        {"score > 1 OR level", {{"sum", "score + level * 2"}, {"name", "coalesce(name, score)"}}},
    };
    std::mt19937 random(20260804);
    int unions = 0;
    int odd_unions = 0;
    for (int round = 0; round < 40; ++round) {
        const Oddity odd{round > 27, round > 9}; // Types widen late; keys contend for most of the time.
        for (int i = 0; i < 20; ++i) {
            const auto partition = static_cast<std::int32_t>(random() % ends_.size());
            post({random_event(random, odd)}, partition);
            ++ends_[static_cast<std::size_t>(partition)];
        }
        const auto& [where, set] = declarations[random() % declarations.size()];
        SCOPED_TRACE(fmt::format("round {}, where {}", round, where));
        const bool united = cut_is_whole(where, set, random);
        unions += united;
        odd_unions += united && odd.keys;
    }
    EXPECT_GE(unions, 6) << "many rounds must test the union, not the way round it";
    if (GetParam() == 1) {
        EXPECT_GE(odd_unions, 6) << "of keys that contend for a name, too";
    }
}

using UnionOfPartitions = UnionProperty;

TEST_P(UnionOfPartitions, NamesAreThoseOfTheWholeLogsOrder) {
    post({R"({"event_type": "play", "Level": 1})"}, 1);
    ends_ = {0, 1};
    declare("cut", "", {});
    land("cut", ends_);
    post({R"({"event_type": "play", "level": 2})"}, 0); // before the landed one, in the order of the whole log
    declare("whole", "", {});
    declare("cut", "", {});
    EXPECT_EQ(columns_of("cut"), columns_of("whole"));
    EXPECT_EQ(ask("SELECT sum(level) FROM cut"), ask("SELECT sum(level) FROM whole"));
}

INSTANTIATE_TEST_SUITE_P(Partitions, UnionOfPartitions, ::testing::Values(2));

INSTANTIATE_TEST_SUITE_P(Partitions, UnionProperty, ::testing::Values(1, 2));

} // namespace
} // namespace questlog::query
