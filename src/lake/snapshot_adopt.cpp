#include "lake/facts.h"
#include "lake/footer.h"
#include "lake/generations.h"
#include "lake/snapshot.h"

#include <algorithm>

/// Generations whose files another engine wrote.
namespace questlog::lake {
namespace {

using Columns = std::vector<std::pair<std::string, duck::ValueType>>;

Columns columns_of(const PlainFooter& footer) {
    Columns columns;
    for (const duck::ResultColumn& column : footer.columns) columns.emplace_back(column.name, column.type);
    return columns;
}

/// Looks into every file, and syncs it; what it finds goes into `facts`. The files' columns.
Result<std::vector<duck::ResultColumn>> look_into(io::Env env, duck::Connection& connection, const std::string& folder,
                                                  const std::vector<Generations::Move>& moves, const Columns& columns,
                                                  SnapshotFacts& facts) {
    std::vector<duck::ResultColumn> found;
    for (const Generations::Move& move : moves) {
        TRY(file, env.files.open(folder + "/" + move.from, io::Open::read));
        CHECK_OK(file->sync_data()); // the engine may have left it to the system
        TRY(bytes, file->size());
        TRY(path, env.files.library_path(*file));
        auto footer = read_plain_footer(connection, path);
        if (!footer.ok()) return footer.error().within(move.from);
        if (columns_of(*footer) != columns)
            return internal("{} has other columns than the table: please report it", move.from);
        facts.files.push_back({move.to, bytes, footer->rows});
        found = std::move(footer->columns);
    }
    return found;
}

} // namespace

std::string TableWriter::foreign_folder() {
    return generations_->staging_path(random_uuid(store_.env_.entropy) + ".foreign");
}

void TableWriter::abandon(const std::string& folder) {
    static_cast<void>(store_.env_.files.remove_tree(folder)); // the table's next writer tries again
}

Result<std::vector<std::string>> TableWriter::files_in(const std::string& folder) {
    io::Files& files = store_.env_.files;
    TRY(stat, files.stat(folder));
    if (stat.kind != io::Kind::directory)
        return reject(
            "nothing is at {}, which the engine was to write: it must be able to write to the same file system "
            "as this process, under the same name",
            folder);
    TRY(success, files.stat(folder + "/_SUCCESS"));
    if (success.kind != io::Kind::file) return internal("{} has no _SUCCESS: the engine did not finish it", folder);
    TRY(entries, files.list(folder));
    std::vector<std::string> names;
    for (const io::Entry& entry : entries)
        if (entry.kind == io::Kind::file && entry.name.front() != '.' && entry.name.front() != '_' &&
            entry.name.ends_with(parquet_suffix))
            names.push_back(entry.name);
    return names;
}

Result<Landed> TableWriter::adopt(duck::Connection& connection, const std::string& folder,
                                  const std::vector<std::string>& names, const Columns& columns, SnapshotFacts facts,
                                  const OverwriteOptions& options) {
    CHECK_OK(check_replaceable(options));
    if (names.empty()) return internal("table {}: there is no Parquet file in {}", path_, folder);
    const std::string uuid = random_uuid(store_.env_.entropy);
    std::vector<Generations::Move> moves;
    for (std::size_t i = 0; i < names.size(); ++i)
        moves.push_back({names[i], fmt::format("part-{:05}-{}-c000.snappy.parquet", i, uuid)});

    const auto stage = [&]() -> Result<std::pair<Landed, std::string>> {
        facts.files.clear();
        TRY(found, look_into(store_.env_, connection, folder, moves, columns, facts));
        Landed landed;
        std::int64_t rows = 0;
        for (const DataFile& file : facts.files) {
            rows += file.rows;
            landed.bytes += file.bytes;
        }
        const std::string text = facts_text(facts, found);
        TRY(written, parse_facts(connection, FactsPlace::own_file, text, found, rows));
        if (options.accept) CHECK_OK(options.accept(written));
        landed.facts = std::move(written);
        landed.name = moves.front().to;
        TRY(staged, generations_->stage_files(folder, uuid, moves, facts_file_text(text)));
        return std::pair(std::move(landed), std::move(staged));
    };
    auto staged = stage();
    if (!staged.ok()) {
        abandon(folder);
        return not_staged(staged.error());
    }
    return swap_in(std::move(staged->first), staged->second);
}

} // namespace questlog::lake
