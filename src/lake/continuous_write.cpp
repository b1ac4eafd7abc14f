#include "event/json_string.h"
#include "lake/continuous_table.h"
#include "lake/generations.h"
#include "lake/parquet_copy.h"
#include "lake/table_path.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>

namespace questlog::lake {
namespace {

/// DuckDB's text of a TIMESTAMPTZ: "2026-11-25 12:00:00.123+00". As JSON, in milliseconds, as the protocol has them.
std::string iso_time(std::string_view text) {
    std::string iso(text.substr(0, text.find('+')));
    if (const std::size_t blank = iso.find(' '); blank != std::string::npos) iso[blank] = 'T';
    const std::size_t point = iso.find('.');
    iso.resize(point == std::string::npos ? iso.size() : std::min(iso.size(), point + 4));
    return "\"" + iso + "Z\"";
}

/// The least and the greatest value of a column over a file's row groups, as DuckDB writes them.
class Bounds {
public:
    explicit Bounds(duck::ValueType type) : type_(type) {}

    void take(std::string_view min, std::string_view max) {
        if (min_.empty() || is_less(min, min_)) min_ = min;
        if (max_.empty() || is_less(max_, max)) max_ = max;
    }
    [[nodiscard]] bool known() const { return !min_.empty(); }
    [[nodiscard]] std::string min() const { return json(min_); }
    [[nodiscard]] std::string max() const { return json(max_); }

private:
    template <class Number> [[nodiscard]] static Number number(std::string_view text) {
        Number value{};
        std::from_chars(text.data(), text.data() + text.size(), value);
        return value;
    }
    [[nodiscard]] bool is_less(std::string_view one, std::string_view other) const {
        if (type_ == duck::ValueType::bigint) return number<std::int64_t>(one) < number<std::int64_t>(other);
        if (type_ == duck::ValueType::double_) return number<double>(one) < number<double>(other);
        return one < other; // times sort as their texts do
    }
    [[nodiscard]] std::string json(const std::string& text) const {
        return type_ == duck::ValueType::timestamp_tz ? iso_time(text) : text;
    }

