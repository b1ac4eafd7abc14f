#include "event/json_node.h"
#include "io/whole_file.h"
#include "lake/delta_actions.h"
#include "lake/delta_log.h"
#include "lake/delta_replay.h"
#include "lake/delta_retention.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <span>

/// Checkpoints of a Delta log: one row an action, one column a kind of action, as Parquet. DuckDB reads and writes
/// them.
namespace questlog::lake {
namespace {

/// The columns of a checkpoint, as the protocol has them.
constexpr std::string_view checkpoint_columns =
    "{txn: 'STRUCT(appId VARCHAR, version BIGINT)', "
    "add: 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT, "
    "dataChange BOOLEAN, stats VARCHAR)', "
    "remove: 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN)', "
    "\"metaData\": 'STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options "
    "MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], configuration MAP(VARCHAR, VARCHAR), "
    "createdTime BIGINT)', "
    "protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER)'}";

/// No line of a checkpoint is longer than its metadata.
constexpr std::int64_t line_bytes_max = 64 * 1024 * 1024;

} // namespace

/// nullopt also where it is damaged: what the folder lists tells more.
std::optional<std::int64_t> DeltaLog::hinted_checkpoint() const {
    const auto text = io::read_text_file(env_.files, fmt::format("{}/{}", folder_, last_checkpoint_name));
    const auto hint = text.ok() ? event::parse_json(*text) : std::nullopt;
    const event::JsonNode* version = hint ? hint->find("version") : nullptr;
    if (version == nullptr || version->kind != event::JsonNode::Kind::integer) return std::nullopt;
    return version->integer;
}

Result<DeltaState> DeltaLog::read_checkpoint(duck::Connection& connection, std::int64_t version) const {
    const std::string path = path_of(version, checkpoint_suffix);
    const auto damaged = [&](const std::string& found) {
        Error error = corrupt("{} does not read ({})", path, found);
        // Listed, and gone with its table when DuckDB came to open it.
        if (found.find("No files found that match") != std::string::npos) error.system_errno = ENOENT;
        return error;
    };
    TRY(readable, env_.files.library_path_of(path));
    const auto rows = connection.query_as_text(
        fmt::format("SELECT to_json(action) FROM {} AS action", duck::read_parquet({readable.path})));
    if (!rows.ok()) return damaged(rows.error().message);
    DeltaReplay replay(table_);
    while (true) {
        const auto count = (*rows)->next();
        if (!count.ok()) return damaged(count.error().message);
        if (*count == 0) break;
        for (std::size_t row = 0; row < *count; ++row) {
            const Status added = replay.add_checkpoint_row(version, (*rows)->varchar(0, row));
            if (!added.ok() && added.error().kind == ErrorKind::corrupt) return damaged(added.error().message);
            CHECK_OK(added);
        }
    }
    if (!replay.has_metadata()) return damaged("it names no columns");
    DeltaState state = std::move(replay).finish();
    state.durable_version = version; // of what is durable alone a checkpoint is made
    return state;
}

/// The lines as Parquet, in `scratch_file`, with what `older` selects of a checkpoint before the first file. Read back,
/// so that nothing gets a name that could not be opened.
Result<DeltaLog::Copied> DeltaLog::copy_checkpoint(duck::Connection& connection, const std::string& lines,
                                                   const std::string& older, const std::string& scratch_file) const {
    TRY(actions, temporary());
    const auto copy = [&]() -> Status {
        TRY(file, env_.files.open(actions, io::Open::create_new));
        CHECK_OK(file->write_at(0, std::as_bytes(std::span(lines))));
        TRY(readable, env_.files.library_path(*file));
        const std::string rows =
            fmt::format("(SELECT * FROM read_json({}, format = 'newline_delimited', maximum_object_size = {}, "
                        "columns = {}))",
                        duck::quote_literal(readable), line_bytes_max, checkpoint_columns);
        std::string select = "SELECT * FROM " + rows;
        if (!older.empty()) {
            TRY(types, connection.query(fmt::format("SELECT (SELECT typeof(a) FROM ({}) AS a LIMIT 1) = "
                                                    "(SELECT typeof(a) FROM {} AS a LIMIT 1)",
                                                    older, rows)));
            TRY(count, types->next());
            if (count != 1 || types->is_null(0, 0) || !types->boolean(0, 0))
                return internal("the older checkpoint is another program's");
            select = fmt::format("{0} WHERE add.path IS NULL UNION ALL {1} UNION ALL {0} WHERE add.path IS NOT NULL",
                                 select, older);
        }
        return connection.execute(fmt::format("COPY ({}) TO {} (FORMAT parquet, USE_TMP_FILE false)", select,
                                              duck::quote_literal(scratch_file)));
    };
    const Status copied = copy();
    static_cast<void>(env_.files.remove_file(actions)); // what stays is swept with the folder
    CHECK_OK(copied);
    TRY(rows, connection.query(fmt::format("SELECT count(add.path) + count(txn.appId) + count(remove.path) + "
                                           "count(protocol.minReaderVersion) + count(\"metaData\".id), "
                                           "count(add.path), count(*) FROM {}",
                                           duck::read_parquet({scratch_file}))));
    TRY(count, rows->next());
    const Copied made = count == 1 ? Copied{rows->bigint(0, 0), rows->bigint(1, 0)} : Copied{};
    const std::int64_t written = std::count(lines.begin(), lines.end(), '\n');
    if (count != 1 || made.actions != rows->bigint(2, 0) ||
        (older.empty() ? made.actions != written : made.actions <= written))
        return internal("a checkpoint of {} actions reads as {}", written, made.actions);
    return made;
}

/// Of a state that let go of files: these are copied from the newest checkpoint, which has all but the latest. DuckDB
/// passes them through, so that it takes no more memory for more of them. An error: that does not go.
Result<DeltaLog::Copied> DeltaLog::copy_after_older(duck::Connection& connection, const DeltaState& state,
                                                    std::int64_t tombstones_from_ms,
                                                    const std::string& scratch_file) const {
    const auto older = hinted_checkpoint();
    if (!older || *older >= state.version) return internal("there is no older checkpoint");
    DeltaState since = state;
    since.version = *older;
    since.files.clear();
    DeltaReplay replay(table_, std::move(since));
    CHECK_OK(add_later_commits(state.version, replay));
    if (replay.version() != state.version || replay.takes_all_files())
        return internal("another program has done something to files");
    TRY(readable, env_.files.library_path_of(path_of(*older, checkpoint_suffix)));
    TRY(ids, connection.query(fmt::format("SELECT \"metaData\".id FROM {} WHERE \"metaData\".id IS NOT NULL",
                                          duck::read_parquet({readable.path}))));
    TRY(count, ids->next());
    if (count != 1 || ids->varchar(0, 0) != state.metadata.id)
        return internal("the older checkpoint is another table's");
    return copy_checkpoint(connection, encode_checkpoint(std::move(replay).finish(), tombstones_from_ms),
                           fmt::format("SELECT * FROM {} WHERE add.path IS NOT NULL OR remove.deletionTimestamp >= {}",
                                       duck::read_parquet({readable.path}), tombstones_from_ms),
                           scratch_file);
}

Result<DeltaLog::Copied> DeltaLog::copy_let_go(duck::Connection& connection, const DeltaState& state,
                                               std::int64_t tombstones_from_ms, const std::string& scratch_file) const {
    const std::int64_t files = state.files_let_go + static_cast<std::int64_t>(state.files.size());
    auto copied = copy_after_older(connection, state, tombstones_from_ms, scratch_file);
    if (copied.ok() && copied->files == files) return copied;
    static_cast<void>(env_.files.remove_tree(scratch_file));
    TRY(all, open_up_to(state.version, connection));
    if (!all || all->metadata.id != state.metadata.id || all->version != state.version ||
        static_cast<std::int64_t>(all->files.size()) != files)
        return internal("{} does not read as version {} with {} files", folder_, state.version, files);
    return copy_checkpoint(connection, encode_checkpoint(*all, tombstones_from_ms), {}, scratch_file);
}

Status DeltaLog::checkpoint(duck::Connection& connection, const DeltaState& state,
                            const std::string& scratch_file) const {
    io::Files& files = env_.files;
    CHECK_OK(make_durable(state));
    const std::int64_t from_ms = env_.clock.wall_ms().value - tombstone_retention_ms(state.metadata.configuration);
    const auto copied = state.files_let_go > 0
                            ? copy_let_go(connection, state, from_ms, scratch_file)
                            : copy_checkpoint(connection, encode_checkpoint(state, from_ms), {}, scratch_file);
    if (!copied.ok()) {
        static_cast<void>(files.remove_tree(scratch_file)); // COPY may have left a part of it
        return copied.error();
    }
    TRY(made, temporary());
    CHECK_OK(files.adopt(scratch_file, made));
    std::int64_t bytes = 0;
    {
        TRY(file, files.open(made, io::Open::write));
        CHECK_OK(file->sync_data());
        TRY(size, file->size());
        bytes = size;
    }
    CHECK_OK(files.rename(made, path_of(state.version, checkpoint_suffix)));
    CHECK_OK(files.sync_directory(folder_));
    CHECK_OK(replace_durably(fmt::format("{}/{}", folder_, last_checkpoint_name),
                             fmt::format("{{\"version\":{},\"size\":{},\"sizeInBytes\":{},\"numOfAddFiles\":{}}}",
                                         state.version, copied->actions, bytes, copied->files)));
    static_cast<void>(clean(state)); // what stays goes with the next checkpoint
    return {};
}

/// By any number of writers at a time.
Status DeltaLog::replace_durably(const std::string& path, std::string_view bytes) const {
    TRY(unnamed, temporary());
    {
        TRY(file, env_.files.open(unnamed, io::Open::create_new));
        CHECK_OK(file->write_at(0, std::as_bytes(std::span(bytes))));
        CHECK_OK(file->sync_data());
    }
    CHECK_OK(env_.files.rename(unnamed, path));
    return env_.files.sync_directory(folder_);
}

/// Deletes what is older than the newest checkpoint that all kept versions can be read by.
Status DeltaLog::clean(const DeltaState& state) const {
    const auto retention_ms = log_retention_ms(state.metadata.configuration);
    if (!retention_ms) return {};
    const std::int64_t from_ms = env_.clock.wall_ms().value - *retention_ms;
    TRY(listed, versions());
    std::vector<std::int64_t>& checkpoints = listed.checkpoints;
    if (!checkpoints.empty()) checkpoints.pop_back(); // one could be lost, and the one before must lead to the end
    std::int64_t first_kept = 0;
    for (; !checkpoints.empty(); checkpoints.pop_back()) {
        TRY(commit, env_.files.stat(path_of(checkpoints.back(), commit_suffix)));
        if (commit.kind == io::Kind::file && commit.modified.value > from_ms) continue;
        first_kept = checkpoints.back();
        checkpoints.pop_back();
        break;
    }
    // In their order: see open_by_hint().
    for (const std::int64_t version : listed.commits)
        if (version < first_kept) CHECK_OK(env_.files.remove_file(path_of(version, commit_suffix)));
    for (const std::int64_t version : checkpoints)
        CHECK_OK(env_.files.remove_file(path_of(version, checkpoint_suffix)));
    return {};
}

} // namespace questlog::lake
