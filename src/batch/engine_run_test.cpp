#include "batch/run_fixture.h"

namespace questlog::batch {
namespace {

/// Whether a text has this part; else it is shown.
::testing::AssertionResult says(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << '"' << part << "\" is not in: " << text;
}

/// An engine as run_job() meets one: it says what it is told to, and writes files where the simulated lake has them.
class FakeEngine final : public Engine {
public:
    explicit FakeEngine(io::SimEnv& world)
        : world_(world), connection_(duck::Database::open({}).value()->connect().value()) {}

    Result<scan::RangeCensus> look(const Order& order, const OnTasks& on_tasks) override {
        ordered = order;
        if (on_tasks) on_tasks(1, 2);
        if (fails) return over();
        return census;
    }
    Result<Written> write(const Table& table, const std::string& folder, const OnTasks& on_tasks) override {
        if (on_tasks) on_tasks(2, 2);
        selects.push_back(table.relation.select);
        if (fails_to_write) return reject("Spark could not: no space");
        if (is_stopped) return over();
        io::Files& files = world_.env().files;
        CHECK_OK(files.make_directories(folder));
        for (std::size_t task = 0; task < rows_of_tasks.size(); ++task) {
            TRY(scratch, files.scratch_directory("/data"));
            std::string list;
            for (const auto& [name, type] : table.relation.columns)
                list +=
                    fmt::format("{}CAST({} AS {}) AS {}", list.empty() ? "" : ", ",
                                name == "timestamp" ? fmt::format("'{}-' || i", task) : "NULL",
                                type == duck::ValueType::bigint ? "BIGINT" : "VARCHAR", duck::quote_identifier(name));
            const std::string file = scratch + "/file";
            CHECK_OK(connection_->execute(fmt::format("COPY (SELECT {} FROM range({}) AS r(i)) TO {} (FORMAT parquet)",
                                                      list, rows_of_tasks[task], duck::quote_literal(file))));
            CHECK_OK(files.adopt(file, fmt::format("{}/part-{:05}-x-c000.snappy.parquet", folder, task)));
        }
        if (writes_success) {
            TRY(success, files.open(folder + "/_SUCCESS", io::Open::create_new));
        }
        return Written{read, tasks};
    }
    Result<std::string> first_rows(const Table&, std::int64_t rows, const OnTasks&) override {
        wanted_rows = rows;
        return std::string("SELECT 'first' AS event_type");
    }
    [[nodiscard]] bool is_over() const override { return is_over_; }
    Status end() override {
        ended = true;
        return {};
    }

    scan::RangeCensus census{30, 5, 10, {{"purchase_sword", 15, {{"event_type", event::ColumnType::string, 0}}}}};
    std::vector<int> rows_of_tasks{6, 9};
    std::vector<std::int32_t> tasks{1, 0};
    std::int64_t read = 15;
    bool fails = false, fails_to_write = false, is_stopped = false, writes_success = true, ended = false;
    std::optional<Order> ordered;
    std::vector<std::string> selects;
    std::int64_t wanted_rows = 0;

private:
    Error over() {
        is_over_ = true;
        return retry_later("interrupted");
    }
    io::SimEnv& world_;
    std::unique_ptr<duck::Connection> connection_;
    bool is_over_ = false;
};

class JobsOnAnEngine : public JobFixture {
protected:
    JobsOnAnEngine() { append(std::vector<std::string>(30, event("default", "x"))); }

    Result<JobReport> run_on_engine(const std::string& job) {
        BatchWorld with = world();
        with.engine = &engine_;
        TRY(report, run_job(with, builtin(job), {}, events_));
        CHECK_OK(report.outcome());
        return report;
    }
    std::string failure(const std::string& job = "filtered_writes") {
        const auto report = run_on_engine(job);
        EXPECT_FALSE(report.ok());
        EXPECT_FALSE(store_->open("tmp/purchases").value()) << "the table is as it was";
        return report.ok() ? "" : report.error().message;
    }
    std::vector<std::string> staged() {
        std::vector<std::string> names;
        const auto there = world_.env().files.list("/data/lake/.staging/tmp%2Fpurchases");
        for (const auto& entry : there.value()) names.push_back(entry.name);
        return names;
    }

