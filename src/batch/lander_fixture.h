#pragma once

#include "batch/lander.h"
#include "io/sim_env.h"
#include "log/event_log.h"

#include <algorithm>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <vector>

/// For tests: a log, a lander and its tables on a simulated machine, and what a reader finds there.
namespace questlog::batch {

class LanderFixture : public ::testing::Test {
protected:
    explicit LanderFixture(std::uint64_t seed = 1, std::int32_t partitions = 1) : world_(seed) {
        log::TopicOptions options;
        options.partitions = partitions;
        EXPECT_TRUE(topics_.create("game-events", options).ok());
        database_ = duck::Database::open({}).value();
        connection_ = database_->connect().value();
        options_.writer = "questlog test";
        reopen();
    }

    /// As a process that starts.
    void reopen() {
        lander_.reset();
        store_.reset();
        reader_.reset();
        writer_.reset();
        const log::Topic topic = topics_.find("game-events").value();
        log::WriterOptions options;
        options.prepare_segments_in_background = false;
        writer_ = log::open_writer(world_.env(), topics_, topic, options).value();
        reader_ = log::open_reader(world_.env(), topics_, topic).value();
        store_ = std::make_unique<lake::ContinuousStore>(world_.env(), "/data/lake");
        lander_ = make_lander();
    }

    std::unique_ptr<Lander> make_lander() {
        return std::make_unique<Lander>(LandingWorld{world_.env(), *reader_, *store_,
                                                     [this]() -> Result<duck::Database*> { return database_.get(); }},
                                        options_, events_);
    }

    void append(const std::vector<std::string>& values, Partition to = Partition{0}) {
        std::vector<std::pair<std::string, std::string>> without_ids;
        for (const std::string& value : values) without_ids.emplace_back("", value);
        append_with_ids(without_ids, to);
    }
    /// The same of events with message ids, "" for none.
    void append_with_ids(const std::vector<std::pair<std::string, std::string>>& ids_and_values,
                         Partition to = Partition{0}) {
        log::PartitionWriter& partition = writer_->partition(to);
        log::BatchBuilder batch;
        batch.begin(partition.next_offset());
        for (const auto& [id, value] : ids_and_values) {
            const log::RecordHeader header{"message_id", id};
            batch.add(TimestampMs{now_ms_++}, value, std::nullopt, {&header, id.empty() ? 0U : 1U});
        }
        ASSERT_TRUE(partition.append(batch.seal()).ok());
        ASSERT_TRUE(partition.sync().ok());
    }
    static std::string event(const std::string& type, int number, const std::string& more = {}) {
        return fmt::format(R"({{"event_type": "{}", "n": {}{}}})", type, number, more);
    }

    lake::LandingRecords records(Partition partition = Partition{0}) {
        return {world_.env(), "/data/lake", reader_->topic().id, partition};
    }
    std::vector<lake::PlannedCut> cuts() { return records().cuts().value(); }
    lake::Books books() { return records().books().value().value(); }

    /// A table as its Delta log tells it.
    std::optional<lake::ContinuousTable> table(const std::string& name) {
        auto opened = store_->open(*connection_, name);
        if (!opened.ok()) ADD_FAILURE() << name << ": " << opened.error().message;
        return opened.ok() ? std::move(*opened) : std::nullopt;
    }

    /// The rows of `sql` over the table's files, in which %s stands for them; cells joined by '|'.
    std::vector<std::string> rows(const std::string& name, std::string sql) {
        std::vector<std::string> found;
        const auto opened = table(name);
        if (!opened) return found;
        std::vector<io::Files::LibraryPath> paths;
        std::string list;
        for (const lake::DeltaFile& file : opened->files()) {
            paths.push_back(store_->readable_path(*opened, file).value());
            list += (list.empty() ? "" : ", ") + duck::quote_literal(paths.back().path);
        }
        sql.replace(sql.find("%s"), 2, "read_parquet([" + list + "], union_by_name = true)");
        auto result = connection_->query_as_text(sql);
        if (!result.ok()) {
            ADD_FAILURE() << sql << ": " << result.error().message;
            return found;
        }
        while (const std::size_t count = (*result)->next().value())
            for (std::size_t row = 0; row < count; ++row) {
                found.emplace_back();
                for (std::size_t column = 0; column < (*result)->columns().size(); ++column)
                    found.back() +=
                        (column == 0 ? "" : "|") +
                        std::string((*result)->is_null(column, row) ? "NULL" : (*result)->varchar(column, row));
            }
        return found;
    }

    /// All Parquet files under the table's folder, also those that no commit names.
    std::vector<std::string> files_there(const std::string& name) {
        std::vector<std::string> paths;
        const std::string folder = "/data/lake/events/" + name;
        for (const std::string& date : world_.names(folder)) {
            if (!date.starts_with("date=")) continue;
            for (const std::string& file : world_.names(folder + "/" + date)) paths.push_back(date + "/" + file);
        }
        return paths;
    }

    io::SimEnv world_;
    log::Topics topics_{world_.env(), "/data/log"};
    std::unique_ptr<log::LogWriter> writer_;
    std::unique_ptr<log::LogReader> reader_;
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> connection_;
    std::unique_ptr<lake::ContinuousStore> store_;
    LandingOptions options_;
    LandingEvents events_;
    std::unique_ptr<Lander> lander_;
    std::int64_t now_ms_ = 1'795'348'800'000; ///< 2026-11-22 12:00 UTC
};

} // namespace questlog::batch
