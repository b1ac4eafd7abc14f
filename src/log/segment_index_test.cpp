// The index makes reads quick, and whatever it says, right.
#include "log/damaged_log.h"
#include "log/segment_index.h"
#include "log/segment_table.h"

namespace questlog::log {
namespace {

constexpr std::int64_t indexed_segment_bytes = 2 * 1024 * 1024;

/// Two full segments and the beginning of a third; time moves on in steps, so that many events share a moment.
std::unique_ptr<SimulatedLog> make_long_log() {
    auto log = std::make_unique<SimulatedLog>(8, indexed_segment_bytes);
    EXPECT_TRUE(log->open().ok());
    while (log->segments().size() < 4) EXPECT_TRUE(log->commit(20, 2000).ok());
    EXPECT_TRUE(log->close().ok());
    return log;
}

Offset base_of(const std::string& path) {
    return *segment_base_of(path.substr(path.rfind('/') + 1));
}

Result<std::string> value_at(LogReader& reader, Offset offset) {
    TRY(cursor, reader.partition(Partition{0}).read(offset, offset.plus(1)));
    Batch batch;
    TRY(more, cursor->next(batch));
    if (!more) return internal("no batch");
    RecordCursor records(batch.header, batch.records);
    Record record;
    while (true) {
        TRY(another, records.next(record));
        if (!another) return internal("no record");
        if (record.offset == offset) return std::string(record.value);
    }
}

std::vector<TimestampMs> times_of(SimulatedLog& log) {
    auto reader = std::move(open_reader(log.sim.env(), log.topics, log.topic)).value();
    auto& partition = reader->partition(Partition{0});
    auto cursor = std::move(partition.read(Offset{0}, *partition.end_offset())).value();
    std::vector<TimestampMs> times;
    Batch batch;
    while (*cursor->next(batch)) {
        RecordCursor records(batch.header, batch.records);
        Record record;
        while (*records.next(record)) times.push_back(record.timestamp);
    }
    return times;
}

/// Every offset that is asked for is found, and every time.
void expect_right_answers(SimulatedLog& log, const std::vector<TimestampMs>& times, const std::string& when) {
    auto reader = open_reader(log.sim.env(), log.topics, log.topic);
    ASSERT_TRUE(reader.ok()) << when;
    for (std::size_t offset = 0; offset < times.size(); offset += 97) {
        const auto value = value_at(**reader, Offset{static_cast<std::int64_t>(offset)});
        ASSERT_TRUE(value.ok()) << when << ": " << value.error().message;
        ASSERT_EQ(*value, log.appended[offset]) << when;
        for (const std::int64_t beside : {-1, 0, 1}) {
            const auto time = times[offset].value + beside;
            const auto first = std::ranges::lower_bound(times, TimestampMs{time}) - times.begin();
            const auto found = (*reader)->partition(Partition{0}).find_time(TimestampMs{time});
            ASSERT_TRUE(found.ok()) << when << ": " << found.error().message;
            ASSERT_EQ(*found, Offset{first}) << when << ", time " << time;
        }
    }
    EXPECT_EQ(*(*reader)->partition(Partition{0}).find_time(TimestampMs{INT64_MAX}),
              Offset{static_cast<std::int64_t>(times.size())});
    EXPECT_EQ(*(*reader)->partition(Partition{0}).find_time(TimestampMs{INT64_MIN}), Offset{0});
}

TEST(SegmentIndex, IsLeftByTheFirstReadInsideASegmentAndIsWhatTheDataSay) {
    auto log = make_long_log();
    const auto times = times_of(*log);
    for (const auto& path : log->segments())
        EXPECT_FALSE(log->sim.contents(index_file(log->directory(), base_of(path)))) << "no one looked inside";
    expect_right_answers(*log, times, "made");
    for (std::size_t i = 0; i + 1 < log->segments().size(); ++i) {
        const auto bytes = log->sim.contents(index_file(log->directory(), base_of(log->segments()[i])));
        ASSERT_TRUE(bytes.has_value() == (log->sim.contents(log->segments()[i])->size() >= indexed_segment_bytes_min));
        if (!bytes) continue;
        const auto index = decode_index(*bytes);
        ASSERT_TRUE(index);
        EXPECT_GE(index->entries.size(), 3U);
        for (const auto& entry : index->entries)
            EXPECT_EQ(entry.base_timestamp, times[static_cast<std::size_t>(entry.offset.value)]);
    }
    EXPECT_TRUE(verified(*log).faults.empty());
    expect_right_answers(*log, times, "used");
}

/// How many operations it takes a new reader to read one event near the end of the first long segment.
std::int64_t operations_of_a_read(SimulatedLog& log) {
    const auto paths = log.segments();
    auto reader = std::move(open_reader(log.sim.env(), log.topics, log.topic)).value();
    const auto before = log.sim.operations();
    EXPECT_TRUE(value_at(*reader, base_of(paths[2]).plus(-3)).ok());
    return log.sim.operations() - before;
}

TEST(SegmentIndex, SparesWalkingTheSegment) {
    auto log = make_long_log();
    const auto first = operations_of_a_read(*log);
    EXPECT_LT(operations_of_a_read(*log), first) << "it is there now, and its segment is not walked";
}

TEST(SegmentIndex, OneThatIsDamagedOrOfAnotherSegmentChangesNoAnswer) {
    const auto intact = make_long_log();
    const auto times = times_of(*intact);
    expect_right_answers(*intact, times, "intact");
    const Offset first = base_of(intact->segments()[1]);
    const Offset second = base_of(intact->segments()[2]);
    const auto path = index_file(intact->directory(), first);
    const auto bytes = *intact->sim.contents(path);
    const auto other = intact->sim.contents(index_file(intact->directory(), second));
    std::vector<std::string> wrong{bytes.substr(0, bytes.size() / 2), "", std::string(bytes.size(), '\0')};
    if (other) wrong.push_back(*other);
    for (std::size_t byte = 0; byte < bytes.size(); byte += 5) {
        wrong.push_back(bytes);
        wrong.back()[byte] = static_cast<char>(wrong.back()[byte] ^ 1);
    }
    // Whole, checksum and all, and yet not true: places that are no batches, wrong times, another batch's place.
    auto lying = *decode_index(bytes);
    for (auto& entry : lying.entries) entry.position += 61;
    wrong.push_back(encode_index(lying));
    lying = *decode_index(bytes);
    for (auto& entry : lying.entries) entry.base_timestamp = TimestampMs{0};
    wrong.push_back(encode_index(lying));
    lying = *decode_index(bytes);
    for (auto& entry : lying.entries) entry.base_timestamp = TimestampMs{INT64_MAX};
    wrong.push_back(encode_index(lying));
    lying = *decode_index(bytes);
    for (std::size_t i = 1; i < lying.entries.size(); ++i)
        std::swap(lying.entries[i - 1].position, lying.entries[i].position);
    wrong.push_back(encode_index(lying));
    for (std::size_t i = 0; i < wrong.size() && !testing::Test::HasFatalFailure(); ++i) {
        const auto when = fmt::format("wrong index {}", i);
        intact->sim.put(path, wrong[i]);
        const auto all = verified(*intact);
        ASSERT_EQ(all.faults.size(), 1U) << when;
        EXPECT_EQ(all.faults[0].path, path) << when;
        if (i % 20 == 0 || i + 6 > wrong.size()) expect_right_answers(*intact, times, when);
    }
    intact->sim.put(path, wrong.back());
    const auto repaired = repair(*intact);
    ASSERT_TRUE(repaired.ok());
    EXPECT_TRUE(repaired->places.empty());
    EXPECT_FALSE(intact->sim.contents(path)) << "a wrong index is removed";
    expect_right_answers(*intact, times, "repaired");
    EXPECT_TRUE(verified(*intact).faults.empty());
}

TEST(SegmentIndex, ThatCannotBeWrittenIsDoneWithout) {
    auto log = make_long_log();
    const auto times = times_of(*log);
    log->sim.fill_disk(true);
    expect_right_answers(*log, times, "full disk");
}

TEST(SegmentIndex, OfASegmentThatWasRepairedIsMadeAnew) {
    auto log = make_long_log();
    const auto times = times_of(*log);
    expect_right_answers(*log, times, "whole");
    const auto path = log->segments()[1];
    log->sim.flip_bit(path, 700'000, 1);
    ASSERT_TRUE(repair(*log).ok());
    const auto gone = expect_repaired(*log, "repaired");
    ASSERT_EQ(gone.size(), 20U);
    auto reader = std::move(open_reader(log->sim.env(), log->topics, log->topic)).value();
    for (std::int64_t offset = gone.back() + 1; offset < base_of(log->segments()[2]).value; offset += 31)
        EXPECT_EQ(*value_at(*reader, Offset{offset}), log->appended[static_cast<std::size_t>(offset)]);
    EXPECT_TRUE(verified(*log).faults.empty());
}

} // namespace
} // namespace questlog::log
