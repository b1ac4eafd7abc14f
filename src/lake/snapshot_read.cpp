#include "lake/footer.h"
#include "lake/generations.h"
#include "lake/snapshot.h"
#include "lake/table_path.h"

#include <algorithm>

namespace questlog::lake {
namespace {

constexpr std::string_view success_name = "_SUCCESS";
constexpr std::string_view parquet_suffix = ".parquet";

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

/// The one Parquet file of a generation, from its folder's listing. `corrupt` where it is gone and nothing is left that
/// could get lost.
Result<std::string> data_file(const std::string& folder, const std::vector<io::Entry>& entries) {
    std::optional<std::string> found;
    bool complete = false;
    bool nothing_else = true; // A hidden folder can be another program's work that is not done yet.
    for (const io::Entry& entry : entries) {
        if (entry.name == success_name) complete = true;
        if (entry.kind != io::Kind::file) nothing_else = false;
        if (is_hidden(entry.name)) continue;
        if (entry.kind != io::Kind::file || !entry.name.ends_with(parquet_suffix))
            return not_ours(folder, fmt::format("it also holds {}", entry.name));
        if (found) return not_ours(folder, fmt::format("it holds {} besides {}", entry.name, *found));
        found = entry.name;
    }
    if (!found && nothing_else && (complete || entries.empty()))
        return damaged(folder, complete ? fmt::format("{} stands there without the Parquet file", success_name)
                                        : "the folder is empty");
    if (!found) return not_ours(folder, "it holds no Parquet file");
    if (!complete) return not_ours(folder, fmt::format("it has no {}", success_name));
    return *found;
}

bool same_entries(const std::vector<io::Entry>& one, const std::vector<io::Entry>& other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const io::Entry& a, const io::Entry& b) { return a.name == b.name && a.kind == b.kind; });
}

Result<Snapshot> open_generation(io::Env env, duck::Database& database, const std::string& folder,
                                 const std::vector<io::Entry>& entries) {
    TRY(name, data_file(folder, entries));
    TRY(file, env.files.open(folder + "/" + name, io::Open::read));
    TRY(bytes, file->size());
    TRY(path, env.files.library_path(*file));
    TRY(connection, database.connect());
    auto facts = read_footer(*connection, path);
    if (!facts.ok() && facts.error().kind == ErrorKind::corrupt)
        return damaged(folder + "/" + name, facts.error().message);
    if (!facts.ok()) return facts.error().within(folder + "/" + name);
    if (!*facts) return not_ours(folder, fmt::format("the footer of {} has no facts of questlog, or is damaged", name));

    Snapshot snapshot;
    snapshot.facts = std::move(**facts);
    snapshot.files = {path};
    snapshot.names = {name};
    snapshot.bytes = bytes;
    snapshot.open_files.push_back(std::move(file));
    return snapshot;
}

} // namespace

std::string damage_of(const Error& error) {
    return error.message.substr(0, error.message.find(cure_of_damage));
}

SnapshotStore::SnapshotStore(io::Env env, std::string root, std::shared_ptr<duck::Database> database)
    : env_(env), root_(std::move(root)), database_(std::move(database)) {}

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
