#include "lake/delta_log.h"

#include "base/checked_text.h"
#include "io/whole_file.h"
#include "lake/delta_actions.h"
#include "lake/generations.h"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

namespace questlog::lake {
namespace {

constexpr std::size_t version_digits = 20;
constexpr std::string_view commit_suffix = ".json";
constexpr std::string_view checkpoint_suffix = ".checkpoint.parquet";

/// The version in a file's name that has the suffix.
std::optional<std::int64_t> version_of(std::string_view name, std::string_view suffix) {
    std::int64_t version = 0;
    if (name.size() != version_digits + suffix.size() || !name.ends_with(suffix) ||
        !parse_number(name.substr(0, version_digits), version))
        return std::nullopt;
    return version;
}

/// The versions that a listing of the log's folder names, ascending.
struct Versions {
    std::vector<std::int64_t> commits;
    std::vector<std::int64_t> checkpoints;
};

Versions versions_of(const std::vector<io::Entry>& entries) {
    Versions versions;
    for (const io::Entry& entry : entries) {
        if (const auto commit = version_of(entry.name, commit_suffix)) versions.commits.push_back(*commit);
        if (const auto checkpoint = version_of(entry.name, checkpoint_suffix))
            versions.checkpoints.push_back(*checkpoint);
    }
    return versions;
}

} // namespace

DeltaLog::DeltaLog(io::Env env, std::string folder, std::string staging)
    : env_(env), table_(std::move(folder)), folder_(table_ + "/_delta_log"), staging_(std::move(staging)) {}

std::string DeltaLog::path_of(std::int64_t version, std::string_view suffix) const {
    return fmt::format("{}/{:0{}}{}", folder_, version, version_digits, suffix);
}

Result<std::string> DeltaLog::temporary() const {
    CHECK_OK(env_.files.make_directories(staging_));
    return fmt::format("{}/{}", staging_, random_uuid(env_.entropy));
}

Result<std::optional<DeltaState>> DeltaLog::open(duck::Connection& connection) const {
    TRY(present, env_.files.stat(folder_));
    if (present.kind == io::Kind::missing) return std::optional<DeltaState>{};
    TRY(entries, env_.files.list(folder_));
    Versions versions = versions_of(entries);
    DeltaState state;
    Status unread; // why the latest checkpoint does not read
    for (; !versions.checkpoints.empty(); versions.checkpoints.pop_back()) {
        const std::int64_t version = versions.checkpoints.back();
        state = {};
        const Status read = read_checkpoint(connection, path_of(version, checkpoint_suffix), state);
        if (!read.ok() && read.error().kind == ErrorKind::reject) return read.error();
        if (read.ok() && !state.metadata.columns.empty()) {
            state.version = version;
            break;
        }
        if (unread.ok() && !read.ok()) unread = read;
        state = {};
    }
    for (const std::int64_t version : versions.commits) {
        if (version <= state.version) continue;
        if (version != state.version + 1)
            return corrupt(
                "{} is missing, and later ones are there{}; restore it from a backup, or make the table anew "
                "from the log with `questlog rebuild`",
                path_of(state.version + 1, commit_suffix),
                unread.ok() ? "" : ", and the checkpoint does not read: " + unread.error().message);
        CHECK_OK(read_commit(version, state));
    }
    if (state.version < 0) return std::optional<DeltaState>{};
    return std::optional(std::move(state));
}

Status DeltaLog::refresh(DeltaState& state) const {
    while (true) {
        TRY(next, env_.files.stat(path_of(state.version + 1, commit_suffix)));
        if (next.kind == io::Kind::missing) return {};
        CHECK_OK(read_commit(state.version + 1, state));
    }
}

Status DeltaLog::read_commit(std::int64_t version, DeltaState& state) const {
    const std::string path = path_of(version, commit_suffix);
    TRY(text, io::read_text_file(env_.files, path));
    const auto damaged = [&] {
        return corrupt("{} is damaged; restore it from a backup, or make the table anew from the log with `questlog "
                       "rebuild`",
                       path);
    };
    if (text.empty()) return damaged();
    // A file that another one replaces is removed first, whatever the order of the lines.
    const std::size_t tombstones = state.tombstones.size();
    std::vector<event::JsonNode> adds;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = take_text_line(rest);
        if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        auto action = event::parse_json(line);
        if (!action) return damaged();
        if (action->find("add") != nullptr)
            adds.push_back(std::move(*action));
        else
            CHECK_OK(apply_action(*action, table_, state));
    }
    drop_removed(state, tombstones);
    for (const event::JsonNode& add : adds) CHECK_OK(apply_action(add, table_, state));
    state.version = version;
    return {};
}

Result<bool> DeltaLog::commit(DeltaState& state, DeltaCommit commit) const {
    const std::int64_t now = env_.clock.wall_ms().value;
    if (commit.metadata) {
        commit.metadata->id = state.version < 0 ? random_uuid(env_.entropy) : state.metadata.id;
        commit.metadata->created_ms = state.version < 0 ? now : state.metadata.created_ms;
    }
    CHECK_OK(env_.files.make_directories(folder_));
    TRY(unnamed, temporary());
    TRY(is_new, io::write_new_file_durably(env_.files, folder_, path_of(state.version + 1, commit_suffix),
                                           encode_commit(commit, now), unnamed));
    if (!is_new) return false;
    apply_commit(commit, now, state);
    ++state.version;
    return true;
}

} // namespace questlog::lake
