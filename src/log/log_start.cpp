#include "log/log_start.h"

#include "base/checked_text.h"
#include "io/whole_file.h"
#include "log/log_files.h"
#include "log/segment_index.h"

#include <optional>

namespace questlog::log {

namespace {

constexpr TextKind start_text{"questlog log start", 1,
                              "`questlog log repair` makes it anew, as where the first segment begins"};
constexpr std::string_view start_key = "start = ";

/// The base offset in the name of a segment or of an index.
std::optional<Offset> base_of_file(std::string_view name) {
    if (!name.ends_with(index_file_suffix)) return segment_base_of(name);
    name.remove_suffix(index_file_suffix.size());
    return segment_base_of(std::string(name) + std::string(segment_file_suffix));
}

} // namespace

std::string log_start_file(const std::string& directory) {
    return directory + "/start_offset";
}

Result<Offset> read_log_start(io::Files& files, const std::string& directory) {
    const auto path = log_start_file(directory);
    TRY(stat, files.stat(path));
    if (stat.kind == io::Kind::missing) return Offset{};
    TRY(text, io::read_text_file(files, path));
    TRY(lines, decode_checked_text(start_text, text, path));
    const auto line = take_text_line(lines);
    Offset start;
    if (!line.starts_with(start_key) || !parse_number(line.substr(start_key.size()), start.value) || start.value < 0 ||
        !lines.empty())
        return damaged_text(start_text, path, "it names no offset");
    return start;
}

Status write_log_start(io::Files& files, const std::string& directory, Offset start) {
    return io::write_file_durably(files, directory, log_start_file(directory),
                                  encode_checked_text(start_text, fmt::format("{}{}\n", start_key, start)));
}

Result<PartitionSegments> list_segments(io::Files& files, const std::string& directory) {
    std::optional<Offset> before;
    while (true) {
        TRY(bases, find_segments(files, directory));
        TRY(start, read_log_start(files, directory)); // after the list: what went meanwhile lies below it
        std::erase_if(bases, [start = start](Offset base) { return base < start; });
        if (bases.empty() ? start == Offset{} : bases.front() == start)
            return PartitionSegments{start, std::move(bases)};
        if (before == start)
            return corrupt("{} is missing, {}; {}", segment_file(directory, start),
                           bases.empty() ? std::string("and there is no later one")
                                         : fmt::format("the first there is begins at offset {}", bases.front()),
                           damage_advice);
        before = start; // it moved on beyond all that was listed, or this is the first look: look again
    }
}

Status begin_at(io::Files& files, const std::string& directory, Offset start) {
    TRY(entries, files.list(directory));
    std::erase_if(entries, [&](const io::Entry& entry) {
        return entry.kind != io::Kind::file || base_of_file(entry.name).value_or(start) >= start;
    });
    if (entries.empty()) return {};
    // Before a file goes, or a power cut could leave a log whose first segments are missing for no known reason.
    CHECK_OK(write_log_start(files, directory, start));
    for (const auto& entry : entries) CHECK_OK(files.remove_file(directory + "/" + entry.name));
    return {};
}

} // namespace questlog::log
