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
        fmt::format("SELECT to_json(action) FROM read_parquet({}) AS action", duck::quote_literal(readable.path)));
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

/// The lines as Parquet, in `scratch_file`; read back, so that nothing gets a name that could not be opened.
Status DeltaLog::copy_checkpoint(duck::Connection& connection, const std::string& lines,
                                 const std::string& scratch_file) const {
    TRY(actions, temporary());
    const auto copy = [&]() -> Status {
        TRY(file, env_.files.open(actions, io::Open::create_new));
        CHECK_OK(file->write_at(0, std::as_bytes(std::span(lines))));
        TRY(readable, env_.files.library_path(*file));
        return connection.execute(fmt::format(
            "COPY (SELECT * FROM read_json({}, format = 'newline_delimited', maximum_object_size = {}, columns = {})) "
            "TO {} (FORMAT parquet, USE_TMP_FILE false)",
            duck::quote_literal(readable), line_bytes_max, checkpoint_columns, duck::quote_literal(scratch_file)));
    };
    const Status copied = copy();
    static_cast<void>(env_.files.remove_file(actions)); // what stays is swept with the folder
    CHECK_OK(copied);
    TRY(rows, connection.query(fmt::format("SELECT count(add.path) + count(txn.appId) + count(remove.path) + "
                                           "count(protocol.minReaderVersion) + count(\"metaData\".id) "
                                           "FROM read_parquet({})",
                                           duck::quote_literal(scratch_file))));
    TRY(count, rows->next());
    const std::int64_t expected = std::count(lines.begin(), lines.end(), '\n');
    if (count != 1 || rows->bigint(0, 0) != expected)
        return internal("a checkpoint of {} actions reads as {}", expected, count == 1 ? rows->bigint(0, 0) : 0);
    return {};
}

Status DeltaLog::checkpoint(duck::Connection& connection, const DeltaState& state,
                            const std::string& scratch_file) const {
    io::Files& files = env_.files;
    CHECK_OK(make_durable(state));
    const std::int64_t now = env_.clock.wall_ms().value;
    const std::string lines = encode_checkpoint(state, now - tombstone_retention_ms(state.metadata.configuration));
    if (const Status copied = copy_checkpoint(connection, lines, scratch_file); !copied.ok()) {
        static_cast<void>(files.remove_tree(scratch_file)); // COPY may have left a part of it
        return copied;
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
                                         state.version, std::count(lines.begin(), lines.end(), '\n'), bytes,
                                         state.files.size())));
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
