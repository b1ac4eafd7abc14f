// Every codec that Kafka knows, as other programs write it and as we do: tests/golden/codecs holds the same batch in
// each.
#include "log/batch_codec.h"

#include "base/big_endian.h"
#include "base/limits.h"
#include "log/simulated_log.h"

#include <filesystem>
#include <fstream>
#include <set>

namespace questlog::log {
namespace {

namespace fs = std::filesystem;

const fs::path golden_codecs = fs::path(QUESTLOG_SOURCE_DIR) / "tests/golden/codecs";
constexpr int golden_records = 200;

std::vector<std::byte> golden_batch(const std::string& name) {
    std::ifstream file(golden_codecs / name, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto bytes = std::as_bytes(std::span(text));
    return {bytes.begin(), bytes.end()};
}

std::string golden_value(int n) {
    const std::array kinds{"purchase_sword", "join_guild", "default"};
    return fmt::format(R"({{"event_type": "{}", "n": {}, "Host": "user{}.comcast.com", "Accept": "*/*"}})",
                       kinds[static_cast<std::size_t>(n % 3)], n, n % 7);
}

void expect_golden_records(const BatchHeader& header, std::span<const std::byte> records, const std::string& name) {
    RecordCursor cursor(header, records);
    Record record;
    for (int n = 0; n < golden_records; ++n) {
        const auto more = cursor.next(record);
        ASSERT_TRUE(more.ok() && *more) << name << " record " << n;
        ASSERT_EQ(record.value, golden_value(n)) << name;
        ASSERT_EQ(record.offset, header.base_offset.plus(n)) << name;
        ASSERT_EQ(record.timestamp, TimestampMs{1'577'880'000'000 + n}) << name;
        ASSERT_EQ(record.key.has_value(), n % 5 == 0) << name;
        ASSERT_EQ(record.header_count, n == 7 ? 1 : 0) << name;
    }
    const auto more = cursor.next(record);
    ASSERT_TRUE(more.ok() && !*more) << name;
}

const std::vector<std::pair<std::string, Codec>>& goldens() {
    static const std::vector<std::pair<std::string, Codec>> all{
        {"none.batch", Codec::none},
        {"gzip.batch", Codec::gzip},
        {"gzip_two_members.batch", Codec::gzip},
        {"snappy.batch", Codec::snappy},
        {"snappy_xerial.batch", Codec::snappy},
        {"lz4.batch", Codec::lz4},
        {"lz4_streamed.batch", Codec::lz4},
        {"zstd.batch", Codec::zstd},
        {"zstd_streamed.batch", Codec::zstd},
    };
    return all;
}

TEST(BatchCodec, ReadsEveryGoldenBatch) {
    BatchDecompressor decompressor;
    for (const auto& [name, codec] : goldens()) {
        const auto batch = golden_batch(name);
        const auto header = parse_batch_header(batch);
        ASSERT_TRUE(header.ok()) << name << ": " << header.error().message;
        ASSERT_EQ(header->codec, codec) << name;
        ASSERT_TRUE(batch_crc_ok(batch)) << name;
        const auto records = decompressor.records(*header, batch);
        ASSERT_TRUE(records.ok()) << name << ": " << records.error().message;
        expect_golden_records(*header, *records, name);
    }
}

TEST(BatchCodec, WritesBatchesThatDifferInRecordsCodecLengthAndCrcAlone) {
    const auto plain = golden_batch("none.batch");
    const auto header = parse_batch_header(plain).value();
    for (const auto kind : {Compression::lz4, Compression::zstd}) {
        const std::string name = kind == Compression::lz4 ? "lz4.batch" : "zstd.batch";
        BatchCompressor compressor(kind);
        const auto batch = compressor.compress(header, plain);
        ASSERT_LT(batch.size(), plain.size() / 3) << name;
        ASSERT_TRUE(batch_crc_ok(batch)) << name;
        const auto written = parse_batch_header(batch).value();
        EXPECT_EQ(written.bytes(), static_cast<std::int64_t>(batch.size()));
        for (std::size_t i = 0; i < batch_header_bytes; ++i) {
            const bool changes = (i >= 8 && i < 12) || (i >= 17 && i < 23);
            EXPECT_TRUE(changes || batch[i] == plain[i]) << name << " byte " << i;
        }
        BatchDecompressor decompressor;
        expect_golden_records(written, decompressor.records(written, batch).value(), name);
        EXPECT_EQ(compressor.compress(written, batch).data(), batch.data()) << "what is compressed stays as it is";
        if (!fs::exists(golden_codecs / name)) {
            const auto aside = fs::path(testing::TempDir()) / name;
            std::ofstream(aside, std::ios::binary)
                .write(reinterpret_cast<const char*>(batch.data()), static_cast<std::streamsize>(batch.size()));
            ADD_FAILURE() << "no golden batch; what is written now lies in " << aside;
        }
    }
}

TEST(BatchCodec, RefusesCountsThatTheRecordsCannotHold) {
    auto batch = golden_batch("zstd.batch");
    auto header = parse_batch_header(batch).value();
    header.record_count = header.last_offset_delta + 1 + 100'000;
    BatchDecompressor decompressor;
    EXPECT_EQ(decompressor.records(header, batch).error().kind, ErrorKind::corrupt);
}

/// A batch of one event whose records are replaced by `kind`'s compression of so many zeros.
std::vector<std::byte> bomb(Compression kind, std::size_t bytes, Offset base) {
    BatchBuilder builder;
    builder.begin(base);
    builder.add(TimestampMs{1}, "event");
    const auto sealed = builder.seal();
    std::vector<std::byte> batch(sealed.begin(), sealed.begin() + batch_header_bytes);
    Compressor compressor(kind);
    const auto stored = compressor.compress(std::vector<std::byte>(bytes), batch, batch_header_bytes);
    batch.resize(batch_header_bytes + stored);
    reseal_batch(batch, kind == Compression::lz4 ? Codec::lz4 : Codec::zstd);
    return batch;
}

TEST(CompressedLog, ABombIsRefusedWithItsPlaceAndTheLimitNamed) {
    for (const auto kind : {Compression::lz4, Compression::zstd}) {
        SimulatedLog log(1);
        ASSERT_TRUE(log.open().ok() && log.commit(1).ok());
        auto& partition = log.writer->partition(Partition{0});
        const auto batch = bomb(kind, limits::decompressed_batch_bytes_max + 1, Offset{1});
        ASSERT_TRUE(partition.append(batch).ok() && partition.sync().ok());
        const auto read = log.read_all();
        ASSERT_FALSE(read.ok());
        EXPECT_EQ(read.error().kind, ErrorKind::corrupt);
        EXPECT_NE(read.error().message.find("(offset 1)"), std::string::npos) << read.error().message;
        EXPECT_NE(read.error().message.find(std::to_string(limits::decompressed_batch_bytes_max)), std::string::npos)
            << read.error().message;
    }
}

TEST(CompressedLog, EveryGoldenBatchIsReadAndFetchedFromALog) {
    SimulatedLog log(1);
    ASSERT_TRUE(log.open().ok());
    auto& writer = log.writer->partition(Partition{0});
    for (const auto& [name, codec] : goldens()) {
        auto batch = golden_batch(name);
        store_big_endian(batch.data(), writer.next_offset().value); // as a broker does: the CRC does not cover it
        ASSERT_TRUE(writer.append(batch).ok() && writer.sync().ok()) << name;
    }
    const auto reader = open_reader(log.sim.env(), log.topics, log.topic).value();
    auto& partition = reader->partition(Partition{0});
    const auto cursor = partition.read(Offset{0}, partition.end_offset().value()).value();
    const auto fetcher = partition.fetcher().value();
    Batch batch;
    for (const auto& [name, codec] : goldens()) {
        ASSERT_TRUE(*cursor->next(batch)) << name;
        ASSERT_EQ(batch.header.codec, codec);
        expect_golden_records(batch.header, batch.records, name);
        RecordCursor records(batch.header, batch.records);
        Record record;
        for (int n = 0; n < golden_records; ++n) {
            const auto position = records.position();
            ASSERT_TRUE(*records.next(record));
            ASSERT_EQ(fetcher->fetch(batch.address(), position)->value, golden_value(n)) << name;
        }
    }
    ASSERT_FALSE(*cursor->next(batch));
}

class CompressedLogTest : public testing::TestWithParam<Compression> {
protected:
    CompressedLogTest() { log_.compression = GetParam(); }
    SimulatedLog log_{7};
};
INSTANTIATE_TEST_SUITE_P(Codecs, CompressedLogTest, testing::Values(Compression::lz4, Compression::zstd));

TEST_P(CompressedLogTest, IsSmallerAndHoldsTheSame) {
    ASSERT_TRUE(log_.open().ok());
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(log_.commit(1 + i % 30, 800).ok());
    EXPECT_EQ(log_.read_all().value(), log_.appended);
    std::size_t values = 0;
    for (const auto& value : log_.appended) values += value.size();
    const auto reader = open_reader(log_.sim.env(), log_.topics, log_.topic).value();
    EXPECT_LT(*reader->partition(Partition{0}).bytes(), static_cast<std::int64_t>(values / 3));
    log_.power_cut();
    log_.expect_kept("after a power cut");
    ASSERT_TRUE(log_.open().ok() && log_.commit(3).ok());
    EXPECT_EQ(log_.read_all().value(), log_.appended);
}

TEST_P(CompressedLogTest, ABatchThatDoesNotShrinkIsStoredAsItIs) {
    ASSERT_TRUE(log_.open().ok());
    std::mt19937_64 random(3); // NOLINT: a fixed seed is the point
    std::string noise(300, ' ');
    for (char& c : noise) c = static_cast<char>(random());
    auto& writer = log_.writer->partition(Partition{0});
    BatchBuilder builder;
    builder.begin(Offset{0});
    builder.add(TimestampMs{1}, noise);
    const auto sealed = builder.seal();
    ASSERT_TRUE(writer.append(sealed).ok() && writer.sync().ok());
    const auto stored = *log_.sim.contents(log_.segments().front());
    EXPECT_EQ(stored.substr(0, sealed.size()),
              std::string(reinterpret_cast<const char*>(sealed.data()), sealed.size()));
}

TEST_P(CompressedLogTest, ABatchIsDecompressedOnceForAllRecordsFetchedInARow) {
    ASSERT_TRUE(log_.open().ok());
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(log_.commit(50, 400).ok());
    const auto reader = open_reader(log_.sim.env(), log_.topics, log_.topic).value();
    auto& partition = reader->partition(Partition{0});
    std::vector<std::pair<BatchAddress, std::uint32_t>> addresses;
    const auto cursor = partition.read(Offset{0}, partition.end_offset().value()).value();
    Batch batch;
    while (*cursor->next(batch)) {
        RecordCursor records(batch.header, batch.records);
        Record record;
        for (auto position = records.position(); *records.next(record); position = records.position())
            addresses.emplace_back(batch.address(), position);
    }
    const auto fetcher = partition.fetcher().value();
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const auto record = fetcher->fetch(addresses[i].first, addresses[i].second);
        ASSERT_TRUE(record.ok()) << record.error().message;
        ASSERT_EQ(record->value, log_.appended[i]);
        const_cast<char&>(record->value.back()) = '!'; // a mark that decompressing again would take away
        const auto& [batch_address, position] = addresses[i - i % 50]; // the batch's first
        ASSERT_EQ(fetcher->fetch(batch_address, position)->value.back(), '!');
    }
    const auto another = partition.fetcher().value();
    for (std::size_t i = addresses.size(); i-- > 0; i -= std::min<std::size_t>(i, 36)) // across batches, backwards
        ASSERT_EQ(another->fetch(addresses[i].first, addresses[i].second)->value, log_.appended[i]);
}

TEST_P(CompressedLogTest, AWholeBatchBehindADamagedOneOfManyEventsIsFound) {
    SimulatedLog log(7, 1024 * 1024); // one segment
    log.compression = GetParam();
    ASSERT_TRUE(log.open().ok());
    auto& writer = log.writer->partition(Partition{0});
    BatchBuilder builder;
    const auto commit = [&](int events) {
        builder.begin(writer.next_offset());
        for (int i = 0; i < events; ++i) builder.add(TimestampMs{1}, "{}");
        ASSERT_TRUE(writer.append(builder.seal()).ok() && writer.sync().ok());
    };
    commit(1);
    const auto reader = open_reader(log.sim.env(), log.topics, log.topic).value();
    auto& partition = reader->partition(Partition{0});
    // The next batch's first bytes lie across two sectors: nothing can be told from them when it is damaged.
    while (*partition.bytes() % 512 < 501) commit(1);
    const auto damage_at = *partition.bytes() + static_cast<std::int64_t>(batch_header_bytes);
    const auto word = *log.sim.contents(durable_end_file(log.directory()));
    commit(20'000); // more offsets than bytes, once they are compressed
    commit(1);
    log.crash();
    log.sim.put(durable_end_file(log.directory()), word); // as a power cut may leave it
    log.sim.flip_bit(log.segments().front(), damage_at, 3);
    const auto opened = log.open();
    ASSERT_FALSE(opened.ok()) << "damage in the middle of the log was taken for a torn tail";
    EXPECT_EQ(opened.error().kind, ErrorKind::corrupt);
}

} // namespace
} // namespace questlog::log
