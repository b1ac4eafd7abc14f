#include "kafka/checkpoint.h"

#include "base/checked_text.h"
#include "io/whole_file.h"

namespace questlog::kafka {
namespace {

constexpr TextKind checkpoint_text{"questlog forwarded", 1,
                                   "without it the topic is read from its beginning for what has arrived: remove it"};
constexpr std::string_view log_key = "log = ";
constexpr std::string_view partition_key = "partition = ";

struct Entry {
    std::int32_t partition = 0;
    Arrived last;
};

/// "<partition> <offset of the event> <offset of the record>"
std::optional<Entry> parse_entry(std::string_view line) {
    if (!line.starts_with(partition_key)) return std::nullopt;
    line.remove_prefix(partition_key.size());
    const std::size_t first = line.find(' ');
    const std::size_t second = line.rfind(' ');
    if (first == std::string_view::npos || first == second) return std::nullopt;
    Entry entry;
    if (!parse_number(line.substr(0, first), entry.partition) ||
        !parse_number(line.substr(first + 1, second - first - 1), entry.last.event.value) ||
        !parse_number(line.substr(second + 1), entry.last.record) || entry.last.event.value < 0 ||
        entry.last.record < 0)
        return std::nullopt;
    return entry;
}

} // namespace

std::vector<Offset> Checkpoint::ends() const {
    std::vector<Offset> ends;
    for (const auto& arrived : last) ends.push_back(arrived ? arrived->event.plus(1) : Offset{});
    return ends;
}

Result<std::optional<Checkpoint>> CheckpointFile::read(std::int32_t partitions) {
    TRY(stat, env_.files.stat(path_));
    if (stat.kind == io::Kind::missing) return std::optional<Checkpoint>();
    TRY(text, io::read_text_file(env_.files, path_));
    TRY(lines, decode_checked_text(checkpoint_text, text, path_));
    Checkpoint checkpoint;
    const std::string_view log = take_text_line(lines);
    if (!log.starts_with(log_key)) return damaged_text(checkpoint_text, path_, "it names no log");
    checkpoint.log_id = log.substr(log_key.size());
    checkpoint.last.resize(static_cast<std::size_t>(partitions));
    while (!lines.empty()) {
        const auto entry = parse_entry(take_text_line(lines));
        if (!entry || entry->partition < 0 || entry->partition >= partitions)
            return damaged_text(checkpoint_text, path_, "it has a line that names no partition of the log");
        checkpoint.last[static_cast<std::size_t>(entry->partition)] = entry->last;
    }
    return std::optional(std::move(checkpoint));
}

Status CheckpointFile::write(const Checkpoint& checkpoint) {
    std::string lines = fmt::format("{}{}\n", log_key, checkpoint.log_id);
    for (std::size_t i = 0; i < checkpoint.last.size(); ++i)
        if (const auto& last = checkpoint.last[i])
            lines += fmt::format("{}{} {} {}\n", partition_key, i, last->event, last->record);
    CHECK_OK(env_.files.make_directories(directory_));
    return io::write_file_durably(env_.files, directory_, path_, encode_checked_text(checkpoint_text, lines));
}

} // namespace questlog::kafka
