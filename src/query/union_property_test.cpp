#include "query/query_fixture.h"

#include <algorithm>
#include <random>

/// Landed rows and tail together are what the whole log gives by the table's declaration, wherever the log was cut,
/// whatever the events hold.
namespace questlog::query {
namespace {

class UnionPropertyTest : public QueryFixture {
protected:
    UnionPropertyTest() : QueryFixture(2) {}

    std::string random_event(std::mt19937& random, bool odd) {
        static const std::vector<std::string> types{"play", "play", "win", "lose"};
        static const std::vector<std::string> plain{"1", "2", "null", "77"};
        static const std::vector<std::string> strange{
            "1.50", "true", "\"x\"", "\"\"", "[1, 2]", "{\"a\": 1}", "1e3", "12345678901234567890", "false"};
        std::string event = fmt::format(R"({{"event_type": "{}")", types[random() % types.size()]);
        for (const std::string key : {"level", "score", "name", "a.b"}) {
            if (random() % 3 == 0) continue;
            const auto& values = odd && random() % 5 == 0 ? strange : plain;
            event += fmt::format(R"(, "{}": {})", key, values[random() % values.size()]);
        }
        return random() % 50 == 0 ? "no event" : event + "}";
    }
};

TEST_F(UnionPropertyTest, WhereverTheLogIsCut) {
    const std::vector<std::pair<std::string, Sets>> declarations{
        {"", {}},
        {"event_type = 'play'", {}},
        {"event_type IN ('play', 'win') AND name IS NOT NULL", {{"name", "'moe'"}, {"level_text", "level || '!'"}}},
        {"CAST(level AS VARCHAR) LIKE '%1%' OR event_type = 'lose'",
         {{"score", "coalesce(CAST(score AS VARCHAR), 'none')"}}},
    };
    std::mt19937 random(20260804);
    std::vector<std::int64_t> ends{0, 0};
    int unions = 0;
    for (int round = 0; round < 24; ++round) {
        for (int i = 0; i < 20; ++i) { // The first third of the log is regular, so that types widen late.
            const auto partition = static_cast<std::int32_t>(random() % 2);
            post({random_event(random, round > 7)}, partition);
            ++ends[static_cast<std::size_t>(partition)];
        }
        const auto& [where, set] = declarations[random() % declarations.size()];
        declare("whole", where, set);
        declare("cut", where, set);
        land("cut",
             std::vector<std::int64_t>{static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(ends[0] + 1)),
                                       static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(ends[1] + 1))});
        notices_.clear();
        Rows cut = ask("SELECT * FROM cut");
        unions += std::none_of(notices_.begin(), notices_.end(), [](const std::string& notice) {
            return notice.find("the whole log is read") != std::string::npos;
        });
        Rows whole = ask("SELECT * FROM whole");
        EXPECT_EQ(columns_of("cut"), columns_of("whole")) << "round " << round;
        std::sort(cut.begin(), cut.end());
        std::sort(whole.begin(), whole.end());
        EXPECT_EQ(cut, whole) << "round " << round;
    }
    EXPECT_GE(unions, 6) << "most rounds must test the union, not the way round it";
}

} // namespace
} // namespace questlog::query
