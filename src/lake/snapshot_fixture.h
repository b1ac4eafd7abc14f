#pragma once

#include "io/real_env.h"
#include "lake/snapshot.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

/// For tests: a lake on the machine's own file system, whose wall clock stands still until it is moved.
namespace questlog::lake {

class StandingClock final : public io::Clock {
public:
    TimestampMs wall_ms() override { return now_; }
    std::chrono::nanoseconds monotonic() override { return std::chrono::milliseconds(now_.value); }
    void sleep(std::chrono::milliseconds duration) override { now_ = now_.plus(duration.count()); }

private:
    TimestampMs now_{1'700'000'000'000};
};

/// Nothing here depends on what a disk does at a power cut, and a file system in memory makes many more swaps.
inline std::filesystem::path memory_or_temporary() {
    const std::filesystem::path memory = "/dev/shm";
    return std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
}

/// A generation as tests write them: `rows` rows that all say which generation they are of.
inline std::string generation_select(int generation, std::int64_t rows) {
    return fmt::format("SELECT 'generation {}' AS generation, i AS n, i / 2.0::DOUBLE AS half, i % 2 = 0 AS even "
                       "FROM range({}) AS t(i)",
                       generation, rows);
}

inline SnapshotFacts facts_of(std::int64_t examined) {
    SnapshotFacts facts;
    facts.log_id = "4L6g3nShT-eMCtK--X86sw";
    facts.topic = "game-events";
    facts.declaration = "5f3a";
    facts.ranges = {{0, Offset{3}, Offset{3 + examined - 7}}, {1, Offset{0}, Offset{7}}};
    facts.examined = examined;
    facts.dead_lettered = 2;
    return facts;
}

class SnapshotFixture : public ::testing::Test {
protected:
    SnapshotFixture() {
        std::string pattern = (memory_or_temporary() / "questlog-lake-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        root_ += "/lake";
        database_ = duck::Database::open({}).value();
        connection_ = database_->connect().value();
        store_ = std::make_unique<SnapshotStore>(env(), root_, database_);
    }
    ~SnapshotFixture() override { std::filesystem::remove_all(std::filesystem::path(root_).parent_path()); }

    io::Env env() {
        auto real = real_.env();
        return io::Env{clock_, real.files, real.entropy};
    }

    Result<SnapshotFacts> land(int generation, std::int64_t rows, const OverwriteOptions& options = {}) {
        return store_->overwrite(table_, *connection_, generation_select(generation, rows), facts_of(rows + 10),
                                 options);
    }

    std::vector<std::string> names_in(const std::string& folder) const {
        std::vector<std::string> names;
        if (!std::filesystem::exists(root_ + "/" + folder)) return names;
        for (const auto& entry : std::filesystem::directory_iterator(root_ + "/" + folder))
            names.push_back(entry.path().filename());
        std::sort(names.begin(), names.end());
        return names;
    }

    std::string table_folder() const { return root_ + "/" + table_; }
    std::string data_file() const {
        for (const std::string& name : names_in(table_))
            if (name.ends_with(".parquet")) return table_folder() + "/" + name;
        return {};
    }

    /// "rows|generations" of some Parquet files.
    Result<std::string> read(const std::vector<std::string>& files) {
        std::string list;
        for (const auto& file : files) list += (list.empty() ? "" : ", ") + duck::quote_literal(file);
        TRY(rows, connection_->query("SELECT count(*) || '|' || coalesce(string_agg(DISTINCT generation), '') FROM "
                                     "read_parquet([" +
                                     list + "])"));
        TRY(count, rows->next());
        if (count != 1) return internal("{} rows", count);
        return std::string(rows->varchar(0, 0));
    }

    std::string present() {
        const auto snapshot = store_->open(table_);
        if (!snapshot.ok()) return snapshot.error().message;
        if (!*snapshot) return "none";
        const auto rows = read((*snapshot)->files);
        return rows.ok() ? *rows : rows.error().message;
    }

    static std::string bytes_of(const std::string& file) {
        std::ifstream in(file, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static void write_bytes(const std::string& file, const std::string& bytes) {
        std::ofstream(file, std::ios::binary | std::ios::trunc)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }

    /// Everything under the root that is no table and no lock file, scratch directories aside unless they hold
    /// something.
    std::vector<std::string> litter() const {
        std::vector<std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root_))
            if (entry.is_regular_file()) {
                const std::string path = std::filesystem::relative(entry.path(), root_);
                if (path.starts_with(".") && !path.starts_with(".locks/")) found.push_back(path);
            }
        return found;
    }

    std::string root_;
    const std::string table_ = "tmp/sword_purchases";
    io::RealEnv real_;
    StandingClock clock_;
    std::shared_ptr<duck::Database> database_;
    std::unique_ptr<duck::Connection> connection_;
    std::unique_ptr<SnapshotStore> store_;
};

} // namespace questlog::lake
