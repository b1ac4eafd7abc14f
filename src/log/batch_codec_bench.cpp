#include "log/batch_codec.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <string>

/// Bytes in the log and CPU per event, by compression and by how many events a commit has: the reference's calls as
/// `ab` makes them (each type's events are all alike), and events whose fields differ.
namespace questlog::log {
namespace {

enum Events : std::int64_t { alike, different };

std::string event(std::int64_t i, std::int64_t events) {
    static constexpr std::array types{"default", "purchase_sword", "purchase_knife", "join_guild"};
    const auto head = fmt::format(R"({{"event_type": "{}", "Host": "user{}.comcast.com", "User-Agent": )"
                                  R"("ApacheBench/2.3", "Accept": "*/*")",
                                  types[static_cast<std::size_t>(i % 4)], events == alike ? 1 : i % 7);
    if (events == alike) return head + "}";
    const auto scattered = static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15U;
    return head + fmt::format(R"(, "user_id": {}, "price": {}.25, "session": "{:016x}"}})", scattered % 500'000,
                              scattered % 90, scattered);
}

std::span<const std::byte> fill(BatchBuilder& builder, benchmark::State& state) {
    builder.begin(Offset{0});
    for (std::int64_t i = 0; i < state.range(1); ++i)
        builder.add(TimestampMs{1'577'880'000'000 + i / 50}, event(i, state.range(2)));
    return builder.seal();
}

void count(benchmark::State& state, std::size_t bytes) {
    state.SetItemsProcessed(state.iterations() * state.range(1));
    state.counters["bytes/event"] = static_cast<double>(bytes) / static_cast<double>(state.range(1));
}

void compress(benchmark::State& state) {
    BatchBuilder builder;
    const auto batch = fill(builder, state);
    const auto header = parse_batch_header(batch).value();
    BatchCompressor compressor(static_cast<Compression>(state.range(0)));
    std::size_t bytes = 0;
    for (auto _ : state) bytes = compressor.compress(header, batch).size();
    count(state, bytes);
}

void decompress(benchmark::State& state) {
    BatchBuilder builder;
    const auto batch = fill(builder, state);
    BatchCompressor compressor(static_cast<Compression>(state.range(0)));
    const auto stored = compressor.compress(parse_batch_header(batch).value(), batch);
    const auto header = parse_batch_header(stored).value();
    BatchDecompressor decompressor;
    for (auto _ : state) benchmark::DoNotOptimize(decompressor.records(header, stored).value().data());
    count(state, stored.size());
}

constexpr std::int64_t none = static_cast<std::int64_t>(Compression::none);
constexpr std::int64_t lz4 = static_cast<std::int64_t>(Compression::lz4);
constexpr std::int64_t zstd = static_cast<std::int64_t>(Compression::zstd);

BENCHMARK(compress)->ArgsProduct({{none, lz4, zstd}, {1, 8, 64, 1000}, {alike, different}});
BENCHMARK(decompress)->ArgsProduct({{lz4, zstd}, {8, 64, 1000}, {alike, different}});

} // namespace
} // namespace questlog::log
