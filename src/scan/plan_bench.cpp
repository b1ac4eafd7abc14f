// One million events of about 190 bytes (four types, one in a thousand malformed): what planning, landing and querying
// them cost, beside DuckDB's read_json with typed columns over the same events. CPU time of the process; one thread.
#include "io/real_env.h"
#include "log/event_log.h"
#include "scan/plan.h"

#include <benchmark/benchmark.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

namespace questlog::scan {
namespace {

constexpr std::int64_t events_in_log = 1'000'000;
constexpr std::int64_t events_in_batch = 1000;
constexpr std::string_view event_types[] = {"default", "purchase_sword", "purchase_knife", "join_guild"};
/// How many of ten events are of each type.
constexpr std::size_t type_of_ten[] = {0, 1, 0, 2, 0, 1, 3, 0, 1, 2};

std::string event_value(std::int64_t i) {
    if (i % 1000 == 999) return fmt::format(R"({{"event_type": "default", "user": {}, )", i);
    return fmt::format(
        R"({{"event_type": "{}", "Host": "user{}.comcast.com", "User-Agent": "ApacheBench/2.3", "Accept": "*/*", )"
        R"("user_id": {}, "price": {}.25, "premium": {}, "session": "{:016x}"}})",
        event_types[type_of_ten[static_cast<std::size_t>(i) % 10]], i % 7, i % 5000, i % 90, i % 3 == 0,
        static_cast<std::uint64_t>(i / 3) * 0x9e3779b97f4a7c15U);
}

/// The log and the same events as lines of JSON, in a folder that is removed at the end.
class World {
public:
    World() {
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_ / "log");
        std::ofstream lines(json_path());
        auto writer = log::open_writer(env_.env(), topics_, topics_.create("game-events", {}).value(), {}).value();
        log::PartitionWriter& partition = writer->partition(Partition{0});
        log::BatchBuilder batch;
        for (std::int64_t i = 0; i < events_in_log;) {
            batch.begin(partition.next_offset());
            for (std::int64_t end = i + events_in_batch; i < end; ++i) {
                const std::string value = event_value(i);
                batch.add(TimestampMs{1'795'384'733'873 + i / 10}, value);
                lines << value << '\n';
            }
            if (!partition.append(batch.seal()).ok()) std::abort();
        }
        if (!partition.sync().ok() || !writer->close().ok()) std::abort();
        writer.reset();
        reader = log::open_reader(env_.env(), topics_, topics_.find("game-events").value()).value();
        range = {{Partition{0}, Offset{0}, reader->partition(Partition{0}).end_offset().value()}};
        connection = duck::Database::open({}).value()->connect().value();
    }
    ~World() { std::filesystem::remove_all(folder_); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] std::string json_path() const { return folder_ / "events.ndjson"; }
    [[nodiscard]] std::string parquet_path() const { return folder_ / "table.parquet"; }

    /// Runs a statement to its end.
    void run(const std::string& sql) const {
        if (const Status done = connection->execute(sql); !done) {
            fmt::print(stderr, "{}\n{}\n", sql, done.error().message);
            std::abort();
        }
    }
    void land(const std::string& select) const {
        run(fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION snappy)", select,
                        duck::quote_literal(parquet_path())));
    }

private:
    std::filesystem::path folder_ = std::filesystem::temp_directory_path() / "questlog_plan_bench";
    io::RealEnv env_;
    log::Topics topics_{env_.env(), folder_ / "log"};

public:
    std::unique_ptr<log::LogReader> reader;
    LogRange range;
    std::unique_ptr<duck::Connection> connection;
};

World& world() {
    static World made;
    return made;
}

TableDeclaration table_of(std::string_view type) {
    TableDeclaration table;
    table.name = type;
    const SourcePosition nowhere;
    table.set.push_back({"Host", Expression::parse("'moe'", nowhere).value()});
    table.set.push_back({"Cache-Control", Expression::parse("'no-cache'", nowhere).value()});
    table.where = Expression::parse(fmt::format("event_type = '{}'", type), nowhere).value();
    return table;
}

void count(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * events_in_log);
}

void plan(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(Plan::make(*world().reader, world().range, {}).value());
    count(state);
}

/// The first `state.range(0)` types, each into its table.
void land_from_log(benchmark::State& state) {
    const auto tables = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        PlanOptions options;
        options.keep_types.assign(std::begin(event_types), std::begin(event_types) + tables);
        options.keep_all = false;
        const auto planned = Plan::make(*world().reader, world().range, options).value();
        for (std::size_t i = 0; i < tables; ++i)
            world().land(relate(*world().connection, *planned, table_of(event_types[i])).value().select);
    }
    count(state);
}

std::string typed_json() {
    return fmt::format(
        "read_json({}, format = 'newline_delimited', ignore_errors = true, columns = {{event_type: 'VARCHAR', "
        "Host: 'VARCHAR', \"User-Agent\": 'VARCHAR', Accept: 'VARCHAR', user_id: 'BIGINT', price: 'DOUBLE', "
        "premium: 'BOOLEAN', session: 'VARCHAR'}})",
        duck::quote_literal(world().json_path()));
}

void land_from_read_json(benchmark::State& state) {
    const auto tables = static_cast<std::size_t>(state.range(0));
    const std::string source = typed_json();
    for (auto _ : state)
        for (std::size_t i = 0; i < tables; ++i)
            world().land(fmt::format(
                "SELECT Accept, 'no-cache' AS \"Cache-Control\", 'moe' AS Host, \"User-Agent\", event_type, "
                "premium, price, session, user_id FROM {} WHERE event_type = '{}'",
                source, event_types[i]));
    count(state);
}

void query_events(benchmark::State& state, const std::string& sql) {
    const auto offered = world().connection->offer("events", events_source({{world().reader.get(), world().range}}));
    if (!offered) std::abort();
    for (auto _ : state) world().run(sql);
    count(state);
}

BENCHMARK(plan)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(land_from_log)->Arg(2)->Arg(4)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK(land_from_read_json)->Arg(2)->Arg(4)->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(query_events, count, "SELECT count(*) FROM events")
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(query_events, types, "SELECT event_type, count(*) FROM events GROUP BY event_type")
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime();

} // namespace
} // namespace questlog::scan
