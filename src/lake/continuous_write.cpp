#include "event/json_string.h"
#include "lake/continuous_table.h"
#include "lake/generations.h"
#include "lake/parquet_copy.h"

#include <fmt/format.h>

namespace questlog::lake {
namespace {

/// DuckDB's text of a TIMESTAMPTZ statistic: "2026-11-25 12:00:00.123+00". Milliseconds, as the protocol has them.
std::string iso_time(std::string_view text) {
    std::string iso(text.substr(0, text.find('+')));
    if (const std::size_t blank = iso.find(' '); blank != std::string::npos) iso[blank] = 'T';
    const std::size_t point = iso.find('.');
    iso.resize(point == std::string::npos ? iso.size() : std::min(iso.size(), point + 4));
    return "\"" + iso + "Z\"";
}

/// SQL of the bounds of a column over a file's row groups, as text.
std::string bounds_of(std::string_view column, std::string_view type) {
    return fmt::format("(SELECT min(TRY_CAST(stats_min_value AS {1}))::VARCHAR || '|' || "
                       "max(TRY_CAST(stats_max_value AS {1}))::VARCHAR FROM meta WHERE path_in_schema = {0})",
                       duck::quote_literal(column), type);
}

/// The statistics of a file, as a Delta `add` has them: how many rows, and the bounds of numbers and times.
Result<std::string> statistics_of(duck::Connection& connection, const std::string& path,
                                  const std::vector<DeltaColumn>& schema, std::int64_t& rows) {
    std::vector<std::string> names;
    std::string sql = fmt::format("WITH meta AS (SELECT path_in_schema, stats_min_value, stats_max_value FROM "
                                  "parquet_metadata({0})) SELECT (SELECT num_rows FROM parquet_file_metadata({0}))",
                                  duck::quote_literal(path));
    for (const DeltaColumn& column : schema) {
        const bool is_time = column.type == duck::ValueType::timestamp_tz;
        if (!is_time && column.type != duck::ValueType::bigint && column.type != duck::ValueType::double_) continue;
        names.push_back(column.name);
        sql += ", " + bounds_of(column.name, is_time                                  ? "TIMESTAMPTZ"
                                             : column.type == duck::ValueType::bigint ? "BIGINT"
                                                                                      : "DOUBLE");
    }
    TRY(result, connection.query(sql));
    TRY(count, result->next());
    if (count != 1) return internal("the metadata of {} do not read", path);
    rows = result->bigint(0, 0);
    std::string mins;
    std::string maxs;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (result->is_null(i + 1, 0)) continue;
        const std::string_view both = result->varchar(i + 1, 0);
        std::string min(both.substr(0, both.find('|')));
        std::string max(both.substr(both.find('|') + 1));
        if (min.find(':') != std::string::npos) {
            min = iso_time(min);
            max = iso_time(max);
        }
        const std::string name = event::json_string(names[i]);
        mins += fmt::format("{}{}:{}", mins.empty() ? "" : ",", name, min);
        maxs += fmt::format("{}{}:{}", maxs.empty() ? "" : ",", name, max);
    }
    return fmt::format(R"({{"numRecords":{},"minValues":{{{}}},"maxValues":{{{}}}}})", rows, mins, maxs);
}

/// One for each lock, so that its holder may empty it.
std::string staging_folder(const std::string& lake_root, const std::string& log_id, Partition partition) {
    return fmt::format("{}/.staging/landing-{}-{}", lake_root, log_id, partition);
}

} // namespace

Status ContinuousStore::sweep(const std::string& log_id, Partition partition) {
    return env_.files.remove_tree(staging_folder(lake_root_, log_id, partition));
}

Result<std::string> ContinuousStore::scratch_file(const std::string& name) {
    return scratch_.with([&](std::string& directory) -> Result<std::string> {
        if (directory.empty()) {
            TRY(made, env_.files.scratch_directory(lake_root_));
            directory = std::move(made);
        }
        return directory + "/" + name;
    });
}

/// COPY into the scratch directory; then, under the file's own name and synced, into the table's folder.
Result<DeltaFile> ContinuousStore::write(duck::Connection& connection, const ContinuousTable& table,
                                         const LandedPart& part) {
    io::Files& files = env_.files;
    const std::string uuid = random_uuid(env_.entropy);
    TRY(scratch, scratch_file(uuid));
    const std::vector<DeltaColumn> schema = table_schema(table.subject_, part.columns);
    const auto copy = [&]() -> Result<DeltaFile> {
        CHECK_OK(connection.execute(
            fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2, ROW_GROUP_SIZE 122880, "
                        "USE_TMP_FILE false{})",
                        part.select, duck::quote_literal(scratch), dictionary_option(schema.size()))));
        DeltaFile file;
        TRY(statistics, statistics_of(connection, scratch, schema, file.rows));
        file.stats = std::move(statistics);
        if (file.rows != part.rows)
            return internal(
                "{} rows were written of the {} events that the plan counted in offsets {}..{} of partition "
                "{}; nothing was committed; please report it",
                file.rows, part.rows, part.stretch.from, part.stretch.to.plus(-1), part.stretch.partition);
        return file;
    };
    auto file = copy();
    if (!file.ok()) {
        static_cast<void>(files.remove_tree(scratch)); // COPY may have left a part of it
        if (is_full_disk(file.error()))
            return retry_later("no room for the next file of table {} ({}): free space under {}", table.name_,
                               file.error().message, lake_root_);
        return file.error();
    }
    file->date = part.date;
    file->path = fmt::format("date={}/{}", part.date, part.stretch.file_name());
    const std::string folder = fmt::format("{}/date={}", table.folder_, part.date);
    const std::string staging = staging_folder(lake_root_, part.stretch.log_id, part.stretch.partition);
    CHECK_OK(files.make_directories(staging));
    CHECK_OK(files.make_directories(folder));
    const std::string staged = staging + "/" + uuid;
    CHECK_OK(files.adopt(scratch, staged));
    {
        TRY(open, files.open(staged, io::Open::write));
        CHECK_OK(open->sync_data());
        TRY(bytes, open->size());
        file->bytes = bytes;
    }
    // Where the same stretch was written before and not committed, the same rows take its place.
    CHECK_OK(files.rename(staged, table.folder_ + "/" + file->path));
    CHECK_OK(files.sync_directory(folder));
    file->modified_ms = env_.clock.wall_ms().value;
    return file;
}

Result<bool> ContinuousStore::append(duck::Connection& connection, ContinuousTable& table, const LandedPart& part) {
    TRY(file, write(connection, table, part));
    const DeltaLog log = log_of(table, staging_folder(lake_root_, part.stretch.log_id, part.stretch.partition));
    DeltaCommit commit;
    commit.operation = "WRITE";
    commit.add.push_back(std::move(file));
    commit.transactions.emplace(part.stretch.transaction(), part.stretch.to.value);
    if (table.version() < 0 || part.columns != table.columns_)
        commit.metadata = DeltaMetadata{
            {}, table.name_, table_schema(table.subject_, part.columns), table.configuration_with(part.columns), 0};
    TRY(committed, log.commit(table.state_, commit));
    if (!committed) return false;
    table.count(commit.add.front());
    if (commit.metadata) CHECK_OK(table.adopt_state());
    if (DeltaLog::due(table.version())) {
        TRY(scratch, scratch_file(random_uuid(env_.entropy)));
        static_cast<void>(log.checkpoint(connection, table.state_, scratch)); // without one, opening takes longer
    }
    return true;
}

} // namespace questlog::lake
