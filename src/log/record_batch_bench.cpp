#include "log/record_batch.h"

#include <benchmark/benchmark.h>
#include <string>

namespace questlog::log {
namespace {

const std::string event(185, 'e');

void fill(BatchBuilder& builder, std::int64_t events) {
    builder.begin(Offset{0});
    for (std::int64_t i = 0; i < events; ++i) builder.add(TimestampMs{1'577'880'000'000 + i / 50}, event);
}

void count_events(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * state.range(0));
    state.SetBytesProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(event.size()));
}

void add(benchmark::State& state) {
    BatchBuilder builder;
    for (auto _ : state) {
        fill(builder, state.range(0));
        benchmark::DoNotOptimize(builder.bytes());
    }
    count_events(state);
}

void add_and_seal(benchmark::State& state) {
    BatchBuilder builder;
    for (auto _ : state) {
        fill(builder, state.range(0));
        benchmark::DoNotOptimize(builder.seal().data());
    }
    count_events(state);
}

void check_crc(benchmark::State& state) {
    BatchBuilder builder;
    fill(builder, state.range(0));
    const auto batch = builder.seal();
    for (auto _ : state) benchmark::DoNotOptimize(batch_crc_ok(batch));
    count_events(state);
}

void walk(benchmark::State& state) {
    BatchBuilder builder;
    fill(builder, state.range(0));
    const auto batch = builder.seal();
    for (auto _ : state) {
        const auto header = parse_batch_header(batch);
        RecordCursor cursor(*header, batch.subspan(batch_header_bytes));
        Record record;
        while (*cursor.next(record)) benchmark::DoNotOptimize(record.value.data());
    }
    count_events(state);
}

BENCHMARK(add)->Arg(1)->Arg(64)->Arg(1000);
BENCHMARK(add_and_seal)->Arg(1)->Arg(64)->Arg(1000);
BENCHMARK(check_crc)->Arg(64)->Arg(1000);
BENCHMARK(walk)->Arg(64)->Arg(1000);

} // namespace
} // namespace questlog::log
