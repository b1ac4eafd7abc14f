#include "io/whole_file.h"
#include "lake/delta_actions.h"
#include "lake/delta_log.h"
#include "lake/generations.h"

#include <algorithm>
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
    "\"metaData\": 'STRUCT(id VARCHAR, name VARCHAR, format STRUCT(provider VARCHAR, options MAP(VARCHAR, VARCHAR)), "
    "schemaString VARCHAR, partitionColumns VARCHAR[], configuration MAP(VARCHAR, VARCHAR), createdTime BIGINT)', "
    "protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER)'}";

/// No line of a checkpoint is longer than its metadata.
constexpr std::int64_t line_bytes_max = 64 * 1024 * 1024;

} // namespace

Status DeltaLog::read_checkpoint(duck::Connection& connection, const std::string& path, DeltaState& state) const {
    TRY(readable, env_.files.library_path_of(path));
    const auto damaged = [&](const Error& error) { return corrupt("{} does not read ({})", path, error.message); };
    const auto rows = connection.query_as_text(
        fmt::format("SELECT to_json(action) FROM read_parquet({}) AS action", duck::quote_literal(readable.path)));
    if (!rows.ok()) return damaged(rows.error());
    while (true) {
        const auto count = (*rows)->next();
        if (!count.ok()) return damaged(count.error());
        if (*count == 0) return {};
        for (std::size_t row = 0; row < *count; ++row) {
            const auto action = event::parse_json((*rows)->varchar(0, row));
            if (!action) return corrupt("{} is damaged", path);
            CHECK_OK(apply_action(*action, table_, state));
        }
    }
}

Status DeltaLog::checkpoint(duck::Connection& connection, const DeltaState& state,
                            const std::string& scratch_file) const {
    io::Files& files = env_.files;
    const std::string lines = encode_checkpoint(state, env_.clock.wall_ms().value);
    TRY(actions, temporary());
    const auto copy = [&]() -> Status {
        TRY(file, files.open(actions, io::Open::create_new));
        CHECK_OK(file->write_at(0, std::as_bytes(std::span(lines))));
        TRY(readable, files.library_path(*file));
        return connection.execute(fmt::format(
            "COPY (SELECT * FROM read_json({}, format = 'newline_delimited', maximum_object_size = {}, columns = {})) "
            "TO {} (FORMAT parquet, USE_TMP_FILE false)",
            duck::quote_literal(readable), line_bytes_max, checkpoint_columns, duck::quote_literal(scratch_file)));
    };
    const Status copied = copy();
    CHECK_OK(files.remove_file(actions));
    if (!copied.ok()) {
        static_cast<void>(files.remove_tree(scratch_file));
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
    CHECK_OK(files.rename(made, path_of(state.version, ".checkpoint.parquet")));
    CHECK_OK(files.sync_directory(folder_));
    // For other readers, who need not list the folder then.
    return io::write_file_durably(files, folder_, folder_ + "/_last_checkpoint",
                                  fmt::format("{{\"version\":{},\"size\":{},\"sizeInBytes\":{}}}", state.version,
                                              std::count(lines.begin(), lines.end(), '\n'), bytes));
}

} // namespace questlog::lake
