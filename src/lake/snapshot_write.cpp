#include "io/lock_error.h"
#include "lake/facts.h"
#include "lake/footer.h"
#include "lake/generations.h"
#include "lake/parquet_copy.h"
#include "lake/snapshot.h"
#include "lake/table_path.h"

#include <utility>

namespace questlog::lake {
namespace {

/// A folder inside a table would be swapped away with it.
Status check_not_inside_a_table(io::Files& files, const std::string& root, const std::string& path) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        const std::string outer = path.substr(0, slash);
        TRY(success, files.stat(root + "/" + outer + "/_SUCCESS"));
        if (success.kind != io::Kind::missing)
            return reject("table path '{}' lies inside the table '{}', which is replaced as a whole: choose a path "
                          "beside it",
                          path, outer);
    }
    return {};
}

/// Runs COPY into `file` and reads back what it wrote, so that nothing is swapped in that could not be opened.
Result<SnapshotFacts> write_parquet(duck::Connection& connection, const std::string& select, const SnapshotFacts& facts,
                                    const std::string& file) {
    std::vector<duck::ResultColumn> columns;
    {
        TRY(none, connection.query(fmt::format("SELECT * FROM ({}) LIMIT 0", select)));
        columns = none->columns();
    }
    const Status copied = connection.execute(
        fmt::format("COPY ({}) TO {} (FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION V1, ROW_GROUP_SIZE 122880, "
                    "USE_TMP_FILE false{}, {})",
                    select, duck::quote_literal(file), dictionary_option(columns.size()),
                    footer_option(facts_text(facts, columns))));
    if (!copied.ok()) return copied.error();
    auto written = read_footer(connection, file);
    if (!written.ok() || !*written)
        return internal("what was written does not read back ({})",
                        written.ok() ? "no facts in its footer" : written.error().message);
    return std::move(**written);
}

} // namespace

TableWriter::TableWriter(SnapshotStore& store, std::string path, std::unique_ptr<Generations> generations,
                         std::unique_ptr<io::Lock> lock)
    : store_(store), path_(std::move(path)), generations_(std::move(generations)), lock_(std::move(lock)) {}
TableWriter::~TableWriter() = default;
TableWriter::TableWriter(TableWriter&&) noexcept = default;

Result<TableWriter> SnapshotStore::writer(const std::string& path) {
    CHECK_OK(check_table_path(path));
    CHECK_OK(check_not_inside_a_table(env_.files, root_, path));
    CHECK_OK(env_.files.make_directories(root_ + "/.locks"));
    const std::string lock_file = Generations::lock_file(root_, escaped_table_path(path));
    auto lock = env_.files.lock(lock_file, 0, io::Files::Share::exclusive, std::chrono::milliseconds::zero());
    if (!lock.ok()) {
        if (!io::is_held_by_another(lock.error())) return lock.error();
        return lock.error().within(
            fmt::format("table {} is being written by another job; run this one when it is done", path));
    }
    auto generations = std::make_unique<Generations>(env_, root_, path);
    CHECK_OK(generations->recover());
    return TableWriter(*this, path, std::move(generations), std::move(lock).value());
}

Status TableWriter::check_replaceable(const OverwriteOptions& options) {
    const auto present = store_.open(path_);
    if (present.ok() || present.error().kind == ErrorKind::corrupt) return {};
    return present.error().kind == ErrorKind::reject && options.force ? Status() : Status(present.error());
}

/// What keeps a generation from being staged, for a person.
Error TableWriter::not_staged(const Error& error) const {
    if (!is_full_disk(error)) return error.within("table " + path_);
    return retry_later("no room for the new {} ({}): the table is as it was; free space under {} and run the job again",
                       path_, error.message, store_.root_);
}

Result<Landed> TableWriter::swap_in(Landed landed, const std::string& staged) {
    CHECK_OK(generations_->swap_in(staged));
    generations_->retire(staged);
    return landed;
}

Result<Landed> TableWriter::overwrite(duck::Connection& connection, const std::string& select, SnapshotFacts facts,
                                      const OverwriteOptions& options) {
    io::Env env = store_.env_;
    CHECK_OK(check_replaceable(options));
    const std::string uuid = random_uuid(env.entropy);
    TRY(scratch_file, store_.scratch_file(uuid));

    const auto stage = [&]() -> Result<std::pair<Landed, std::string>> {
        Landed landed;
        TRY(written, write_parquet(connection, select, facts, scratch_file));
        if (options.accept) CHECK_OK(options.accept(written));
        landed.facts = std::move(written);
        landed.name = fmt::format("part-00000-{}-c000.snappy.parquet", uuid);
        TRY(staged, generations_->stage(scratch_file, uuid, landed.name));
        TRY(stat, env.files.stat(staged + "/" + landed.name));
        landed.bytes = stat.size;
        return std::pair(std::move(landed), std::move(staged));
    };
    auto staged = stage();
    if (!staged.ok()) {
        static_cast<void>(env.files.remove_tree(scratch_file)); // COPY may have left a part of it
        return not_staged(staged.error());
    }
    return swap_in(std::move(staged->first), staged->second);
}

Result<SnapshotFacts> SnapshotStore::overwrite(const std::string& path, duck::Connection& connection,
                                               const std::string& select, SnapshotFacts facts,
                                               const OverwriteOptions& options) {
    TRY(table, writer(path));
    TRY(landed, table.overwrite(connection, select, std::move(facts), options));
    return std::move(landed.facts);
}

Result<SnapshotStore::Copy> SnapshotStore::copy(duck::Connection& connection, const std::string& select,
                                                const SnapshotFacts& facts) {
    const std::string uuid = random_uuid(env_.entropy);
    TRY(scratch, scratch_file(uuid));
    const std::string folder = fmt::format("{}/.staging/{}{}", root_, copy_prefix, uuid);
    Copy copy{{}, folder + "/copy.parquet"};
    const auto make = [&]() -> Status {
        TRY(written, write_parquet(connection, select, facts, scratch));
        CHECK_OK(env_.files.make_directories(folder));
        CHECK_OK(env_.files.adopt(scratch, copy.location));
        TRY(path, env_.files.library_path_of(copy.location));
        copy.path = std::move(path);
        return {};
    };
    if (const Status made = make(); !made.ok()) {
        static_cast<void>(env_.files.remove_tree(scratch)); // COPY may have left a part of it
        static_cast<void>(env_.files.remove_tree(folder));
        if (is_full_disk(made.error()))
            return retry_later("no room to make a table again ({}): free space under {}", made.error().message, root_);
        return made.error();
    }
    return copy;
}

Status SnapshotStore::forget(const Copy& copy) {
    return env_.files.remove_tree(copy.location.substr(0, copy.location.rfind('/')));
}

Result<std::string> SnapshotStore::scratch_file(const std::string& name) {
    TRY(directory, scratch_.path());
    return directory + "/" + name;
}

Status SnapshotStore::sweep() {
    TRY(retired, env_.files.stat(root_ + "/.retired"));
    if (retired.kind != io::Kind::directory) return {};
    TRY(tables, env_.files.list(root_ + "/.retired"));
    for (const io::Entry& table : tables) {
        const auto lock = env_.files.lock(Generations::lock_file(root_, table.name), 0, io::Files::Share::exclusive,
                                          std::chrono::milliseconds::zero());
        if (!lock.ok()) continue; // Its writer sweeps.
        CHECK_OK(Generations::sweep_folder(env_, root_ + "/.retired/" + table.name));
    }
    return {};
}

} // namespace questlog::lake
