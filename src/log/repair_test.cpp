// Repair gives up what is damaged and nothing else, and says what that was.
#include "base/big_endian.h"
#include "base/crc32c.h"
#include "log/damaged_log.h"

namespace questlog::log {
namespace {

struct Place {
    std::int64_t position = 0;
    std::int64_t bytes = 0;
    std::int64_t first = 0; ///< Offset.
    std::int64_t count = 0;
};

/// The batches of a segment, found without the code under test.
std::vector<Place> batches_of(const std::string& bytes) {
    std::vector<Place> batches;
    const auto* data = reinterpret_cast<const std::byte*>(bytes.data());
    for (std::size_t at = 0; at + batch_header_bytes <= bytes.size();) {
        Place place;
        place.position = static_cast<std::int64_t>(at);
        place.first = load_big_endian<std::int64_t>(data + at);
        place.bytes = std::int64_t{load_big_endian<std::int32_t>(data + at + 8)} + 12;
        place.count = std::int64_t{load_big_endian<std::int32_t>(data + at + 23)} + 1;
        if (place.bytes <= 12) break;
        batches.push_back(place);
        at += static_cast<std::size_t>(place.bytes);
    }
    return batches;
}

/// Of the last batch, zeros at its end are not told from those filled ahead.
std::string without_zeros(const std::string& bytes) {
    return bytes.substr(0, bytes.find_last_not_of('\0') + 1);
}

void flip_anywhere(bool closed) {
    const auto paths = make_log(closed)->segments();
    ASSERT_GE(paths.size(), 3U);
    for (const auto& path : paths) {
        const auto intact = *make_log(closed)->sim.contents(path);
        for (const Place& batch : batches_of(intact)) {
            for (std::int64_t byte = 0; byte < batch.bytes && !testing::Test::HasFailure(); byte += closed ? 1 : 5) {
                auto log = make_log(closed);
                const auto when = fmt::format("{} byte {}", path, batch.position + byte);
                log->sim.flip_bit(path, batch.position + byte, static_cast<unsigned>(byte % 8));
                const bool told = !verified(*log).faults.empty();
                EXPECT_EQ(told, !(byte >= 12 && byte < 16)) << when << ": all but the leader epoch is told";
                const auto done = repair(*log);
                ASSERT_TRUE(done.ok()) << when << ": " << done.error().message;
                EXPECT_EQ(done->places.size(), told ? 1U : 0U) << when;
                std::vector<std::int64_t> batch_alone;
                if (told)
                    for (std::int64_t i = 0; i < batch.count; ++i) batch_alone.push_back(batch.first + i);
                EXPECT_EQ(expect_repaired(*log, when), batch_alone) << when;
                if (!told) continue;
                const auto kept = log->sim.contents(log->directory() + "/" + done->places[0].hole.set_aside);
                auto damaged =
                    intact.substr(static_cast<std::size_t>(batch.position), static_cast<std::size_t>(batch.bytes));
                damaged[static_cast<std::size_t>(byte)] ^= static_cast<char>(1U << (byte % 8));
                ASSERT_TRUE(kept) << when;
                EXPECT_EQ(without_zeros(*kept), without_zeros(damaged)) << when;
            }
        }
    }
}

TEST(Repair, OneFlippedBitCostsItsBatchAndKeepsItsBytes) {
    flip_anywhere(true);
}
TEST(Repair, OneFlippedBitAfterAKillCostsItsBatchToo) {
    flip_anywhere(false);
}

TEST(Repair, ASoundLogIsLeftAlone) {
    for (const bool closed : {true, false}) {
        auto log = make_log(closed);
        const auto before = files_of(*log);
        EXPECT_TRUE(verified(*log).faults.empty());
        EXPECT_EQ(files_of(*log), before) << "to verify changes nothing";
        const auto done = repair(*log);
        ASSERT_TRUE(done.ok());
        EXPECT_TRUE(done->places.empty());
        EXPECT_TRUE(expect_repaired(*log, "sound").empty());
        EXPECT_FALSE(log->sim.contents(holes_file(log->directory())));
    }
}

TEST(Repair, ADryRunTellsTheSameAndChangesNothing) {
    auto log = make_log(true);
    log->sim.flip_bit(log->segments()[1], 70, 3);
    const auto before = files_of(*log);
    const auto told = repair(*log, true);
    ASSERT_TRUE(told.ok());
    EXPECT_EQ(files_of(*log), before);
    const auto done = repair(*log);
    ASSERT_EQ(told->places.size(), 1U);
    ASSERT_EQ(done->places.size(), 1U);
    EXPECT_EQ(done->places[0].hole, told->places[0].hole);
}

TEST(Repair, IsRefusedWhileAWriterLives) {
    SimulatedLog log(1);
    ASSERT_TRUE(log.open().ok());
    EXPECT_EQ(repair(log).error().kind, ErrorKind::retry_later);
    ASSERT_TRUE(log.close().ok());
    EXPECT_TRUE(repair(log).ok());
}

TEST(Repair, ASegmentThatWasCutShortOrIsMissingBecomesAHole) {
    for (const bool closed : {true, false}) {
        for (std::size_t which = 0; which < make_log(closed)->segments().size(); ++which) {
            const auto path = make_log(closed)->segments()[which];
            const auto size = static_cast<std::int64_t>(make_log(closed)->sim.contents(path)->size());
            for (std::int64_t cut = -1; cut < size && !testing::Test::HasFailure(); cut += 37) {
                auto log = make_log(closed);
                const auto when = fmt::format("{} cut at {}", path, cut);
                if (cut < 0)
                    log->sim.remove(path);
                else
                    log->sim.shorten(path, cut);
                const auto done = repair(*log);
                ASSERT_TRUE(done.ok()) << when << ": " << done.error().message;
                const auto gone = expect_repaired(*log, when);
                for (const auto offset : gone) EXPECT_LT(offset, 24) << when << ": no offset is made up";
            }
        }
    }
}

TEST(Repair, AWholePartitionThatIsGoneKeepsItsOffsets) {
    auto log = make_log(true);
    for (const auto& path : log->segments()) log->sim.remove(path);
    ASSERT_TRUE(repair(*log).ok());
    EXPECT_EQ(expect_repaired(*log, "nothing left").size(), 24U);
}

TEST(Repair, AWrongDurableEndIsMadeFromTheLog) {
    for (const bool closed : {true, false}) {
        auto log = make_log(closed);
        log->sim.remove(durable_end_file(log->directory()));
        EXPECT_FALSE(verified(*log).faults.empty());
        ASSERT_TRUE(repair(*log).ok());
        EXPECT_TRUE(expect_repaired(*log, "missing").empty());
        log = make_log(closed);
        log->sim.shorten(durable_end_file(log->directory()), 3);
        ASSERT_TRUE(repair(*log).ok());
        EXPECT_TRUE(expect_repaired(*log, "short").empty());
    }
    for (int bit = 0; bit < 62; ++bit) {
        auto log = make_log(true);
        const auto when = fmt::format("bit {}", bit);
        log->sim.flip_bit(durable_end_file(log->directory()), bit / 8, static_cast<unsigned>(bit % 8));
        const auto done = repair(*log);
        if (done.ok()) {
            const auto gone = expect_repaired(*log, when);
            for (const auto offset : gone) EXPECT_GE(offset, 24) << when << ": only what never was can be gone";
            if (bit > 12) break; // the next ones cost millions of made-up offsets each
        }
    }
    auto log = make_log(true);
    log->sim.flip_bit(durable_end_file(log->directory()), 5, 1);
    const auto refused = repair(*log);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::corrupt);
    EXPECT_NE(refused.error().message.find("remove " + durable_end_file(log->directory())), std::string::npos);
    log->sim.remove(durable_end_file(log->directory()));
    ASSERT_TRUE(repair(*log).ok());
    EXPECT_TRUE(expect_repaired(*log, "as the message says").empty());
}

TEST(Repair, ARecordThatIsDamagedOrGoneIsMadeFromTheHoles) {
    for (const bool remove : {true, false}) {
        auto log = make_log(true);
        log->sim.flip_bit(log->segments()[1], 70, 3);
        ASSERT_TRUE(repair(*log).ok());
        const auto before = *read_holes(log->sim.env().files, log->directory());
        ASSERT_EQ(before.size(), 1U);
        if (remove)
            log->sim.remove(holes_file(log->directory()));
        else
            log->sim.flip_bit(holes_file(log->directory()), 30, 1);
        EXPECT_EQ(verified(*log).faults.size(), 1U);
        ASSERT_TRUE(repair(*log).ok());
        EXPECT_EQ(expect_repaired(*log, "record").size(), 3U);
        EXPECT_EQ((*read_holes(log->sim.env().files, log->directory()))[0].from, before[0].from);
    }
}

TEST(Repair, ARecordOfANewerVersionIsRefused) {
    const auto text = encode_holes({});
    auto newer = text.substr(0, text.find("crc32c"));
    newer.replace(newer.find("version = 1"), 11, "version = 2");
    newer += fmt::format("crc32c = {:08x}\n", crc32c(newer));
    const auto decoded = decode_holes(newer, "holes");
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().kind, ErrorKind::reject);
    EXPECT_NE(decoded.error().message.find("version 2"), std::string::npos);
}

