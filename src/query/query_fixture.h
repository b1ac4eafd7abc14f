#pragma once

#include "io/real_env.h"
#include "log/event_log.h"
#include "log/record_batch.h"
#include "query/session.h"
#include "query/world.h"
#include "scan/plan.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace questlog::query {

/// For tests: a real log, lake and database in a temporary folder. Events are posted, tables declared and landed, and
/// SQL is asked.
class QueryFixture : public ::testing::Test {
protected:
    using Rows = std::vector<std::vector<std::string>>; ///< "NULL" is NULL.

    explicit QueryFixture(std::int32_t partitions = 1) {
        const std::filesystem::path memory = "/dev/shm"; // Nothing here depends on what a disk does at a power cut.
        const auto parent = std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
        std::string pattern = (parent / "questlog-query-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        topics_ = std::make_unique<log::Topics>(real_.env(), folder_ + "/log");
        database_ = duck::Database::open({}).value();
        store_ = std::make_unique<lake::SnapshotStore>(real_.env(), folder_ + "/lake", database_);
        continuous_ = std::make_unique<lake::ContinuousStore>(real_.env(), folder_ + "/lake");
        world_ = std::make_unique<World>(World{real_.env(),
                                               *topics_,
                                               *store_,
                                               *continuous_,
                                               database_,
                                               {},
                                               "game-events",
                                               [this](const std::string& text) { notices_.push_back(text); },
                                               {},
                                               {}});
        world_->embedded = topics_.get();
        make_topic("game-events", partitions);
    }
    ~QueryFixture() override {
        writer_.reset();
        std::filesystem::remove_all(folder_);
    }

    void make_topic(const std::string& name, std::int32_t partitions = 1) {
        writer_.reset();
        const auto topic = topics_->create(name, {partitions, {}});
        ASSERT_TRUE(topic.ok()) << topic.error().message;
        writer_ = log::open_writer(real_.env(), *topics_, *topic,
                                   {.on_recovery = {}, .prepare_segments_in_background = false})
                      .value();
    }
    void remake_topic(const std::string& name) {
        writer_.reset();
        std::filesystem::remove_all(folder_ + "/log");
        make_topic(name);
    }

    void post(const std::vector<std::string>& values, std::int32_t partition = 0) {
        auto& log = writer_->partition(Partition{partition});
        builder_.begin(log.next_offset());
        for (const std::string& value : values) builder_.add(TimestampMs{now_ms_++}, value);
        ASSERT_TRUE(log.append(builder_.seal()).ok());
        ASSERT_TRUE(log.sync().ok());
    }
    void buy(const std::string& weapon, int price) {
        post({fmt::format(R"({{"event_type": "purchase_{}", "price": {}, "Host": "moe"}})", weapon, price)});
    }

    static scan::Expression expression(const std::string& text) {
        auto parsed = scan::Expression::parse(text, {"questlog.toml", 1, 1});
        EXPECT_TRUE(parsed.ok()) << parsed.error().message;
        return *parsed;
    }
    using Sets = std::vector<std::pair<std::string, std::string>>;
    scan::TableDeclaration& declare(const std::string& name, const std::string& where, const Sets& set = {}) {
        scan::TableDeclaration table;
        table.name = name;
        table.path = "tmp/" + name;
        table.topic = "game-events";
        for (const auto& [column, text] : set) table.set.push_back({column, expression(text)});
        if (!where.empty()) table.where = expression(where);
        std::erase_if(world_->tables, [&](const auto& one) { return one.name == name; });
        world_->jobs[name] = "write_" + name;
        return world_->tables.emplace_back(std::move(table));
    }

    /// What the batch layer does: the events before `ends` (default: all) as the table's new generation.
    void land(const std::string& name, const std::optional<std::vector<std::int64_t>>& ends = std::nullopt) {
        const auto table = std::find_if(world_->tables.begin(), world_->tables.end(),
                                        [&](const auto& one) { return one.name == name; });
        auto reader = log::open_reader(real_.env(), *topics_, *topics_->find(table->topic)).value();
        scan::LogRange range;
        lake::SnapshotFacts facts;
        for (std::int32_t i = 0; i < reader->topic().partitions; ++i) {
            const Offset end =
                ends ? Offset{(*ends)[static_cast<std::size_t>(i)]} : *reader->partition(Partition{i}).end_offset();
            range.push_back({Partition{i}, Offset{0}, end});
            facts.ranges.push_back({i, Offset{0}, end});
            facts.examined += end.value;
        }
        const auto plan = scan::Plan::make(*reader, range, {}).value();
        auto connection = database_->connect().value();
        const auto relation = scan::relate(*connection, *plan, *table);
        ASSERT_TRUE(relation.ok()) << relation.error().message;
        facts.log_id = reader->topic().id;
        facts.topic = table->topic;
        facts.declaration = table->digest();
        facts.dead_lettered = plan->tally().not_events;
        for (const auto& [key, column] : relation->renamed) facts.keys.emplace(column, key);
        for (const auto& [key, column] : relation->replaced) facts.replaced.emplace(column, key);
        facts.nulls = relation->nulls;
        const auto landed = store_->overwrite(table->path, *connection, relation->select, std::move(facts));
        ASSERT_TRUE(landed.ok()) << landed.error().message;
    }

    static Rows all_of(duck::Rows& rows) {
        Rows all;
        for (;;) {
            const std::size_t count = rows.next().value();
            if (count == 0) return all;
            for (std::size_t row = 0; row < count; ++row) {
                auto& cells = all.emplace_back();
                for (std::size_t i = 0; i < rows.columns().size(); ++i)
                    cells.push_back(rows.is_null(i, row) ? "NULL" : std::string(rows.varchar(i, row)));
            }
        }
    }
    /// The rows of `sql`; its error as the only cell.
    Rows ask(const std::string& sql, SessionOptions options = {}) {
        Session session(*world_, options);
        auto rows = session.query_as_text(sql);
        if (!rows.ok()) return {{rows.error().message}};
        return all_of(**rows);
    }
    /// "name TYPE, name TYPE" of a table's columns.
    std::string columns_of(const std::string& table, SessionOptions options = {}) {
        Session session(*world_, options);
        auto rows = session.query("SELECT * FROM " + table + " LIMIT 0");
        if (!rows.ok()) return rows.error().message;
        std::string text;
        for (const duck::ResultColumn& column : (*rows)->columns())
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", column.name, column.type_name);
        return text;
    }

    io::RealEnv real_;
    std::string folder_;
    std::unique_ptr<log::Topics> topics_;
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<lake::SnapshotStore> store_;
    std::unique_ptr<lake::ContinuousStore> continuous_;
    std::unique_ptr<World> world_;
    std::unique_ptr<log::LogWriter> writer_;
    log::BatchBuilder builder_;
    std::int64_t now_ms_ = 1'795'384'733'998;
    std::vector<std::string> notices_;
};

} // namespace questlog::query
