// Declared calls: what one event costs between the parsed request and the batch.
#include "event/envelope.h"
#include "event/padded_json.h"

#include <benchmark/benchmark.h>

namespace questlog::event {
namespace {

const std::vector<HeaderView> ab{{"Host", "user1.comcast.com"}, {"User-Agent", "ApacheBench/2.3"}, {"Accept", "*/*"}};
const std::vector<HeaderView> browser{
    {"Host", "game.example.com"},
    {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
    {"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
    {"Accept-Language", "en-US,en;q=0.5"},
    {"Accept-Encoding", "gzip, deflate, br"},
    {"Connection", "keep-alive"},
    {"X-Request-Id", "5f0c3a9e-6b1c-4c7e-9a3e-2f1f0d9b7a11"},
};

void write_events(benchmark::State& state, std::string_view query, std::string_view body,
                  const std::vector<HeaderView>& headers) {
    const Catalogue game = Catalogue::make(Catalogue::builtin()).value();
    const EventDeclaration& call = *game.find("/purchase_a_sword");
    const PaddedJson padded(body);
    Envelope envelope;
    std::string out;
    for (auto _ : state) {
        out.clear();
        if (!envelope.write(call, query, body.empty() ? std::string_view() : padded.view(), headers, out).ok())
            state.SkipWithError("rejected");
        benchmark::DoNotOptimize(out.data());
    }
    state.SetItemsProcessed(state.iterations());
}

BENCHMARK_CAPTURE(write_events, ab_3_headers, "", "", ab);
BENCHMARK_CAPTURE(write_events, browser_7_headers, "", "", browser);
BENCHMARK_CAPTURE(write_events, query_2_fields, "weapon=big+sword&level=7", "", ab);
BENCHMARK_CAPTURE(write_events, json_body_4_fields, "", R"({"weapon":"sword","level":7,"price":1.5,"tags":["a","b"]})",
                  ab);

} // namespace
} // namespace questlog::event
