#include "scan/repeats.h"

#include "event/message_id.h"
#include "log/record_batch.h"
#include "scan/fake_log.h"
#include "scan/plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <random>
#include <set>

namespace questlog::scan {
namespace {

using event::IdSighting;
using event::RepeatWindow;
using std::chrono::milliseconds;
using testing::FakeLog;

IdSighting met(int number, std::int64_t offset, std::int64_t time) {
    return {event::hash_of(fmt::format("id {}", number)), Offset{offset}, TimestampMs{time}};
}

VisitEarlier before(std::vector<IdSighting> earlier) {
    return [earlier = std::move(earlier)](TimestampMs, const SightingSink& sink) -> Status {
        for (const IdSighting& one : earlier) sink(one);
        return {};
    };
}

std::string text(const std::vector<OffsetSpan>& spans) {
    std::string all;
    for (const auto& [from, to] : spans) all += fmt::format("{}-{} ", from, to);
    return all;
}

std::set<std::int64_t> offsets_of(const std::vector<OffsetSpan>& spans) {
    std::set<std::int64_t> offsets;
    for (const auto& [from, to] : spans)
        for (std::int64_t offset = from.value; offset < to.value; ++offset) offsets.insert(offset);
    return offsets;
}

TEST(Repeats, AreThoseThatFollowTheSameIdWithinTheWindow) {
    const RepeatWindow window{milliseconds(100), 3};
    EXPECT_EQ(text(find_repeats({met(1, 4, 0), met(1, 5, 0), met(1, 6, 100), met(2, 7, 100)}, window, {}).value()),
              "5-7 ");
    EXPECT_EQ(text(find_repeats({met(1, 4, 0), met(1, 5, 101)}, window, {}).value()), "") << "too late";
    EXPECT_EQ(text(find_repeats({met(1, 0, 0), met(2, 1, 0), met(3, 2, 0), met(1, 3, 0)}, window, {}).value()), "3-4 ");
    EXPECT_EQ(
        text(find_repeats({met(1, 0, 0), met(2, 1, 0), met(3, 2, 0), met(4, 3, 0), met(1, 4, 0)}, window, {}).value()),
        "")
        << "too many ids lie between";
}

TEST(Repeats, AlsoFollowWhatCameBefore) {
    const RepeatWindow window{milliseconds(100), 3};
    const auto earlier = before({met(1, 0, 0), met(2, 1, 10), met(3, 2, 20)});
    EXPECT_EQ(text(find_repeats({met(2, 9, 110), met(3, 10, 110), met(1, 11, 110)}, window, earlier).value()), "9-11 ");
    EXPECT_EQ(text(find_repeats({met(1, 9, 100)}, window, earlier).value()), "9-10 ");
    EXPECT_EQ(text(find_repeats({met(1, 9, 101)}, window, earlier).value()), "");
    EXPECT_EQ(text(find_repeats({met(8, 9, 100), met(1, 10, 100)}, window, earlier).value()), "") << "too many between";
    EXPECT_FALSE(find_repeats({met(1, 9, 0)}, window, [](TimestampMs, const SightingSink&) -> Status {
                     return corrupt("damaged");
                 }).ok());
}

/// Wherever the log is cut, and whether its times go back, the same records repeat: what is landed and what a query
/// reads after it agree.
TEST(Repeats, DoNotDependOnWhereTheLogIsCut) {
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        std::mt19937_64 random(seed);
        const RepeatWindow window{milliseconds(random() % 300), static_cast<std::int64_t>(random() % 80)};
        std::vector<IdSighting> all;
        std::int64_t time = 0;
        for (std::int64_t offset = 0; offset < 600; ++offset) {
            time += static_cast<std::int64_t>(random() % 5);
            if (seed % 2 == 0 && random() % 4 == 0) time -= static_cast<std::int64_t>(random() % 400) - 190;
            if (random() % 4 != 0) all.push_back(met(static_cast<int>(random() % 100), offset, time));
        }
        const std::set<std::int64_t> expected = offsets_of(find_repeats(all, window, {}).value());
        std::set<std::int64_t> by_rule;
        for (std::size_t i = 0; i < all.size(); ++i)
            for (std::size_t back = 1; back <= i; ++back) {
                if (all[i - back].id != all[i].id) continue;
                if (static_cast<std::int64_t>(back) <= window.ids &&
                    all[i].time.minus(all[i - back].time) <= window.time.count())
                    by_rule.insert(all[i].offset.value);
                break;
            }
        ASSERT_EQ(expected, by_rule) << seed;
        std::set<std::int64_t> by_cuts;
        for (std::size_t begin = 0; begin < all.size();) {
            const std::size_t end = std::min(all.size(), begin + 1 + random() % 90);
            const std::vector<IdSighting> cut(all.begin() + static_cast<std::ptrdiff_t>(begin),
                                              all.begin() + static_cast<std::ptrdiff_t>(end));
            const auto earlier = [&](TimestampMs least, const SightingSink& sink) -> Status {
                std::size_t first = 0; // in the window
                while (first < begin && least.minus(all[first].time) > window.time.count()) ++first;
                for (std::size_t i = first; i < begin; ++i) sink(all[i]);
                return {};
            };
            by_cuts.merge(offsets_of(find_repeats(cut, window, earlier).value()));
            begin = end;
        }
        ASSERT_EQ(by_cuts, expected) << seed;
    }
}

class PlannedRepeats : public ::testing::Test {
protected:
    void append(const std::vector<std::pair<std::string, std::string>>& ids_and_values) {
        log_.partition(Partition{0}).append_with_ids(ids_and_values);
    }
    std::shared_ptr<const Plan> plan(PlanOptions options) { return Plan::make(log_, log_.all(), options).value(); }

