#pragma once

#include "lake/landing_records.h"
#include "query/query_fixture.h"
#include "scan/continuous.h"
#include "scan/table_names.h"

/// For tests: continuous tables as a lander leaves them, at each step of it.
namespace questlog::query {

class ContinuousTest : public QueryFixture {
protected:
    explicit ContinuousTest(std::int32_t partitions = 1) : QueryFixture(partitions) {}

    void raid(int number, const std::string& more = {}, std::int32_t partition = 0) {
        post({fmt::format(R"({{"event_type": "raid", "n": {}{}}})", number, more)}, partition);
    }
    lake::LandingRecords records(std::int32_t partition = 0) {
        return {real_.env(), folder_ + "/lake", writer_->topic().id, Partition{partition}};
    }
    /// What a lander does for one table, before it writes the books.
    void land_table(const std::string& type, std::int64_t from, std::int64_t to, std::int32_t partition = 0) {
        auto reader = log::open_reader(real_.env(), *topics_, writer_->topic()).value();
        const auto plan = scan::Plan::make(*reader, {{Partition{partition}, Offset{from}, Offset{to}}}, {}).value();
        auto connection = database_->connect().value();
        const std::string name = scan::table_name_of(type);
        auto table = continuous_->make(name, {"game-events", type, false});
        ASSERT_TRUE(continuous_->refresh(*connection, table).ok());
        std::vector<scan::LandedColumn> pinned;
        for (const auto& [column, key, kind] : table.columns()) pinned.push_back({column, key, kind, false});
        const auto columns = scan::continuous_columns(*plan, type, pinned);
        lake::LandedPart part{{writer_->topic().id, Partition{partition}, Offset{from}, Offset{to}},
                              "2026-11-22",
                              {},
                              scan::relate_continuous(*connection, *plan, type, columns).value().select,
                              plan->events(std::vector{type})};
        for (const scan::LandedColumn& column : columns) part.columns.push_back({column.name, column.key, column.type});
        ASSERT_TRUE(continuous_->append(*connection, table, part).value());
    }
    void write_books(std::int64_t landed_to, const std::map<std::string, lake::TableBooks, std::less<>>& tables,
                     std::int32_t partition = 0) {
        ASSERT_TRUE(records(partition).write_books({Offset{0}, Offset{landed_to}, landed_to, 0, tables}).ok());
    }
    Rows ledger() {
        return ask(
            R"(SELECT "partition", "table", accepted, landed, pending, balanced, problem FROM ledger ORDER BY ALL)");
    }
};

} // namespace questlog::query
