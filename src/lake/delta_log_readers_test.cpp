// A table on the machine's own disk, with all that a log can have: for tests/e2e/test_delta_readers.py, which names a
// folder and shows it to other programs; and for ourselves.
#include "io/real_env.h"
#include "lake/delta_log.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace questlog::lake {
namespace {

using duck::ValueType;

constexpr int written_commits = 203; ///< With two checkpoints, and three commits after them.
constexpr int late_from = 150;       ///< The first commit whose file has the column `late`.
constexpr int removed_every = 10;    ///< In the n-th commit the file of the one before goes.
constexpr int rows_each = 3;

class TableForReaders {
public:
    explicit TableForReaders(std::string folder) : folder_(std::move(folder)) {
        database_ = duck::Database::open({}).value();
        connection_ = database_->connect().value();
        scratch_ = real_.env().files.scratch_directory(folder_).value();
    }

    void write() {
        for (int i = 0; i < written_commits; ++i) {
            DeltaCommit commit;
            commit.operation = "WRITE";
            commit.add.push_back(write_file(i));
            commit.transactions["questlog:id:0"] = i + 1;
            if (i == 0 || i == late_from) commit.metadata = metadata(i);
            if (i % removed_every == removed_every - 1) commit.remove.push_back(path(i - 1));
            ASSERT_TRUE(log().commit(state_, commit).value()) << i;
            ASSERT_TRUE(!DeltaLog::due(state_.version) ||
                        log().checkpoint(*connection_, state_, scratch_ + "/checkpoint").ok());
        }
    }
    [[nodiscard]] const DeltaState& state() const { return state_; }
    std::optional<DeltaState> read() { return log().open(*connection_).value(); }

private:
    [[nodiscard]] DeltaLog log() { return {real_.env(), folder_ + "/table", folder_ + "/staging"}; }

    /// Some take escaping, in a URI or in JSON.
    static std::string path(int number) {
        const std::string odd = number % 7 == 0 ? " ü%41\"#?&+" : "";
        return fmt::format("date=2026-11-{}/part-{}{}.parquet", 24 + number % 3, number, odd);
    }

    static DeltaMetadata metadata(int number) {
        DeltaMetadata made;
        made.name = "sword";
        made.columns = {{"event_type", ValueType::varchar},
                        {"n", ValueType::bigint},
                        {"price", ValueType::double_},
                        {"gift", ValueType::boolean},
                        {"value", ValueType::blob}};
        if (number >= late_from) made.columns.push_back({"late", ValueType::varchar});
        made.columns.push_back({"at", ValueType::timestamp_tz});
        made.configuration = {{"questlog.topic", "game \"events\" ü"}};
        return made;
    }

    DeltaFile write_file(int number) {
        DeltaFile file;
        file.path = path(number);
        file.date = fmt::format("2026-11-{}", 24 + number % 3);
        const std::string whole = folder_ + "/table/" + file.path;
        std::filesystem::create_directories(std::filesystem::path(whole).parent_path());
        const int first = number * rows_each;
        const Status copied = connection_->execute(
            fmt::format("COPY (SELECT 'händler' AS event_type, i AS n, i / 2.0::DOUBLE AS price, i % 2 = 0 AS gift, "
                        "'b\\x00'::BLOB AS "
                        "value{}, TIMESTAMPTZ '2026-11-{} 12:00:00+00' + INTERVAL (i) MILLISECOND AS at FROM range({}, "
                        "{}) AS t(i)) TO "
                        "{} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2)",
                        number >= late_from ? ", NULLIF('yes', 'yes' || (i % 2)::VARCHAR) AS late" : "",
                        24 + number % 3, first, first + rows_each, duck::quote_literal(whole)));
        EXPECT_TRUE(copied.ok()) << copied.error().message;
        file.bytes = static_cast<std::int64_t>(std::filesystem::file_size(whole));
        file.modified_ms = real_.env().clock.wall_ms().value;
        file.rows = rows_each;
        file.stats = fmt::format(R"({{"numRecords":{},"minValues":{{"n":{}}},"maxValues":{{"n":{}}}}})", rows_each,
                                 first, first + rows_each - 1);
        return file;
    }

    io::RealEnv real_;
    std::string folder_;
    std::string scratch_;
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> connection_;
    DeltaState state_;
};

TEST(DeltaLogReaders, ATableOnTheDiskIsReadAsItWasWritten) {
    const char* const given = std::getenv("QUESTLOG_DELTA_FOLDER");
    std::string folder = std::filesystem::temp_directory_path() / "questlog-delta-XXXXXX";
    if (given != nullptr)
        folder = given;
    else
        ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    {
        TableForReaders table(folder);
        table.write();
        EXPECT_EQ(table.state().files.size(), 203U - 20U);
        EXPECT_EQ(table.state().tombstones.size(), 20U);
        EXPECT_EQ(table.read(), table.state());
    }
    if (given == nullptr) std::filesystem::remove_all(folder);
}

} // namespace
} // namespace questlog::lake