    duck::ValueType type_;
    std::string min_;
    std::string max_;
};

/// The statistics of a file, as a Delta `add` has them: how many rows, the bounds of numbers and times, and how many
/// nulls each column has, without which Spark passes over the bounds.
Result<std::string> statistics_of(duck::Connection& connection, const std::string& path,
                                  const std::vector<DeltaColumn>& schema, std::int64_t& rows) {
    std::map<std::string, Bounds, std::less<>> bounds;
    std::map<std::string, std::int64_t> nulls;
    constexpr std::int64_t unknown = -1;
    for (const DeltaColumn& column : schema)
        if (column.type == duck::ValueType::bigint || column.type == duck::ValueType::double_ ||
            column.type == duck::ValueType::timestamp_tz)
            bounds.emplace(column.name, Bounds(column.type));
    TRY(groups, connection.query(fmt::format("SELECT path_in_schema, stats_min_value, stats_max_value, "
                                             "row_group_num_rows, stats_null_count FROM parquet_metadata({})",
                                             duck::quote_literal(path))));
    rows = 0;
    while (true) {
        TRY(count, groups->next());
        if (count == 0) break;
        for (std::size_t row = 0; row < count; ++row) {
            const std::string_view name = groups->varchar(0, row);
            if (name == schema.back().name) rows += groups->bigint(3, row);
            const auto found = bounds.find(name);
            if (found != bounds.end() && !groups->is_null(1, row) && !groups->is_null(2, row))
                found->second.take(groups->varchar(1, row), groups->varchar(2, row));
            std::int64_t& count_of_nulls = nulls[std::string(name)];
            count_of_nulls = groups->is_null(4, row) || count_of_nulls == unknown
                                 ? unknown
                                 : count_of_nulls + groups->bigint(4, row);
        }
    }
    std::string mins;
    std::string maxs;
    for (const auto& [name, of_column] : bounds) {
        if (!of_column.known()) continue;
        const std::string key = event::json_string(name);
        mins += fmt::format("{}{}:{}", mins.empty() ? "" : ",", key, of_column.min());
        maxs += fmt::format("{}{}:{}", maxs.empty() ? "" : ",", key, of_column.max());
    }
    std::string counts;
    for (const auto& [name, count] : nulls)
        if (count != unknown)
            counts += fmt::format("{}{}:{}", counts.empty() ? "" : ",", event::json_string(name), count);
    return fmt::format(R"({{"numRecords":{},"minValues":{{{}}},"maxValues":{{{}}},"nullCount":{{{}}}}})", rows, mins,
                       maxs, counts);
}

/// Of V2's encodings, which are smaller, Spark 3.5 reads all but that of doubles, BYTE_STREAM_SPLIT.
std::string_view parquet_version(const std::vector<DeltaColumn>& schema) {
    const auto is_double = [](const DeltaColumn& column) { return column.type == duck::ValueType::double_; };
    return std::any_of(schema.begin(), schema.end(), is_double) ? "V1" : "V2";
}

constexpr std::int64_t copy_ms_max = 24 * 60 * 60 * 1000; ///< Then whoever made it is taken for dead.

/// One for each lock, so that its holder may empty it.
std::string staging_folder(const std::string& lake_root, const std::string& log_id, Partition partition) {
    return fmt::format("{}/.staging/landing-{}-{}", lake_root, log_id, partition);
}

} // namespace

Status ContinuousStore::sweep(const std::string& log_id, Partition partition) {
    CHECK_OK(put_back(log_id));
    CHECK_OK(env_.files.remove_tree(staging_folder(lake_root_, log_id, partition)));
    const std::string staging = lake_root_ + "/.staging";
    TRY(present, env_.files.stat(staging));
    if (present.kind == io::Kind::missing) return {};
    TRY(entries, env_.files.list(staging));
    for (const io::Entry& entry : entries) {
        if (!entry.name.starts_with(copy_prefix)) continue;
        TRY(made, env_.files.stat(staging + "/" + entry.name));
        if (env_.clock.wall_ms().minus(made.modified) > copy_ms_max)
            CHECK_OK(env_.files.remove_tree(staging + "/" + entry.name));
    }
    return {};
}

Result<std::string> ContinuousStore::scratch_file(const std::string& name) {
    TRY(directory, scratch_.path());
    return directory + "/" + name;
}

/// COPY into the scratch directory; from there into the folder `staging`, as unsynced bytes. The file, and where it is.
Result<std::pair<DeltaFile, std::string>> ContinuousStore::stage(duck::Connection& connection,
                                                                 const ContinuousTable& table, const LandedPart& part,
                                                                 const std::string& staging) {
    io::Files& files = env_.files;
    const std::string uuid = random_uuid(env_.entropy);
    TRY(scratch, scratch_file(uuid));
    const std::vector<DeltaColumn> schema = table_schema(table.subject_, part.columns);
    const auto copy = [&]() -> Result<DeltaFile> {
        CHECK_OK(connection.execute(fmt::format(
            "COPY ({}) TO {} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION {}, ROW_GROUP_SIZE 122880, "
            "USE_TMP_FILE false{})",
            part.select, duck::quote_literal(scratch), parquet_version(schema), dictionary_option(schema.size()))));
        DeltaFile file;
        TRY(statistics, statistics_of(connection, scratch, schema, file.rows));
        file.stats = std::move(statistics);
        if (file.rows != part.rows)
            return internal(
                "{} rows were written of the {} events that the plan counted in offsets {}..{} of partition "
                "{}; nothing was committed; please report it",
                file.rows, part.rows, part.stretch.from, part.stretch.to.plus(-1), part.stretch.partition);
        file.date = part.date;
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
    CHECK_OK(files.make_directories(staging));
    std::string staged = staging + "/" + uuid;
    CHECK_OK(files.adopt(scratch, staged));
    TRY(stat, files.stat(staged));
    file->bytes = stat.size;
    return std::pair(std::move(*file), std::move(staged));
}

/// Under the file's own name and synced, in the table's folder.
Result<DeltaFile> ContinuousStore::write(duck::Connection& connection, const ContinuousTable& table,
                                         const LandedPart& part) {
    io::Files& files = env_.files;
    TRY(staged,
        stage(connection, table, part, staging_folder(lake_root_, part.stretch.log_id, part.stretch.partition)));
    auto& [file, location] = staged;
    const std::string folder = fmt::format("{}/date={}", table.folder_, part.date);
    file.path = fmt::format("date={}/{}", part.date, part.stretch.file_name(table.generation_));
    CHECK_OK(files.make_directories(folder));
    {
        TRY(open, files.open(location, io::Open::write));
        CHECK_OK(open->sync_data());
    }
    // Where the same stretch was written before and not committed, the same rows take its place.
    CHECK_OK(files.rename(location, table.folder_ + "/" + file.path));
    CHECK_OK(files.sync_directory(folder));
    file.modified_ms = env_.clock.wall_ms().value;
    return std::move(file);
}

Result<ContinuousStore::Copy> ContinuousStore::copy(duck::Connection& connection, const ContinuousTable& table,
                                                    const LandedPart& part) {
    TRY(staged, stage(connection, table, part,
                      fmt::format("{}/.staging/{}{}", lake_root_, copy_prefix, random_uuid(env_.entropy))));
    TRY(path, env_.files.library_path_of(staged.second));
    return Copy{std::move(staged.first), std::move(path), std::move(staged.second)};
}

Status ContinuousStore::forget(const Copy& copy) {
    return env_.files.remove_tree(copy.location.substr(0, copy.location.rfind('/')));
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
    // Nothing is committed on what is not durable: whoever rebuilt the table may have ended before its place was.
    if (table.state_.durable_version < table.state_.version) CHECK_OK(env_.files.sync_directory(root_));
    TRY(committed, log.commit(table.state_, commit));
    if (!committed) return false;
    table.count(commit.add.front());
    table.state_.let_go_of_files();
    if (commit.metadata) CHECK_OK(table.adopt_state());
    if (DeltaLog::due(table.version())) {
        TRY(scratch, scratch_file(random_uuid(env_.entropy)));
        static_cast<void>(log.checkpoint(connection, table.state_, scratch)); // without one, opening takes longer
    }
    return true;
}

Status ContinuousStore::replace(const std::string& name, const ContinuousStore& made) {
    io::Files& files = env_.files;
    CHECK_OK(files.make_directories(root_));
    const std::string place = root_ + "/" + name;
    const std::string anew = made.root_ + "/" + name;
    TRY(present, files.stat(place));
    if (present.kind == io::Kind::missing)
        CHECK_OK(files.rename(anew, place));
    else
        CHECK_OK(files.exchange(place, anew));
    CHECK_OK(files.sync_directory(root_));
    CHECK_OK(files.sync_directory(made.root_));
    if (present.kind == io::Kind::missing) return {};
    const std::string retired =
        fmt::format("{}/.retired/{}", lake_root_, escaped_table_path(fmt::format("{}/{}", continuous_folder, name)));
    CHECK_OK(files.make_directories(retired));
    CHECK_OK(files.rename(anew, fmt::format("{}/{}-{}", retired, env_.clock.wall_ms(), random_uuid(env_.entropy))));
    return Generations::sweep_folder(env_, retired);
}

} // namespace questlog::lake
