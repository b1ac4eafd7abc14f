// POST /events: what a body costs to split and to check in full.
#include "event/envelope.h"
#include "event/padded_json.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace questlog::event {
namespace {

/// 1,000 events, 198 KB.
std::vector<std::string> thousand_events() {
    std::vector<std::string> events;
    for (int i = 0; i < 1000; ++i)
        events.push_back(fmt::format(
            R"({{"event_type": "{}", "player": "player-{:06}", "level": {}, "price": {}.5, )"
            R"("Host": "user1.comcast.com", "User-Agent": "ApacheBench/2.3", "Accept": "*/*", "note": "{}"}})",
            i % 2 == 0 ? "purchase_sword" : "default", i, i % 60, i % 100, std::string(28, 'x')));
    return events;
}

void parse_body(benchmark::State& state, std::string_view opening, std::string_view separator,
                std::string_view closing) {
    const PaddedJson body(fmt::format("{}{}{}", opening, fmt::join(thousand_events(), separator), closing));
    IntakeParser parser;
    for (auto _ : state) {
        const auto parsed = parser.parse(body.view());
        if (!parsed.ok() || parsed.value()->accepted.size() != 1000) state.SkipWithError("not all accepted");
    }
    state.SetItemsProcessed(state.iterations() * 1000);
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.view().size()));
}

void parse_body_with_headers(benchmark::State& state) {
    const std::vector<HeaderView> headers{{"Host", "game"}, {"User-Agent", "ApacheBench/2.3"}, {"Accept", "*/*"}};
    const PaddedJson body(fmt::format("{}", fmt::join(thousand_events(), "\n")));
    IntakeParser parser;
    for (auto _ : state) {
        const auto parsed = parser.parse(body.view(), HeaderSelection(headers, {}));
        if (!parsed.ok() || parsed.value()->accepted.size() != 1000) state.SkipWithError("not all accepted");
    }
    state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(parse_body_with_headers)->Unit(benchmark::kMicrosecond);

BENCHMARK_CAPTURE(parse_body, ndjson, "", "\n", "\n")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(parse_body, array, "[", ",", "]")->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(parse_body, array_over_lines, "[\n", ",\n", "\n]")->Unit(benchmark::kMicrosecond);

} // namespace
} // namespace questlog::event
