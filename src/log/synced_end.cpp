#include "log/synced_end.h"

#include "base/crc32c.h"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <span>

namespace questlog::log {

namespace {

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

/// The count, and above it the CRC-32C of its four bytes. 0 as a whole: none, of a file that was just being made.
std::uint64_t with_checksum(std::uint32_t events) {
    return std::uint64_t{crc32c(std::as_bytes(std::span(&events, 1)))} << 32 | events;
}

} // namespace

std::string lost_events_file(const std::string& directory) {
    return directory + "/lost_events";
}

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
    const auto path = lost_events_file(directory);
    TRY(stat, files.stat(path));
    if (stat.size == 0) return std::int64_t{0}; // missing too
    TRY(word, read_word(files, path));
    const auto events = static_cast<std::uint32_t>(word.value_or(0));
    if (word && (*word == 0 || *word == with_checksum(events))) return std::int64_t{events};
    return corrupt("{} is damaged: how many acknowledged events are gone cannot be told; restore it from a backup, or "
                   "let it be counted from zero again with `questlog log repair`",
                   path);
}

Status add_lost_events(io::Files& files, const std::string& directory, std::int64_t events) {
    TRY(before, read_lost_events(files, directory));
    const auto all = std::min<std::int64_t>(before + events, std::numeric_limits<std::uint32_t>::max());
    TRY(word,
        write_word(files, directory, lost_events_file(directory), with_checksum(static_cast<std::uint32_t>(all))));
    return {};
}

} // namespace questlog::log
