// A million events of 170 bytes, forwarded to the cluster that QUESTLOG_KAFKA names (HOST:PORT), to the topic that
// QUESTLOG_KAFKA_TOPIC names, which is made where it is missing; and how long one event takes where nothing else is
// sent.
#include "io/real_env.h"
#include "kafka/forwarder.h"

#include <algorithm>
#include <benchmark/benchmark.h>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <random>

namespace questlog::kafka {
namespace {

/// A log of its own, and a forwarder of it.
class Run {
public:
    explicit Run(const char* cluster)
        : directory_(std::filesystem::temp_directory_path() / "questlog-forwarder-bench") {
        std::filesystem::remove_all(directory_);
        log::Topics topics(real_.env(), (directory_ / "log").string());
        const auto topic = std::move(topics.create("bench", {1, {}})).value();
        writer_ = std::move(log::open_writer(real_.env(), topics, topic, {})).value();
        reader_ = std::move(log::open_reader(real_.env(), topics, topic)).value();
        options_.cluster.bootstrap = cluster;
        const char* name = std::getenv("QUESTLOG_KAFKA_TOPIC");
        options_.topic = name == nullptr ? "questlog-bench" : name;
        options_.directory = (directory_ / "kafka").string();
    }
    ~Run() {
        forwarder_.reset();
        reader_.reset();
        writer_.reset();
        std::filesystem::remove_all(directory_);
    }
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

    void commit(int events) {
        auto& writer = writer_->partition(Partition{0});
        builder_.begin(writer.next_offset());
        for (int i = 0; i < events; ++i) builder_.add(TimestampMs{1'577'880'000'000 + i / 50}, event());
        if (!writer.append(builder_.seal()).ok() || !writer.sync().ok()) std::abort();
        end_ = writer.next_offset();
        if (forwarder_) forwarder_->wake();
    }
    void start() {
        forwarder_ = std::make_unique<Forwarder>(options_, real_.env(), *reader_);
        forwarder_->on_acknowledged = [this](const std::vector<Offset>& ends) {
            const std::lock_guard lock(mutex_);
            arrived_ = ends[0];
            changed_.notify_all();
        };
        forwarder_->begin();
    }
    void await_all() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return arrived_ == end_; });
    }

private:
    /// What the collector stores of a game's event: little of it differs from event to event.
    std::string_view event() {
        event_ = fmt::format(R"({{"Host": "user{}.comcast.com", "event_type": "purchase_sword", "Accept": "*/*", )"
                             R"("User-Agent": "ApacheBench/2.3", "message_id": "{:016x}", "price": {}}})",
                             random_() % 1000, random_(), random_() % 100);
        return event_;
    }

    io::RealEnv real_;
    std::filesystem::path directory_;
    std::unique_ptr<log::LogWriter> writer_;
    std::unique_ptr<log::LogReader> reader_;
    log::BatchBuilder builder_;
    std::mt19937_64 random_{7};
    std::string event_;
    ForwarderOptions options_;
    std::unique_ptr<Forwarder> forwarder_;
    Offset end_;
    Offset arrived_;
    std::mutex mutex_;
    std::condition_variable changed_;
};

void forward_a_million(benchmark::State& state) {
    const char* cluster = std::getenv("QUESTLOG_KAFKA");
    if (cluster == nullptr) return state.SkipWithError("QUESTLOG_KAFKA names no cluster");
    for (auto _ : state) {
        state.PauseTiming();
        Run run(cluster);
        run.start();
        run.commit(1);
        run.await_all(); // connected
        state.ResumeTiming();
        for (int i = 0; i < 1'000; ++i) run.commit(1'000);
        run.await_all();
    }
    state.SetItemsProcessed(state.iterations() * 1'000'000);
}

/// The log is there already; the start, without a checkpoint, is a part of it.
void forward_a_backlog(benchmark::State& state) {
    const char* cluster = std::getenv("QUESTLOG_KAFKA");
    if (cluster == nullptr) return state.SkipWithError("QUESTLOG_KAFKA names no cluster");
    for (auto _ : state) {
        state.PauseTiming();
        Run run(cluster);
        for (int i = 0; i < 1'000; ++i) run.commit(1'000);
        state.ResumeTiming();
        run.start();
        run.await_all();
    }
    state.SetItemsProcessed(state.iterations() * 1'000'000);
}

void forward_one(benchmark::State& state) {
    const char* cluster = std::getenv("QUESTLOG_KAFKA");
    if (cluster == nullptr) return state.SkipWithError("QUESTLOG_KAFKA names no cluster");
    Run run(cluster);
    run.start();
    for (auto _ : state) {
        run.commit(1);
        run.await_all();
    }
}

BENCHMARK(forward_a_million)->Unit(benchmark::kMillisecond)->UseRealTime()->MeasureProcessCPUTime()->Iterations(1);
BENCHMARK(forward_a_backlog)->Unit(benchmark::kMillisecond)->UseRealTime()->MeasureProcessCPUTime()->Iterations(1);
BENCHMARK(forward_one)->Unit(benchmark::kMicrosecond)->UseRealTime()->MeasureProcessCPUTime()->Iterations(500);

} // namespace
} // namespace questlog::kafka
