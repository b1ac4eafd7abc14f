#include "log/synced_end.h"

#include <fmt/format.h>

namespace questlog::log {

namespace {

std::string lost_events_file(const std::string& directory) {
    return directory + "/lost_events";
}

/// nullopt where the file is missing, or was being made when the power failed: then nothing depends on it yet.
Result<std::optional<std::uint64_t>> read_word(io::Files& files, const std::string& path) {
    TRY(stat, files.stat(path));
    if (stat.size < static_cast<std::int64_t>(sizeof(std::uint64_t))) return std::optional<std::uint64_t>();
    TRY(word, files.map_word(path, io::Open::read));
    return std::optional(word->load());
}

Result<std::unique_ptr<io::SharedWord>> write_word(io::Files& files, const std::string& directory,
                                                   const std::string& path, std::uint64_t value) {
    TRY(word, files.map_word(path, io::Open::create));
    word->store(value);
    CHECK_OK(word->sync());
    CHECK_OK(files.sync_directory(directory));
    return word;
}

} // namespace

std::string synced_end_file(const std::string& directory) {
    return directory + "/synced_end";
}

Result<std::optional<Offset>> read_synced_end(io::Files& files, const std::string& directory) {
    TRY(word, read_word(files, synced_end_file(directory)));
    if (!word) return std::optional<Offset>();
    return std::optional(Offset{static_cast<std::int64_t>(*word)});
}

Result<std::unique_ptr<io::SharedWord>> mark_synced_end(io::Files& files, const std::string& directory, Offset end) {
    return write_word(files, directory, synced_end_file(directory), static_cast<std::uint64_t>(end.value));
}

Status remove_synced_end(io::Files& files, const std::string& directory) {
    const auto path = synced_end_file(directory);
    TRY(stat, files.stat(path));
    if (stat.kind == io::Kind::missing) return {};
    CHECK_OK(files.remove_file(path));
    return files.sync_directory(directory);
}

Result<std::int64_t> read_lost_events(io::Files& files, const std::string& directory) {
    TRY(word, read_word(files, lost_events_file(directory)));
    return static_cast<std::int64_t>(word.value_or(0));
}

Status add_lost_events(io::Files& files, const std::string& directory, std::int64_t events) {
    TRY(before, read_lost_events(files, directory));
    TRY(word, write_word(files, directory, lost_events_file(directory), static_cast<std::uint64_t>(before + events)));
    return {};
}

} // namespace questlog::log
