// What a commit costs in a young table and in an old one, and opening the old one. On the file system of TMPDIR, with
// all its syncs: name a disk's.
#include "io/real_env.h"
#include "lake/delta_log.h"

#include <benchmark/benchmark.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

namespace questlog::lake {
namespace {

constexpr std::int64_t old_commits = 10'000;

DeltaCommit append(std::int64_t number) {
    DeltaCommit commit;
    commit.operation = "WRITE";
    DeltaFile file;
    file.path =
        fmt::format("date=2026-11-25/part-4L6g3nShT-eMCtK--X86sw-0-{}-{}.parquet", number * 500, number * 500 + 500);
    file.date = "2026-11-25";
    file.bytes = 12'345;
    file.modified_ms = 1'795'384'733'873 + number;
    file.rows = 500;
    file.stats =
        fmt::format(R"({{"numRecords":500,"minValues":{{"_timestamp":"2026-11-25T12:00:00.000Z","_offset":{0}}},)"
                    R"("maxValues":{{"_timestamp":"2026-11-25T12:00:09.999Z","_offset":{0}}}}})",
                    number * 500);
    commit.add.push_back(std::move(file));
    commit.transactions["questlog:4L6g3nShT-eMCtK--X86sw:0"] = number * 500 + 500;
    if (number == 0) {
        commit.metadata.emplace();
        commit.metadata->name = "purchase_sword";
        for (int i = 0; i < 12; ++i)
            commit.metadata->columns.push_back({fmt::format("column_{}", i), duck::ValueType::varchar});
    }
    return commit;
}

/// A table of some commits, one file each.
class Table {
public:
    explicit Table(std::int64_t commits, bool with_checkpoints) {
        std::string pattern = std::filesystem::temp_directory_path() / "questlog-delta-XXXXXX";
        folder_ = ::mkdtemp(pattern.data());
        database_ = duck::Database::open({}).value();
        connection_ = database_->connect().value();
        scratch_ = real_.env().files.scratch_directory(folder_).value();
        for (std::int64_t i = 0; i < commits; ++i) {
            if (!commit(i)) return;
            if (with_checkpoints && DeltaLog::due(state_.version) && !checkpoint()) return;
        }
    }
    ~Table() { std::filesystem::remove_all(folder_); }
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    [[nodiscard]] DeltaLog log() { return {real_.env(), folder_ + "/table", folder_ + "/staging"}; }
    bool commit(std::int64_t number) { return log().commit(state_, append(number)).value(); }
    bool checkpoint() { return log().checkpoint(*connection_, state_, scratch_ + "/checkpoint").ok(); }
    std::size_t open() { return log().open(*connection_).value()->files.size(); }
    [[nodiscard]] std::int64_t commits() const { return state_.version + 1; }

private:
    io::RealEnv real_;
    std::string folder_;
    std::string scratch_;
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> connection_;
    DeltaState state_;
};

Table& old_table() {
    static Table table(old_commits, true);
    return table;
}

void commit(benchmark::State& state, Table& table) {
    for (auto _ : state)
        if (!table.commit(table.commits())) state.SkipWithError("the version was taken");
}

void commit_to_a_young_table(benchmark::State& state) {
    Table table(10, true);
    commit(state, table);
}
BENCHMARK(commit_to_a_young_table)->Iterations(200)->UseRealTime()->Unit(benchmark::kMicrosecond);

void open_an_old_table(benchmark::State& state) {
    Table& table = old_table();
    for (auto _ : state) benchmark::DoNotOptimize(table.open());
}
BENCHMARK(open_an_old_table)->UseRealTime()->Unit(benchmark::kMillisecond);

void commit_to_an_old_table(benchmark::State& state) {
    commit(state, old_table());
}
BENCHMARK(commit_to_an_old_table)->Iterations(200)->UseRealTime()->Unit(benchmark::kMicrosecond);

void checkpoint_an_old_table(benchmark::State& state) {
    Table& table = old_table();
    for (auto _ : state)
        if (!table.checkpoint()) state.SkipWithError("no checkpoint");
}
BENCHMARK(checkpoint_an_old_table)->UseRealTime()->Unit(benchmark::kMillisecond);

void open_without_a_checkpoint(benchmark::State& state) {
    static Table table(old_commits, false);
    for (auto _ : state) benchmark::DoNotOptimize(table.open());
}
BENCHMARK(open_without_a_checkpoint)->UseRealTime()->Unit(benchmark::kMillisecond);

} // namespace
} // namespace questlog::lake
