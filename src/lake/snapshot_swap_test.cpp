#include "lake/snapshot_fixture.h"

#include <atomic>
#include <thread>

namespace questlog::lake {
namespace {

class Swaps : public SnapshotFixture {
protected:
    static constexpr int swaps = 200;

    /// Reads on a connection of its own until the writer is done, at least once after.
    template <class Read> std::thread reader(std::atomic<bool>& done, Read read_once) {
        return std::thread([this, &done, read_once] {
            const auto connection = database_->connect().value();
            bool last = false;
            while (!last) {
                last = done.load();
                read_once(*connection);
            }
        });
    }

    /// Every generation g has g + 1 rows that say so: anything else is a mixture.
    static bool whole(const std::string& read) {
        const auto bar = read.find('|');
        const int rows = std::stoi(read.substr(0, bar));
        return read.substr(bar + 1) == fmt::format("generation {}", rows - 1);
    }

    static Result<std::string> read_on(duck::Connection& connection, const std::vector<std::string>& files) {
        std::string list;
        for (const auto& file : files) list += (list.empty() ? "" : ", ") + duck::quote_literal(file);
        TRY(rows, connection.query("SELECT count(*) || '|' || string_agg(DISTINCT generation) FROM read_parquet([" +
                                   list + "])"));
        CHECK_OK(rows->next());
        return std::string(rows->varchar(0, 0));
    }
};

TEST_F(Swaps, ourReadersNeverFailAndNeverMix) {
    ASSERT_TRUE(land(0, 1).ok());
    std::atomic<bool> done{false};
    int reads = 0;
    auto loop = reader(done, [&](duck::Connection& connection) {
        const auto snapshot = store_->open(table_);
        ASSERT_TRUE(snapshot.ok()) << snapshot.error().message;
        ASSERT_TRUE(*snapshot);
        const auto rows = read_on(connection, (*snapshot)->files);
        ASSERT_TRUE(rows.ok()) << rows.error().message;
        EXPECT_TRUE(whole(*rows)) << *rows;
        EXPECT_EQ(fmt::format("{}|generation {}", (*snapshot)->facts.rows, (*snapshot)->facts.rows - 1), *rows);
        ++reads;
    });
    for (int generation = 1; generation <= swaps; ++generation) {
        const auto landed = land(generation, generation + 1);
        EXPECT_TRUE(landed.ok()) << landed.error().message;
    }
    done = true;
    loop.join();
    EXPECT_GT(reads, 10);
    EXPECT_EQ(present(), fmt::format("{}|generation {}", swaps + 1, swaps));
}

/// One that knows nothing of the lake: lists the folder, then opens what was listed.
TEST_F(Swaps, anOutsideReaderFindsNothingOrOneGeneration) {
    ASSERT_TRUE(land(0, 1).ok());
    std::atomic<bool> done{false};
    int whole_reads = 0;
    auto loop = reader(done, [&](duck::Connection& connection) {
        std::vector<std::string> files;
        std::error_code vanished;
        for (const auto& entry : std::filesystem::directory_iterator(table_folder(), vanished))
            if (entry.path().extension() == ".parquet") files.push_back(entry.path());
        if (files.empty()) return;
        const auto rows = read_on(connection, files);
        if (rows.ok()) {
            EXPECT_TRUE(whole(*rows)) << *rows;
            ++whole_reads;
        } else {
            const std::string& said = rows.error().message;
            EXPECT_TRUE(said.find("No such file") != std::string::npos ||
                        said.find("No files found") != std::string::npos)
                << said;
        }
    });
    for (int generation = 1; generation <= swaps; ++generation) EXPECT_TRUE(land(generation, generation + 1).ok());
    done = true;
    loop.join();
    EXPECT_GT(whole_reads, 10);
}

} // namespace
} // namespace questlog::lake