TEST(Repair, TheSamePlaceDamagedAgainKeepsBothFiles) {
    auto log = make_log(true);
    const auto path = log->segments()[1];
    log->sim.flip_bit(path, 70, 3);
    ASSERT_TRUE(repair(*log).ok());
    log->sim.flip_bit(path, 30, 3); // in the hole
    const auto again = repair(*log);
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(again->places.size(), 1U);
    EXPECT_TRUE(again->places[0].hole.set_aside.ends_with(".log.damaged-0.2")) << again->places[0].hole.set_aside;
    EXPECT_EQ(expect_repaired(*log, "twice").size(), 3U);
}

TEST(Hole, OfMoreOffsetsThanABatchNamesIsSeveral) {
    const std::int64_t offsets = (std::int64_t{1} << 32) + 5;
    const auto bytes = hole_batches(Offset{7}, Offset{7 + offsets}, TimestampMs{3});
    ASSERT_EQ(bytes.size(), 3 * batch_header_bytes);
    Offset next{7};
    for (std::size_t at = 0; at < bytes.size(); at += batch_header_bytes) {
        const auto batch = std::span(bytes).subspan(at, batch_header_bytes);
        const auto header = parse_batch_header(batch);
        ASSERT_TRUE(header.ok()) << header.error().message;
        EXPECT_TRUE(is_hole(*header) && batch_crc_ok(batch));
        EXPECT_EQ(header->base_offset, next);
        next = header->end_offset();
    }
    EXPECT_EQ(next, Offset{7 + offsets});
}

} // namespace
} // namespace questlog::log