    FakeEngine engine_{world_};
};

TEST_F(JobsOnAnEngine, filesBecomeATableInTheOrderOfTheLog) {
    std::vector<std::string> steps;
    events_.on_progress = [&](const Progress& progress) {
        steps.push_back(fmt::format("{}{} {}/{}", progress.table, progress.unit, progress.done, progress.total));
    };
    events_.on_preview = [&](const JobOutput&, duck::Rows& rows) -> Status {
        EXPECT_EQ(rows.next().value(), 15U);
        EXPECT_EQ(rows.varchar(1, 0), "1-0") << "task 1 read what comes first in the log";
        return {};
    };
    const auto report = run_on_engine("filtered_writes");
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_TRUE(engine_.ordered);
    EXPECT_EQ(engine_.ordered->types, (std::vector<std::string>{"purchase_sword"}));
    EXPECT_EQ(engine_.ordered->topic, "game-events");
    ASSERT_EQ(engine_.ordered->range.size(), 1U);
    EXPECT_EQ(engine_.ordered->range[0].to, Offset{30});
    const auto& output = report->outputs[0];
    ASSERT_TRUE(output.tally);
    EXPECT_EQ(output.tally->of(Fate::landed), 15);
    EXPECT_EQ(output.tally->of(Fate::filtered), 10);
    EXPECT_EQ(output.tally->of(Fate::dead_lettered), 5);
    EXPECT_EQ(steps, (std::vector<std::string>{"tasks 1/2", "purchasestasks 2/2"}));
    EXPECT_EQ(opened("tmp/purchases").facts.files.size(), 2U);
    EXPECT_EQ(opened("tmp/purchases").facts.examined, 30);
    EXPECT_TRUE(engine_.ended);
    EXPECT_EQ(staged(), std::vector<std::string>{});
}

TEST_F(JobsOnAnEngine, whatIsNotWrittenIsShownFromTheEngine) {
    std::string shown;
    events_.on_preview = [&](const JobOutput&, duck::Rows& rows) -> Status {
        EXPECT_EQ(rows.next().value(), 1U);
        shown = rows.varchar(0, 0);
        return {};
    };
    const auto report = run_on_engine("just_filtering");
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(shown, "first");
    EXPECT_EQ(engine_.wanted_rows, 21);
}

TEST_F(JobsOnAnEngine, booksThatDoNotBalanceLandNothing) {
    engine_.read = 14;
    EXPECT_TRUE(says(failure(), "15 events are of the table's types and 14 were read"));
    engine_.read = 15;
    engine_.rows_of_tasks = {6, 10};
    EXPECT_TRUE(says(failure(), "16 rows came of 15 events"));
    engine_.rows_of_tasks = {6, 9};
    engine_.census.not_events = 4;
    EXPECT_TRUE(says(failure(), "books"));
    engine_.census.not_events = 5;
    engine_.census.events = 31;
    EXPECT_TRUE(says(failure(), "31 events among 30 offsets"));
    EXPECT_EQ(staged(), std::vector<std::string>{});
}

TEST_F(JobsOnAnEngine, aTableThatItCannotWriteIsOneOutputsFailure) {
    engine_.fails_to_write = true;
    EXPECT_TRUE(says(failure(), "no space"));
    EXPECT_TRUE(engine_.ended) << "the other outputs were asked for";
    engine_.fails_to_write = false;
    engine_.writes_success = false;
    EXPECT_TRUE(says(failure(), "did not finish"));
    EXPECT_EQ(staged(), std::vector<std::string>{});
}

TEST_F(JobsOnAnEngine, theRunEndsWithTheEngine) {
    engine_.is_stopped = true;
    EXPECT_TRUE(says(failure(), "interrupted"));
    EXPECT_EQ(staged(), std::vector<std::string>{});
    engine_.fails = true;
    EXPECT_TRUE(says(failure(), "interrupted"));
}

TEST_F(JobsOnAnEngine, aTableThatIsBeingWrittenIsRefusedBeforeTheEngineIsAsked) {
    const auto other = store_->writer("tmp/purchases");
    ASSERT_TRUE(other.ok());
    EXPECT_TRUE(says(failure(), "being written by another job"));
    EXPECT_FALSE(engine_.ordered);
}

} // namespace
} // namespace questlog::batch
