// Which segments retention lets go of, by values; and how readers, recovery and repair take a log that begins later.
#include "log/retention.h"

#include "log/damaged_log.h"
#include "log/inspect.h"
#include "log/log_start.h"
#include "log/segment_check.h"

namespace questlog::log {
namespace {

/// Segments of 10 events, 100 bytes and an age each, oldest first; after them one of 40 bytes that ends at `certain`.
PartitionAge aged(const std::vector<std::int64_t>& ages_ms, std::optional<std::int64_t> certain = std::nullopt) {
    PartitionAge age;
    age.now = TimestampMs{1'000'000};
    for (const std::int64_t ms : ages_ms) {
        const Offset base = age.segments.empty() ? Offset{} : age.segments.back().end;
        age.segments.push_back({base, base.plus(10), 100, TimestampMs{1'000'000 - ms}});
    }
    age.last_bytes = 40;
    age.certain = Offset{certain.value_or(static_cast<std::int64_t>(ages_ms.size()) * 10 + 5)};
    return age;
}

/// "expired up to offset, kept by the floor up to offset"
using Ends = std::pair<std::int64_t, std::int64_t>;
Ends ends(const TrimPlan& plan) {
    const Offset expired = plan.new_start();
    return {expired.value, plan.kept.empty() ? expired.value : plan.kept.back().end.value};
}

TEST(RetentionPlan, ByBytesTheOldestGoWhileTheRestHoldsAsMuch) {
    const auto age = aged({9, 9, 9}); // 340 bytes
    EXPECT_EQ(ends(plan_trim(age, {.bytes = 241, .ms = {}}, no_floor)), (Ends{0, 0}));
    EXPECT_EQ(ends(plan_trim(age, {.bytes = 240, .ms = {}}, no_floor)), (Ends{10, 10}));
    EXPECT_EQ(ends(plan_trim(age, {.bytes = 141, .ms = {}}, no_floor)), (Ends{10, 10}));
    EXPECT_EQ(ends(plan_trim(age, {.bytes = 40, .ms = {}}, no_floor)), (Ends{30, 30}));
    EXPECT_EQ(ends(plan_trim(age, {.bytes = 0, .ms = {}}, no_floor)), (Ends{30, 30})) << "the last segment stays";
}

TEST(RetentionPlan, ByAgeASegmentGoesOnceItsNewestEventIsOlder) {
    const auto age = aged({300, 200, 100});
    EXPECT_EQ(ends(plan_trim(age, {.bytes = {}, .ms = 300}, no_floor)), (Ends{0, 0})) << "not older yet";
    EXPECT_EQ(ends(plan_trim(age, {.bytes = {}, .ms = 299}, no_floor)), (Ends{10, 10}));
    EXPECT_EQ(ends(plan_trim(age, {.bytes = {}, .ms = 100}, no_floor)), (Ends{20, 20}));
    EXPECT_EQ(ends(plan_trim(aged({-50}), {.bytes = {}, .ms = 0}, no_floor)), (Ends{0, 0})) << "from the future";
    EXPECT_EQ(ends(plan_trim(aged({10, 500}), {.bytes = {}, .ms = 100}, no_floor)), (Ends{0, 0}))
        << "from the front only";
}

TEST(RetentionPlan, EitherLimitLetsGoAndNoneKeepsAll) {
    EXPECT_EQ(ends(plan_trim(aged({300, 200, 100}), {.bytes = 240, .ms = 150}, no_floor)), (Ends{20, 20}));
    EXPECT_EQ(ends(plan_trim(aged({300, 200, 100}), {}, no_floor)), (Ends{0, 0}));
}

TEST(RetentionPlan, NothingAtOrAboveTheFloorGoesUnlessItIsForced) {
    const auto age = aged({300, 200, 100});
    const RetentionLimits all{.bytes = 0, .ms = {}};
    EXPECT_EQ(ends(plan_trim(age, all, Offset{0})), (Ends{0, 30}));
    EXPECT_EQ(ends(plan_trim(age, all, Offset{9})), (Ends{0, 30})) << "offset 9 is in the first";
    EXPECT_EQ(ends(plan_trim(age, all, Offset{10})), (Ends{10, 30}));
    EXPECT_EQ(ends(plan_trim(age, all, Offset{29})), (Ends{20, 30}));
    EXPECT_EQ(ends(plan_trim(age, {.bytes = 0, .ms = {}, .force = true}, Offset{0})), (Ends{30, 30}));
}

TEST(RetentionPlan, SomethingThatIsCertainlyOnDiskStays) {
    const RetentionLimits all{.bytes = 0, .ms = {}, .force = true};
    EXPECT_EQ(ends(plan_trim(aged({9, 9, 9}, 31), all, no_floor)), (Ends{30, 30}));
    EXPECT_EQ(ends(plan_trim(aged({9, 9, 9}, 30), all, no_floor)), (Ends{20, 20})) << "the last one is empty";
    EXPECT_EQ(ends(plan_trim(aged({9, 9, 9}, 12), all, no_floor)), (Ends{10, 10})) << "the rest is not synced";
}

TEST(RetentionLimits, ATopicsOwnGoBeforeTheServers) {
    Topic topic;
    const RetentionLimits server{.bytes = 100, .ms = 200, .force = true};
    EXPECT_EQ(limits_of(topic, server), server);
    topic.settings.retention_bytes = -1;
    topic.settings.retention_ms = 7;
    topic.settings.retention_force = false;
    EXPECT_EQ(limits_of(topic, server), (RetentionLimits{.bytes = {}, .ms = 7, .force = false}));
}

constexpr RetentionLimits nothing_kept{.bytes = 0, .ms = {}, .force = false};
constexpr Offset landed{20};

/// A log of several segments, being written.
std::unique_ptr<SimulatedLog> make_long() {
    auto log = std::make_unique<SimulatedLog>(5, 2048);
    EXPECT_TRUE(log->open().ok());
    for (int i = 0; i < 16; ++i) EXPECT_TRUE(log->commit(3, 200).ok());
    return log;
}

/// The same, whose first segments have expired; then stopped.
std::unique_ptr<SimulatedLog> make_trimmed(bool closed = true) {
    auto log = make_long();
    const auto plan = log->trim(nothing_kept, landed);
    EXPECT_TRUE(plan.ok()) << plan.error().message;
    EXPECT_FALSE(plan->expire.empty());
    EXPECT_FALSE(plan->kept.empty());
    if (closed)
        EXPECT_TRUE(log->close().ok());
    else
        log->power_cut();
    return log;
}

TEST(Retention, EveryPartOfTheLogWorksWhereItBeginsLater) {
    for (const bool closed : {true, false}) {
        auto log = make_trimmed(closed);
        const auto seen = log->read();
        ASSERT_TRUE(seen.ok()) << seen.error().message;
        EXPECT_GT(seen->start, 0U);
        EXPECT_LE(seen->start, 20U);
        log->expect_kept("trimmed");
        auto reader = open_reader(log->sim.env(), log->topics, log->topic).value();
        auto& partition = reader->partition(Partition{0});
        const Offset start = *partition.start_offset();
        EXPECT_EQ(*partition.find_time(TimestampMs{0}), start);
        const auto below = partition.read(start.plus(-1), *partition.end_offset());
        ASSERT_FALSE(below.ok());
        EXPECT_NE(below.error().message.find(fmt::format("begins at offset {}", start)), std::string::npos);
        std::int64_t bytes = 0;
        for (const auto& path : log->segments()) bytes += static_cast<std::int64_t>(log->sim.contents(path)->size());
        EXPECT_EQ(*partition.bytes(), bytes);
        EXPECT_TRUE(check_segments(log->sim.env(), log->topics, log->topic, Partition{0}, [&] {
                        return partition.end_offset();
                    }).ok());
        EXPECT_EQ(verified(*log).report.faults, 0);
        EXPECT_EQ(verified(*log).report.expired, start.value);
        EXPECT_TRUE(inspect(log->sim.env(), log->topics, log->topic, {}, [](auto) { return true; }).ok());
        EXPECT_TRUE(repair(*log)->empty());
        ASSERT_TRUE(log->open().ok());
        ASSERT_TRUE(log->commit(2).ok());
        log->expect_kept("and went on");
    }
}

TEST(Retention, WhatIsMissingAboveTheStartIsDamageAndRepairCountsItAlone) {
    auto log = make_trimmed();
    const auto start = static_cast<std::int64_t>(log->read()->start);
    log->sim.remove(log->segments().front());
    const auto read = log->read();
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
    EXPECT_NE(read.error().message.find("is missing"), std::string::npos) << read.error().message;
    const auto found = verified(*log);
    ASSERT_EQ(found.faults.size(), 1U);
    EXPECT_EQ(found.faults[0].from, Offset{start});
    EXPECT_FALSE(inspect(log->sim.env(), log->topics, log->topic, {}, [](auto) { return true; }).ok());
    EXPECT_FALSE(log->open().ok());
    ASSERT_TRUE(repair(*log).ok());
    EXPECT_EQ(verified(*log).report.faults, 0);
    EXPECT_EQ(lost_between(*read_holes(log->sim.env().files, log->directory()), Offset{0}, Offset{100}),
              found.report.lost);
}

TEST(Retention, HolesThatExpireStayInTheRecord) {
    auto log = make_log(true);
    log->sim.flip_bit(log->segments().front(), 80, 2);
    ASSERT_EQ(repair(*log)->places.size(), 1U);
    const auto holes = *read_holes(log->sim.env().files, log->directory());
    ASSERT_TRUE(log->open().ok());
    ASSERT_TRUE(log->trim(nothing_kept, no_floor).ok());
    ASSERT_TRUE(log->close().ok());
    EXPECT_TRUE(verified(*log).faults.empty());
    log->sim.flip_bit(log->segments().front(), 80, 2);
    ASSERT_EQ(repair(*log)->places.size(), 1U);
    const auto after = *read_holes(log->sim.env().files, log->directory());
    ASSERT_EQ(after.size(), 2U);
    EXPECT_EQ(after[0], holes[0]);
}

TEST(Retention, ADamagedRecordOfTheStartIsToldAndMadeAnew) {
    auto log = make_trimmed();
    const auto start = log->read()->start;
    log->sim.flip_bit(log_start_file(log->directory()), 40, 1);
    const auto read = log->read();
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
    EXPECT_NE(read.error().message.find("log repair"), std::string::npos) << read.error().message;
    ASSERT_EQ(verified(*log).faults.size(), 1U);
    const auto done = repair(*log);
    ASSERT_TRUE(done.ok()) << done.error().message;
    EXPECT_TRUE(done->places.empty());
    EXPECT_EQ(done->other.size(), 1U);
    EXPECT_EQ(log->read()->start, start);
    EXPECT_TRUE(verified(*log).faults.empty());
}

TEST(Retention, WhatWasLeftBelowTheStartIsNoPartOfTheLogAndGoes) {
    auto log = make_log(false);
    const auto first = log->segments().front();
    const auto bytes = *log->sim.contents(first);
    ASSERT_TRUE(log->open().ok());
    ASSERT_TRUE(log->trim(nothing_kept, no_floor).ok());
    log->sim.put(first, bytes); // as a power cut may bring it back
    log->sim.put(index_file(log->directory(), Offset{0}), "x");
    EXPECT_GT(log->read()->start, 0U);
    log->crash();
    log->may_expire = log->appended.size();
    log->expect_kept("with a segment from before");
    EXPECT_FALSE(log->sim.contents(first));
    EXPECT_FALSE(log->sim.contents(index_file(log->directory(), Offset{0})));
}

TEST(Retention, AReaderInsideOfASegmentThatGoesReadsItToItsEndAndIsToldThen) {
    auto log = make_long();
    auto reader = open_reader(log->sim.env(), log->topics, log->topic).value();
    auto& partition = reader->partition(Partition{0});
    auto cursor = partition.read(Offset{0}, *partition.end_offset()).value();
    Batch batch;
    ASSERT_TRUE(*cursor->next(batch));
    auto fetcher = partition.fetcher().value();
    const BatchAddress address = batch.address();
    const auto plan = log->trim(nothing_kept, no_floor);
    ASSERT_GE(plan->expire.size(), 3U);
    std::size_t seen = static_cast<std::size_t>(batch.header.record_count);
    Status ended;
    while (true) {
        const auto more = cursor->next(batch);
        if (!more.ok()) {
            ended = more.error();
            break;
        }
        ASSERT_TRUE(*more);
        EXPECT_EQ(batch.header.base_offset.value, static_cast<std::int64_t>(seen));
        seen += static_cast<std::size_t>(batch.header.record_count);
    }
    ASSERT_FALSE(ended.ok());
    EXPECT_EQ(ended.error().kind, ErrorKind::reject);
    EXPECT_NE(ended.error().message.find("expired"), std::string::npos) << ended.error().message;
    EXPECT_NE(ended.error().message.find(fmt::format("begins at offset {}", plan->new_start())), std::string::npos);
    EXPECT_GE(static_cast<std::int64_t>(seen), plan->expire.front().end.value);
    const auto fetched = fetcher->fetch(address, 0);
    EXPECT_TRUE(fetched.ok() || fetched.error().message.find("expired") != std::string::npos);
    EXPECT_EQ(*partition.start_offset(), plan->new_start());
    EXPECT_EQ(*partition.find_time(TimestampMs{0}), plan->new_start());
    EXPECT_TRUE(partition.bytes().ok());
}

TEST(Retention, AgeIsByTheWallClockAndTheSegmentsNewestEvent) {
    auto log = make_long();
    std::map<std::int64_t, TimestampMs> newest; // by batch
    auto reader = open_reader(log->sim.env(), log->topics, log->topic).value();
    auto cursor = reader->partition(Partition{0}).read(Offset{0}, Offset{48}).value();
    Batch batch;
    while (*cursor->next(batch)) newest[batch.header.end_offset().value] = batch.header.max_timestamp;
    const RetentionLimits hour{.bytes = {}, .ms = 3'600'000};
    EXPECT_TRUE(log->trim(hour, no_floor)->expire.empty());
    log->sim.jump_wall(std::chrono::hours{2});
    const auto plan = log->trim(hour, no_floor);
    ASSERT_TRUE(plan.ok());
    EXPECT_EQ(log->segments().size(), 1U);
    EXPECT_GT(plan->expire.size(), 2U);
    for (const OldSegment& segment : plan->expire) EXPECT_EQ(segment.newest, newest.at(segment.end.value));
    EXPECT_EQ(log->read()->start, static_cast<std::size_t>(plan->new_start().value));
}

TEST(Retention, ASegmentThatDoesNotLeadUpToTheNextKeepsAll) {
    auto log = make_log(true);
    const auto paths = log->segments();
    log->sim.shorten(paths[0], static_cast<std::int64_t>(log->sim.contents(paths[0])->size()) - 9);
    ASSERT_TRUE(log->open().ok());
    const auto plan = log->trim(nothing_kept, no_floor);
    ASSERT_FALSE(plan.ok());
    EXPECT_EQ(plan.error().kind, ErrorKind::corrupt);
    EXPECT_NE(plan.error().message.find(paths[0]), std::string::npos);
    EXPECT_EQ(log->segments(), paths);
}

TEST(Retention, ByHandItWaitsForNoServerAndRecoversFirst) {
    auto log = make_long();
    const auto env = log->sim.env();
    const auto refused = lock_for_trimming(env, log->topics, log->topic);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::retry_later);
    ASSERT_TRUE(log->append(1).ok());
    log->crash();
    const auto lock = lock_for_trimming(env, log->topics, log->topic);
    ASSERT_TRUE(lock.ok()) << lock.error().message;
    ASSERT_TRUE(log->trim(nothing_kept, landed).ok());
    log->expect_kept("by hand");
    EXPECT_GT(log->started, 0U);
}

} // namespace
} // namespace questlog::log
