#include "io/whole_file.h"
#include "lake/facts.h"
#include "lake/footer.h"
#include "lake/generations.h"
#include "lake/snapshot.h"
#include "lake/table_path.h"

#include <algorithm>

namespace questlog::lake {
namespace {

Error not_ours(const std::string& folder, const std::string& what) {
    return reject("{} is not a table that questlog wrote: {}. Read it as it lies with read_parquet, move it away, or "
                  "let a job replace it with `questlog batch JOB --force`",
                  folder, what);
}

constexpr std::string_view cure_of_damage =
    ": run the job that writes the table again, `questlog batch JOB`; it makes the table anew from the log";

Error damaged(const std::string& what, const std::string& found) {
    return corrupt("{} is damaged ({}){}", what, found, cure_of_damage);
}

bool is_hidden(const std::string& name) {
    return name.front() == '.' || name.front() == '_';
}

/// What a generation's folder shows.
struct Listing {
    std::vector<std::string> files; ///< Parquet files, by name.
    bool has_facts = false;         ///< In a file of their own.
};

/// `corrupt` where the files are gone and nothing is left that could get lost.
Result<Listing> listing_of(const std::string& folder, const std::vector<io::Entry>& entries) {
    Listing listing;
    bool complete = false;
    bool nothing_else = true; // A hidden folder can be another program's work that is not done yet.
    for (const io::Entry& entry : entries) {
        if (entry.name == success_name) complete = true;
        if (entry.name == facts_file_name) listing.has_facts = true;
        if (entry.kind != io::Kind::file) nothing_else = false;
        if (is_hidden(entry.name)) continue;
        if (entry.kind != io::Kind::file || !entry.name.ends_with(parquet_suffix))
            return not_ours(folder, fmt::format("it also holds {}", entry.name));
        listing.files.push_back(entry.name);
    }
    if (listing.files.empty() && nothing_else && (complete || entries.empty()))
        return damaged(folder, complete ? fmt::format("{} stands there without the Parquet file", success_name)
                                        : "the folder is empty");
    if (listing.files.empty()) return not_ours(folder, "it holds no Parquet file");
    if (!listing.has_facts && listing.files.size() > 1)
        return not_ours(folder, fmt::format("it holds {} besides {}", listing.files[1], listing.files[0]));
    if (!complete) return not_ours(folder, fmt::format("it has no {}", success_name));
    return listing;
}

bool same_columns(const std::vector<duck::ResultColumn>& one, const std::vector<duck::ResultColumn>& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const duck::ResultColumn& a, const duck::ResultColumn& b) {
                          return a.name == b.name && a.type_name == b.type_name;
                      });
}

bool same_entries(const std::vector<io::Entry>& one, const std::vector<io::Entry>& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const io::Entry& a, const io::Entry& b) { return a.name == b.name && a.kind == b.kind; });
}

/// Opens `name` for the snapshot: its path for DuckDB, and its size.
Result<std::pair<std::string, std::int64_t>> open_file(io::Env env, const std::string& folder, const std::string& name,
                                                       Snapshot& snapshot) {
    TRY(file, env.files.open(folder + "/" + name, io::Open::read));
    TRY(bytes, file->size());
    TRY(path, env.files.library_path(*file));
    snapshot.files.push_back(path);
    snapshot.names.push_back(name);
    snapshot.bytes += bytes;
    snapshot.open_files.push_back(std::move(file));
    return std::pair(std::move(path), bytes);
}

/// Of one file, whose footer has the facts.
Result<Snapshot> open_one(io::Env env, duck::Connection& connection, const std::string& folder,
                          const std::string& name) {
    Snapshot snapshot;
    TRY(opened, open_file(env, folder, name, snapshot));
    auto facts = read_footer(connection, opened.first);
    if (!facts.ok() && facts.error().kind == ErrorKind::corrupt)
        return damaged(folder + "/" + name, facts.error().message);
    if (!facts.ok()) return facts.error().within(folder + "/" + name);
    if (!*facts) return not_ours(folder, fmt::format("the footer of {} has no facts of questlog, or is damaged", name));
    snapshot.facts = std::move(**facts);
    return snapshot;
}

