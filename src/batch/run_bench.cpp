// The reference's two-table job over a million events, against DuckDB's own read_json with typed columns doing the same
// from NDJSON. Compare CPU: `run_bench --benchmark_enable_random_interleaving=true --benchmark_repetitions=5`.
#include "batch/run.h"
#include "io/real_env.h"

#include <array>
#include <benchmark/benchmark.h>
#include <filesystem>
#include <fstream>
#include <random>

namespace questlog::batch {
namespace {

constexpr int events_in_log = 1'000'000;
constexpr int events_in_commit = 2'000;

std::string random_event(std::mt19937& random) {
    static constexpr std::array kinds{R"({"event_type": "default", )", R"({"event_type": "purchase_sword", )",
                                      R"({"event_type": "purchase_knife", "description": "very sharp knife", )",
                                      R"({"event_type": "join_guild", "description": "nice guild", )"};
    static constexpr std::array hosts{"user1.comcast.com", "user2.att.com"};
    return fmt::format(R"({}"Host": "{}", "User-Agent": "ApacheBench/2.3", "Accept": "*/*"}})",
                       kinds[random() % kinds.size()], hosts[random() % hosts.size()]);
}

/// The same events as a log and as NDJSON, in a directory that goes with it.
class Game {
public:
    Game() {
        directory_ = (std::filesystem::temp_directory_path() / "questlog-run-bench-XXXXXX").string();
        if (::mkdtemp(directory_.data()) == nullptr) std::abort();
        const log::Topic topic = topics().create("game-events", {}).value();
        auto writer = log::open_writer(env_.env(), topics(), topic, {}).value();
        log::PartitionWriter& partition = writer->partition(Partition{0});
        std::ofstream ndjson(ndjson_path());
        std::mt19937 random(7);
        log::BatchBuilder batch;
        for (int i = 0; i < events_in_log; i += events_in_commit) {
            batch.begin(partition.next_offset());
            for (int j = 0; j < events_in_commit; ++j) {
                const std::string event = random_event(random);
                batch.add(TimestampMs{1'533'411'407'000 + i / 10 + j / 10}, event);
                ndjson << event << '\n';
            }
            if (!partition.append(batch.seal()).ok()) std::abort();
        }
        if (!partition.sync().ok() || !writer->close().ok()) std::abort();
    }
    ~Game() { std::filesystem::remove_all(directory_); }

    log::Topics topics() { return {env_.env(), directory_ + "/log"}; }
    [[nodiscard]] std::string ndjson_path() const { return directory_ + "/events.ndjson"; }

    io::RealEnv env_;
    std::string directory_;
};

Game& game() {
    static Game made;
    return made;
}

void separate_events(benchmark::State& state) {
    Game& world = game();
    auto topics = world.topics();
    const auto reader = log::open_reader(world.env_.env(), topics, topics.find("game-events").value()).value();
    for (auto _ : state) {
        const auto database = duck::Database::open({}).value();
        lake::SnapshotStore store(world.env_.env(), world.directory_ + "/lake", database);
        const auto report = run_job({*reader, store, *database}, builtin_jobs("game-events").front(), {}, {});
        const Status made = report.ok() ? report->outcome() : report.error();
        if (!made.ok()) state.SkipWithError(made.error().message.c_str());
    }
    state.SetItemsProcessed(state.iterations() * events_in_log);
}

void read_json_to_copy(benchmark::State& state) {
    Game& world = game();
    for (auto _ : state) {
        const auto database = duck::Database::open({}).value();
        const auto connection = database->connect().value();
        for (const char* type : {"purchase_sword", "default"}) {
            const auto copied = connection->execute(fmt::format(
                "COPY (SELECT \"Accept\", 'no-cache' AS \"Cache-Control\", 'moe' AS \"Host\", \"User-Agent\", "
                "event_type "
                "FROM read_json('{}', format = 'newline_delimited', columns = {{'Accept': 'VARCHAR', 'Host': "
                "'VARCHAR', "
                "'User-Agent': 'VARCHAR', 'event_type': 'VARCHAR'}}) WHERE event_type = '{}') TO '{}/{}.parquet' "
                "(FORMAT parquet, COMPRESSION snappy)",
                world.ndjson_path(), type, world.directory_, type));
            if (!copied.ok()) state.SkipWithError(copied.error().message.c_str());
        }
    }
    state.SetItemsProcessed(state.iterations() * events_in_log);
}

BENCHMARK(separate_events)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
BENCHMARK(read_json_to_copy)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();

} // namespace
} // namespace questlog::batch
