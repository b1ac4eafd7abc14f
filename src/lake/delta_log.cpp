#include "lake/delta_log.h"

#include "base/checked_text.h"
#include "io/whole_file.h"
#include "lake/delta_actions.h"
#include "lake/delta_replay.h"
#include "lake/generations.h"

#include <cerrno>
#include <fmt/format.h>
#include <limits>

namespace questlog::lake {
namespace {

constexpr std::size_t version_digits = 20;
constexpr std::int64_t any_version = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view cure =
    "restore it from a backup, or make the table anew from the log with `questlog rebuild`";

/// The version in a file's name that has the suffix.
std::optional<std::int64_t> version_of(std::string_view name, std::string_view suffix) {
    std::int64_t version = 0;
    if (name.size() != version_digits + suffix.size() || !name.ends_with(suffix) ||
        !parse_number(name.substr(0, version_digits), version))
        return std::nullopt;
    return version;
}

} // namespace

DeltaLog::DeltaLog(io::Env env, std::string folder, std::string staging)
    : env_(env), table_(std::move(folder)), folder_(table_ + "/_delta_log"), staging_(std::move(staging)) {}

std::string DeltaLog::path_of(std::int64_t version, std::string_view suffix) const {
    return fmt::format("{}/{:0{}}{}", folder_, version, version_digits, suffix);
}

Result<bool> DeltaLog::is_there(std::int64_t version, std::string_view suffix) const {
    TRY(found, env_.files.stat(path_of(version, suffix)));
    return found.kind == io::Kind::file;
}

/// Whether the log still reaches back to the version, so that one after it can only be new.
Result<bool> DeltaLog::keeps(std::int64_t version) const {
    TRY(has_commit, is_there(version, commit_suffix));
    return has_commit ? true : is_there(version, checkpoint_suffix);
}

Result<DeltaLog::Versions> DeltaLog::versions() const {
    TRY(entries, env_.files.list(folder_));
    Versions versions;
    for (const io::Entry& entry : entries) {
        if (const auto commit = version_of(entry.name, commit_suffix)) versions.commits.push_back(*commit);
        if (const auto checkpoint = version_of(entry.name, checkpoint_suffix))
            versions.checkpoints.push_back(*checkpoint);
    }
    return versions;
}

Result<std::string> DeltaLog::temporary() const {
    TRY(present, env_.files.stat(staging_));
    if (present.kind == io::Kind::missing) CHECK_OK(env_.files.make_directories(staging_));
    return fmt::format("{}/{}", staging_, random_uuid(env_.entropy));
}

Result<std::optional<DeltaState>> DeltaLog::open(duck::Connection& connection) const {
    return open_up_to(any_version, connection);
}

/// As of the version `last`, or of the latest before it.
Result<std::optional<DeltaState>> DeltaLog::open_up_to(std::int64_t last, duck::Connection& connection) const {
    TRY(present, env_.files.stat(folder_));
    if (present.kind == io::Kind::missing) return std::optional<DeltaState>{};
    if (const auto version = hinted_checkpoint())
        if (auto state = open_by_hint(*version, last, connection); state.ok()) return std::optional(std::move(*state));
    return open_by_listing(last, connection);
}

/// An error: it takes a listing to tell what is there.
Result<DeltaState> DeltaLog::open_by_hint(std::int64_t version, std::int64_t last, duck::Connection& connection) const {
    if (version > last) return internal("the checkpoint is newer than what is asked for");
    TRY(state, read_checkpoint(connection, version));
    DeltaReplay replay(table_, std::move(state));
    CHECK_OK(add_later_commits(last, replay));
    // Commits are deleted in their order, and the latest ones never: where the last one found is there, there is no
    // later one that follows a gap.
    TRY(is_there_still, is_there(replay.version(), commit_suffix));
    if (!is_there_still) return internal("the checkpoint is older than the log");
    return std::move(replay).finish();
}

Result<std::optional<DeltaState>> DeltaLog::open_by_listing(std::int64_t last, duck::Connection& connection) const {
    TRY(listed, versions());
    for (auto* of_kind : {&listed.commits, &listed.checkpoints})
        std::erase_if(*of_kind, [&](std::int64_t version) { return version > last; });
    DeltaState state;
    Status unread; // why the latest checkpoint does not read
    for (; !listed.checkpoints.empty() && state.version < 0; listed.checkpoints.pop_back()) {
        auto read = read_checkpoint(connection, listed.checkpoints.back());
        if (read.ok())
            state = std::move(*read);
        else if (read.error().kind == ErrorKind::reject || read.error().system_errno == ENOENT)
            return read.error();
        else if (unread.ok())
            unread = read.error();
    }
    DeltaReplay replay(table_, std::move(state));
    for (const std::int64_t version : listed.commits) {
        if (version <= replay.version()) continue;
        if (version != replay.version() + 1)
            return corrupt("{} is missing, and later ones are there{}; {}",
                           path_of(replay.version() + 1, commit_suffix),
                           unread.ok() ? "" : ", and the checkpoint does not read: " + unread.error().message, cure);
        CHECK_OK(add_commit(version, replay));
    }
    if (replay.version() < 0 && !unread.ok()) return corrupt("{}; {}", unread.error().message, cure);
    if (replay.version() < 0) return std::optional<DeltaState>{};
    return std::optional(std::move(replay).finish());
}

Status DeltaLog::refresh(duck::Connection& connection, DeltaState& state) const {
    TRY(has_more, is_there(state.version + 1, commit_suffix));
    if (has_more) {
        DeltaReplay replay(table_, state);
        CHECK_OK(add_later_commits(any_version, replay));
        if (!replay.takes_all_files()) {
            state = std::move(replay).finish();
            return {};
        }
    } else {
        if (state.version < 0) return {};
        TRY(is_kept, keeps(state.version));
        if (is_kept) return {};
    }
    TRY(opened, open(connection));
    state = opened ? std::move(*opened) : DeltaState{};
    return {};
}

Status DeltaLog::add_later_commits(std::int64_t last, DeltaReplay& replay) const {
    while (replay.version() < last) {
        TRY(has_more, is_there(replay.version() + 1, commit_suffix));
        if (!has_more) return {};
        CHECK_OK(add_commit(replay.version() + 1, replay));
    }
    return {};
}

Status DeltaLog::add_commit(std::int64_t version, DeltaReplay& replay) const {
    const std::string path = path_of(version, commit_suffix);
    TRY(text, io::read_text_file(env_.files, path));
    const Status added = replay.add_commit(version, text);
    if (!added.ok() && added.error().kind == ErrorKind::corrupt)
        return corrupt("{} is damaged ({}); {}", path, added.error().message, cure);
    return added;
}

Result<std::vector<DeltaSchemaChange>> DeltaLog::history() const {
    std::vector<DeltaSchemaChange> changes;
    TRY(listed, versions());
    for (const std::int64_t version : listed.commits) {
        const auto text = io::read_text_file(env_.files, path_of(version, commit_suffix));
        if (!text.ok() && version == listed.commits.back()) return text.error(); // the table has moved
        if (!text.ok()) continue; // it was deleted meanwhile, as old ones are
        DeltaSchemaChange change{version, 0, {}};
        for (std::string_view rest = *text; !rest.empty();) {
            const auto action = event::parse_json(take_text_line(rest));
            if (!action) continue;
            if (const event::JsonNode* info = action->find("commitInfo"))
                change.committed_ms = info->integer_of("timestamp");
            const event::JsonNode* node = action->find("metaData");
            if (node == nullptr) continue;
            DeltaMetadata metadata;
            CHECK_OK(read_schema(node->string_of("schemaString"), table_, metadata));
            change.columns = std::move(metadata.columns);
        }
        const bool is_change = !change.columns.empty() && (changes.empty() || changes.back().columns != change.columns);
        if (is_change) changes.push_back(std::move(change));
    }
    return changes;
}

/// So that no power cut leaves a gap before what is committed next.
Status DeltaLog::make_durable(const DeltaState& state) const {
    for (const std::int64_t version : state.unsynced) {
        TRY(is_there_still, is_there(version, commit_suffix));
        if (!is_there_still) continue;
        TRY(file, env_.files.open(path_of(version, commit_suffix), io::Open::read));
        CHECK_OK(file->sync_data());
    }
    return state.durable_version < state.version ? env_.files.sync_directory(folder_) : Status();
}

Result<bool> DeltaLog::commit(DeltaState& state, DeltaCommit commit) const {
    const std::int64_t now = env_.clock.wall_ms().value;
    if (!state.metadata.unwritable.empty())
        return reject("{} was changed by another program, and questlog cannot write to it any more: {}; undo that "
                      "change, or make the table anew from the log with `questlog rebuild`",
                      table_, state.metadata.unwritable);
    if (const auto only = state.metadata.configuration.find("delta.appendOnly");
        !commit.remove.empty() && only != state.metadata.configuration.end() && only->second == "true")
        return reject("{} has the property delta.appendOnly: no files can be removed from it", table_);
    if (!commit.remove.empty() && state.files_let_go > 0)
        return internal("files are to be removed from {}, and not all are known", table_);
    if (state.version < 0) {
        if (!commit.metadata) return internal("the first commit of {} names no columns", table_);
        commit.metadata->id = random_uuid(env_.entropy);
        commit.metadata->created_ms = now;
        CHECK_OK(env_.files.make_directories(folder_));
    } else {
        TRY(is_kept, keeps(state.version));
        if (!is_kept) return false; // the state is so old that its successor may have been deleted
        if (commit.metadata) CHECK_OK(complete(*commit.metadata, state.metadata));
    }
    CHECK_OK(make_durable(state));
    TRY(unnamed, temporary());
    const auto is_new = io::write_new_file_durably(env_.files, folder_, path_of(state.version + 1, commit_suffix),
                                                   encode_commit(commit, now), unnamed);
    if (!is_new.ok()) static_cast<void>(env_.files.remove_file(unnamed));
    if (!is_new.ok() || !*is_new) return is_new;
    apply_commit(commit, now, state);
    state.durable_version = ++state.version;
    state.unsynced.clear();
    return true;
}

/// What stays as it is when columns or configuration change.
Status DeltaLog::complete(DeltaMetadata& metadata, const DeltaMetadata& before) const {
    metadata.id = before.id;
    metadata.created_ms = before.created_ms;
    metadata.description = before.description;
    return before.schema.empty() ? Status()
                                 : read_schema(schema_text(metadata.columns, before.schema), table_, metadata);
}

} // namespace questlog::lake