/// Of several files, with the facts beside them.
Result<Snapshot> open_several(io::Env env, duck::Connection& connection, const std::string& folder,
                              const Listing& listing) {
    const std::string facts_file = folder + "/" + std::string(facts_file_name);
    TRY(contents, io::read_text_file(env.files, facts_file));
    const auto text = facts_of_file(contents);
    if (!text.ok()) return damaged(facts_file, text.error().message);
    auto named = files_of_facts(connection, *text);
    if (!named.ok()) return damaged(facts_file, named.error().message);
    for (const std::string& name : listing.files)
        if (std::none_of(named->begin(), named->end(), [&](const DataFile& file) { return file.name == name; }))
            return not_ours(folder, fmt::format("it holds {}, which {} does not name", name, facts_file_name));

    Snapshot snapshot;
    std::vector<duck::ResultColumn> columns;
    std::int64_t rows = 0;
    for (const DataFile& file : *named) {
        const std::string path = folder + "/" + file.name;
        if (std::find(listing.files.begin(), listing.files.end(), file.name) == listing.files.end())
            return damaged(folder, file.name + " is gone");
        TRY(opened, open_file(env, folder, file.name, snapshot));
        if (opened.second != file.bytes)
            return damaged(path, fmt::format("it has {} bytes, and had {}", opened.second, file.bytes));
        auto footer = read_plain_footer(connection, opened.first);
        if (!footer.ok() && footer.error().kind == ErrorKind::corrupt) return damaged(path, footer.error().message);
        if (!footer.ok()) return footer.error().within(path);
        if (footer->rows != file.rows)
            return damaged(path, fmt::format("it has {} rows, and had {}", footer->rows, file.rows));
        if (!columns.empty() && !same_columns(columns, footer->columns))
            return damaged(path, "its columns are not those of the other files");
        rows += footer->rows;
        columns = std::move(footer->columns);
    }
    auto facts = parse_facts(connection, FactsPlace::own_file, *text, columns, rows);
    if (!facts.ok() && facts.error().kind == ErrorKind::corrupt) return damaged(facts_file, facts.error().message);
    if (!facts.ok()) return facts.error().within(facts_file);
    snapshot.facts = std::move(*facts);
    return snapshot;
}

Result<Snapshot> open_generation(io::Env env, duck::Database& database, const std::string& folder,
                                 const std::vector<io::Entry>& entries) {
    TRY(listing, listing_of(folder, entries));
    TRY(connection, database.connect());
    return listing.has_facts ? open_several(env, *connection, folder, listing)
                             : open_one(env, *connection, folder, listing.files.front());
}

} // namespace

std::string damage_of(const Error& error) {
    return error.message.substr(0, error.message.find(cure_of_damage));
}

SnapshotStore::SnapshotStore(io::Env env, std::string root, std::shared_ptr<duck::Database> database)
    : env_(env), root_(std::move(root)), database_(std::move(database)), scratch_(env.files, root_) {}

Result<std::optional<Snapshot>> SnapshotStore::open(const std::string& path) {
    CHECK_OK(check_table_path(path));
    const std::string folder = root_ + "/" + path;
    for (int attempt = 0; attempt < limits::open_attempts_max; ++attempt) {
        TRY(place, Generations::place_of(env_.files, root_, path));
        if (place.empty()) return std::optional<Snapshot>{};
        const auto entries = env_.files.list(place);
        if (!entries.ok()) {
            TRY(now, env_.files.stat(place));
            if (now.kind == io::Kind::file) return not_ours(folder, "it is a file");
            if (now.kind == io::Kind::directory && attempt > 0) return entries.error();
            continue;
        }
        auto snapshot = open_generation(env_, *database_, place, *entries);
        if (snapshot.ok()) return std::optional(std::move(snapshot).value());
        // A swap between listing and opening looks like a missing file or half a folder; then the listing has changed.
        const auto again = env_.files.list(place);
        if (again.ok() && same_entries(*entries, *again)) return snapshot.error();
    }
    return retry_later("{} was replaced each of the {} times it was opened: try again when its job is done", folder,
                       limits::open_attempts_max);
}

} // namespace questlog::lake
