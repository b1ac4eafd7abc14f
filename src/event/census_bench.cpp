// What one event of about 185 bytes costs: full validation with schema inference, and decoding into cells.
#include "event/census.h"
#include "event/row_decoder.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <string>
#include <vector>

namespace questlog::event {
namespace {

constexpr std::string_view event_types[] = {"default", "purchase_sword", "purchase_knife", "join_guild"};

/// Events of four types as the collector stores them, each followed by padding.
struct Events {
    std::string bytes;
    std::vector<std::string_view> values;

    Events() {
        std::vector<std::pair<std::size_t, std::size_t>> places;
        for (int i = 0; i < 10'000; ++i) {
            const std::size_t begin = bytes.size();
            bytes += fmt::format(
                R"({{"event_type": "{}", "user": {}, "price": {}.25, "online": {}, "Host": "user{}.comcast.com", )"
                R"("User-Agent": "ApacheBench/2.3", "Accept": "*/*", "X-Session": "{:016x}"}})",
                event_types[(i * 7 + i / 3) % 4], i % 500, i % 90, i % 2 == 0, i % 7, i * 0x9e3779b97f4a7c15U);
            places.emplace_back(begin, bytes.size() - begin);
            bytes.append(json_padding_bytes, ' ');
        }
        for (const auto& [begin, size] : places) values.push_back(std::string_view(bytes).substr(begin, size));
    }
};

const Events& events() {
    static const Events made;
    return made;
}

void count(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events().values.size()));
}

void census(benchmark::State& state) {
    for (auto _ : state) {
        Census seen;
        for (const std::string_view value : events().values) benchmark::DoNotOptimize(seen.observe(value));
    }
    count(state);
}
BENCHMARK(census);

void decode(benchmark::State& state) {
    Census seen;
    for (const std::string_view value : events().values) seen.observe(value);
    RowDecoder decoder(seen.schema(0));
    std::vector<Cell> cells(seen.schema(0).size());
    for (auto _ : state)
        for (const std::string_view value : events().values) benchmark::DoNotOptimize(decoder.decode(value, cells));
    count(state);
}
BENCHMARK(decode);

void read_event_type(benchmark::State& state) {
    std::string type;
    for (auto _ : state)
        for (const std::string_view value : events().values) benchmark::DoNotOptimize(event_type_of(value, type));
    count(state);
}
BENCHMARK(read_event_type);

} // namespace
} // namespace questlog::event