    FakeLog log_;
};

TEST_F(PlannedRepeats, LeaveNoTraceInSchemasAndCounts) {
    append({{"a", R"({"event_type": "raid", "n": 1})"},
            {"", R"({"event_type": "raid", "n": 2})"},
            {"a", R"({"event_type": "raid", "n": 0.5, "more": true})"}});
    append({{"b", R"({"event_type": "guild"})"}, {"b", "no JSON"}, {"a", R"({"event_type": "guild", "n": 1})"}});
    PlanOptions options;
    options.keep_dead_letters = true;
    options.find_repeats = [](const PartitionRange&, const std::vector<IdSighting>& ids) {
        return find_repeats(ids, {}, {});
    };
    const auto planned = plan(options);
    EXPECT_EQ(planned->tally(), (PlanTally{6, 3, 0, 0, 0, 3, 0}));
    EXPECT_EQ(planned->events(std::vector<std::string>{"raid"}), 2);
    EXPECT_EQ(planned->schema(std::vector<std::string>{"raid"}),
              (event::Schema{{"event_type", event::ColumnType::string}, {"n", event::ColumnType::bigint}}));
    const PlacesByType expected{{"", {{Partition{0}, Offset{4}}}},
                                {"guild", {{Partition{0}, Offset{5}}}},
                                {"raid", {{Partition{0}, Offset{2}}}}};
    EXPECT_EQ(planned->repeats(), expected);

    PlanOptions knowing;
    knowing.keep_dead_letters = true;
    knowing.known = {{{{Offset{2}, Offset{3}}, {Offset{4}, Offset{6}}}, {}}};
    EXPECT_EQ(planned->set_aside(), knowing.known);
    EXPECT_EQ(plan(knowing)->tally(), planned->tally());
    EXPECT_EQ(plan(knowing)->repeats(), planned->repeats());
}

TEST_F(PlannedRepeats, AreLookedForOnlyWhereThereAreIds) {
    append({{"", R"({"event_type": "raid"})"}});
    PlanOptions options;
    options.find_repeats = [](const PartitionRange&,
                              const std::vector<IdSighting>&) -> Result<std::vector<OffsetSpan>> {
        return internal("asked");
    };
    EXPECT_TRUE(Plan::make(log_, log_.all(), options).ok());
    append({{"\x01 is no id", R"({"event_type": "raid"})"}, {std::string(150, 'x'), R"({"event_type": "raid"})"}});
    EXPECT_TRUE(Plan::make(log_, log_.all(), options).ok()) << "another producer's header, which names nothing";
    append({{"a", R"({"event_type": "raid"})"}});
    EXPECT_FALSE(Plan::make(log_, log_.all(), options).ok());
}

TEST_F(PlannedRepeats, EarlierIdsComeFromTheRecordsAndThenFromTheLog) {
    append({{"a", "1"}, {"b", "2"}, {"", "3"}, {"c", "4"}, {"d", "5"}});
    std::vector<std::int64_t> offsets;
    const SightingSink sink = [&](const IdSighting& id) { offsets.push_back(id.offset.value); };
    FakeLog& log = log_;
    ASSERT_TRUE(
        visit_earlier_ids(log.partition(Partition{0}), {}, Offset{4}, TimestampMs{1'795'384'733'877}, {}, sink).ok());
    EXPECT_EQ(offsets, (std::vector<std::int64_t>{0, 1, 3}));
    offsets.clear();
    EarlierIds earlier;
    earlier.recorded_to = Offset{3};
    earlier.recorded = [&](Offset below, TimestampMs, const SightingSink& to) -> Status {
        EXPECT_EQ(below, Offset{3}) << "what is recorded beyond may be landed by now, and is in the log's range";
        to(met(1, -7, 0));
        return {};
    };
    ASSERT_TRUE(
        visit_earlier_ids(log.partition(Partition{0}), earlier, Offset{5}, TimestampMs{1'795'384'733'877}, {}, sink)
            .ok());
    EXPECT_EQ(offsets, (std::vector<std::int64_t>{-7, 3, 4}));
    offsets.clear();
    ASSERT_TRUE(visit_earlier_ids(log.partition(Partition{0}), {}, Offset{5}, TimestampMs{1'795'384'733'877},
                                  {milliseconds(1), 9}, sink)
                    .ok());
    EXPECT_EQ(offsets, (std::vector<std::int64_t>{3, 4}));
}

/// Those between are counted, whatever their times: where the records tell of any in the window, the log tells of all
/// that come after them.
TEST_F(PlannedRepeats, EarlierIdsOfTheLogFollowThoseOfTheRecordsWithoutAGap) {
    log_.partition(Partition{0}).append_with_ids({{"a", "1"}, {"b", "2"}}, 1000);
    log_.partition(Partition{0}).append_with_ids({{"c", "3"}}, 5000);
    std::vector<std::int64_t> offsets;
    const SightingSink sink = [&](const IdSighting& id) { offsets.push_back(id.offset.value); };
    EarlierIds earlier;
    earlier.recorded = [&](Offset, TimestampMs, const SightingSink& to) -> Status {
        to(met(1, -7, 5000));
        return {};
    };
    ASSERT_TRUE(visit_earlier_ids(log_.partition(Partition{0}), earlier, Offset{3}, TimestampMs{6000},
                                  {milliseconds(1000), 9}, sink)
                    .ok());
    EXPECT_EQ(offsets, (std::vector<std::int64_t>{-7, 0, 1, 2}));
}

} // namespace
} // namespace questlog::scan
