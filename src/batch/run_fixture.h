#pragma once

#include "batch/run.h"
#include "io/sim_env.h"
#include "log/event_log.h"

#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// For tests: a game's log and lake on a simulated machine, and the jobs over them.
namespace questlog::batch {

/// A log whose first events are gone, or whose last ones are not there.
class LaterLog final : public log::LogReader, private log::PartitionReader {
public:
    LaterLog(log::LogReader& whole, Offset start, Offset end = Offset{INT64_MAX})
        : whole_(whole), start_(start), end_(end) {}
    [[nodiscard]] const log::Topic& topic() const override { return whole_.topic(); }
    log::PartitionReader& partition(Partition) override { return *this; }
    Result<bool> wait_beyond(std::span<const Offset> ends, std::chrono::milliseconds limit) override {
        return whole_.wait_beyond(ends, limit);
    }

private:
    [[nodiscard]] Partition partition() const override { return Partition{0}; }
    Result<Offset> start_offset() override { return start_; }
    Result<Offset> end_offset() override {
        TRY(end, first().end_offset());
        return std::min(end, end_);
    }
    Result<std::int64_t> bytes() override { return first().bytes(); }
    Result<std::int64_t> bytes_below(Offset end) override { return first().bytes_below(end); }
    Result<std::unique_ptr<log::BatchCursor>> read(Offset from, Offset to) override { return first().read(from, to); }
    Result<std::unique_ptr<log::RecordFetcher>> fetcher() override { return first().fetcher(); }
    [[nodiscard]] log::PartitionReader& first() const { return whole_.partition(Partition{0}); }

    log::LogReader& whole_;
    Offset start_;
    Offset end_;
};

class JobFixture : public ::testing::Test {
protected:
    JobFixture() {
        if (const auto made = topics_.create("game-events", {}); !made.ok()) ADD_FAILURE() << made.error().message;
        reopen_log("game-events");
        database_ = duck::Database::open({}).value();
        connection_ = database_->connect().value();
        store_ = std::make_unique<lake::SnapshotStore>(world_.env(), "/data/lake", database_);
    }

    void reopen_log(const std::string& topic) {
        reader_.reset();
        writer_.reset();
        const log::Topic found = topics_.find(topic).value();
        log::WriterOptions options;
        options.prepare_segments_in_background = false;
        options.sync = sync_;
        writer_ = log::open_writer(world_.env(), topics_, found, options).value();
        reader_ = log::open_reader(world_.env(), topics_, found).value();
    }

    /// Appends `values` in one commit, each a millisecond after the one before.
    void append(const std::vector<std::string>& values, Partition to = Partition{0}) {
        log::PartitionWriter& partition = writer_->partition(to);
        log::BatchBuilder batch;
        batch.begin(partition.next_offset());
        for (const std::string& value : values) batch.add(TimestampMs{now_ms_++}, value);
        ASSERT_TRUE(partition.append(batch.seal()).ok());
        ASSERT_TRUE(partition.sync().ok());
    }

    static std::string event(const std::string& type, const std::string& host, const std::string& more = {}) {
        return R"({"event_type": ")" + type + "\"" + more + R"(, "Host": ")" + host +
               R"(", "User-Agent": "ApacheBench/2.3", "Accept": "*/*"})";
    }
    /// Sections 5 and 7 of the reference flow: ten calls of each.
    void append_reference_flow() {
        for (const char* host : {"user1.comcast.com", "user2.att.com"})
            for (const char* type : {"default", "purchase_sword"})
                append(std::vector<std::string>(10, event(type, host)));
        append(std::vector<std::string>(
            10, event("purchase_knife", "user2.att.com", R"(, "description": "very sharp knife")")));
        append(std::vector<std::string>(10, event("join_guild", "user2.att.com", R"(, "description": "nice guild")")));
    }

    static Job builtin(const std::string& name) {
        for (Job& job : builtin_jobs("game-events"))
            if (job.name == name) return std::move(job);
        return {};
    }
    static Job job_where(const std::string& where, const std::string& path = "tmp/own") {
        JobOutput output;
        output.table.name = "own";
        output.table.path = path;
        output.table.topic = "game-events";
        output.table.where = scan::Expression::parse(where, {"questlog.toml", 3, 9}, scan::Role::filter).value();
        output.at = {"questlog.toml", 1, 1};
        return {"own", "game-events", {output}};
    }

    BatchWorld world() { return {*reader_, *store_, *database_}; }
    /// The report of a run that made every output.
    Result<JobReport> run(const Job& job, const RunOptions& options = {}) {
        TRY(report, run_job(world(), job, options, events_));
        CHECK_OK(report.outcome());
        return report;
    }

    lake::Snapshot opened(const std::string& path) {
        auto snapshot = store_->open(path);
        if (snapshot.ok() && *snapshot) return std::move(**snapshot);
        ADD_FAILURE() << (snapshot.ok() ? "no such table" : snapshot.error().message);
        return {{}, {"none"}, {"none"}, 0, {}};
    }

    std::vector<std::string> columns_of(const std::string& path) {
        std::vector<std::string> names;
        const lake::Snapshot snapshot = opened(path);
        for (const event::Column& column : snapshot.facts.schema) names.push_back(column.key);
        return names;
    }

    /// The one value of a query in which %s stands for the table's files.
    std::string ask(const std::string& path, std::string sql) {
        const lake::Snapshot snapshot = opened(path);
        sql.replace(sql.find("%s"), 2, "read_parquet(" + duck::quote_literal(snapshot.files.front()) + ")");
        const auto rows = connection_->query_as_text(sql).value();
        EXPECT_EQ(rows->next().value(), 1U);
        return rows->is_null(0, 0) ? "NULL" : std::string(rows->varchar(0, 0));
    }

    std::string file_bytes(const std::string& path) {
        const lake::Snapshot snapshot = opened(path);
        return world_.contents("/data/lake/" + path + "/" + snapshot.names.front()).value_or("");
    }

    io::SimEnv world_{1};
    log::Topics topics_{world_.env(), "/data/log"};
    std::unique_ptr<log::LogWriter> writer_;
    std::unique_ptr<log::LogReader> reader_;
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> connection_;
    std::unique_ptr<lake::SnapshotStore> store_;
    JobEvents events_;
    log::Sync sync_ = log::Sync::always; ///< Of the log, when it is opened next.
    std::int64_t now_ms_ = 1'533'411'407'000;
};

} // namespace questlog::batch
