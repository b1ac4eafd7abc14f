#pragma once

#include "io/sim_env.h"
#include "lake/delta_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

/// For tests: a Delta table of one file a commit, on a simulated machine.
namespace questlog::lake {

class DeltaLogTest : public ::testing::Test {
public:
    static DeltaFile file(int number) {
        return {fmt::format("date=2026-11-25/part-id-0-{}-{}.parquet", number, number + 1),
                "2026-11-25",
                1000 + number,
                1'795'384'733'873 + number,
                3,
                fmt::format(R"({{"numRecords":3,"minValues":{{"n":{}}}}})", number)};
    }
    static DeltaCommit append(int number) {
        DeltaCommit commit;
        commit.operation = "WRITE";
        commit.add.push_back(file(number));
        commit.transactions["questlog:id:0"] = number + 1;
        if (number == 0)
            commit.metadata = DeltaMetadata{{},
                                            "sword",
                                            {{"event_type", duck::ValueType::varchar},
                                             {"n", duck::ValueType::bigint},
                                             {"price", duck::ValueType::double_},
                                             {"gift", duck::ValueType::boolean},
                                             {"at", duck::ValueType::timestamp_tz},
                                             {"value", duck::ValueType::blob}},
                                            {{"questlog.topic", "game \"events\""}},
                                            0};
        return commit;
    }

protected:
    DeltaLogTest() : DeltaLogTest(1) {}
    explicit DeltaLogTest(std::uint64_t seed) : world_(seed) {
        database_ = duck::Database::open({}).value();
        connection_ = database_->connect().value();
    }

    DeltaLog log() { return {world_.env(), "/lake/sword", "/lake/.staging"}; }
    std::string path(const std::string& name) { return "/lake/sword/_delta_log/" + name; }
    static std::string commit_name(std::int64_t version) { return fmt::format("{:020}.json", version); }

    /// Commits numbers [from, to), checkpoints where they are due.
    DeltaState commit_all(int from, int to, DeltaState state = {}) {
        for (int i = from; i < to; ++i) {
            EXPECT_EQ(log().commit(state, append(i)).value(), true) << i;
            EXPECT_TRUE(!DeltaLog::due(state.version) || checkpoint(state).ok());
        }
        return state;
    }
    Status checkpoint(const DeltaState& state) {
        TRY(scratch, world_.env().files.scratch_directory("/lake"));
        return log().checkpoint(*connection_, state, scratch + "/checkpoint");
    }
    Result<std::optional<DeltaState>> open() { return log().open(*connection_); }

    io::SimEnv world_;
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> connection_;
};

} // namespace questlog::lake
