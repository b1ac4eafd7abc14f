#include "http/answer.h"
#include "http/request_parser.h"

#include <benchmark/benchmark.h>
#include <cstring>
#include <string>

namespace {

using namespace questlog::http;

/// What ab sends, `pipelined` at a time: bytes to requests to answers, without sockets.
void parse_and_answer(benchmark::State& state) {
    std::string bytes;
    for (int i = 0; i < state.range(0); ++i)
        bytes += "GET /purchase_a_sword HTTP/1.1\r\nHost: user1.comcast.com\r\nUser-Agent: ApacheBench/2.3\r\n"
                 "Accept: */*\r\n\r\n";
    const ServerOptions options;
    RequestParser parser(options);
    const AnswerWriter writer("questlog");
    std::string out;
    std::int64_t requests = 0;
    for (auto _ : state) {
        const auto space = parser.space();
        const std::size_t count = std::min(bytes.size(), space.size());
        std::memcpy(space.data(), bytes.data(), count);
        parser.received(count);
        while (parser.next() == RequestParser::Progress::whole) {
            writer.append(out, {.body = "Sword Purchased!\n"}, {});
            ++requests;
        }
        benchmark::DoNotOptimize(out.data());
        out.clear();
    }
    state.SetItemsProcessed(requests);
}
BENCHMARK(parse_and_answer)->Arg(1)->Arg(16);

} // namespace
