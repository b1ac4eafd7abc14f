#include "lake/replay_records.h"

#include "base/checked_text.h"
#include "base/offset_spans.h"
#include "io/whole_file.h"

#include <algorithm>
#include <fmt/format.h>

namespace questlog::lake {
namespace {

constexpr TextKind replays_text{"questlog replayed dead letters", 1,
                                "restore it from a backup; without it a dead letter may be sent again twice"};

/// "done = 0 4 7-9": a partition and its spans.
void append(std::string& lines, std::string_view key, const DeadLetterSpans& all) {
    for (const auto& [partition, spans] : all) {
        lines += fmt::format("{} = {} {}\n", key, partition, spans_text(spans));
    }
}

std::string_view take_word(std::string_view& line) {
    const std::string_view word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(word.size() + 1, line.size()));
    return word;
}

bool parse(std::string_view line, DeadLetterSpans& all) {
    Partition partition;
    if (!parse_number(take_word(line), partition.value)) return false;
    auto spans = parse_spans(line);
    if (!spans) return false;
    all[partition] = std::move(*spans);
    return true;
}

bool parse(std::string_view line, std::vector<Offset>& offsets) {
    while (!line.empty())
        if (!parse_number(take_word(line), offsets.emplace_back().value)) return false;
    return true;
}

} // namespace

bool has(const DeadLetterSpans& spans, Partition partition, Offset offset) {
    const auto of_partition = spans.find(partition);
    if (of_partition == spans.end()) return false;
    const auto after = std::upper_bound(of_partition->second.begin(), of_partition->second.end(), offset,
                                        [](Offset wanted, const OffsetSpan& span) { return wanted < span.from; });
    return after != of_partition->second.begin() && offset < std::prev(after)->to;
}

void add(DeadLetterSpans& all, Partition partition, Offset offset) {
    if (has(all, partition, offset)) return;
    std::vector<OffsetSpan>& spans = all[partition];
    auto after = std::upper_bound(spans.begin(), spans.end(), offset,
                                  [](Offset wanted, const OffsetSpan& span) { return wanted < span.from; });
    const bool extends = after != spans.begin() && std::prev(after)->to == offset;
    const bool precedes = after != spans.end() && after->from == offset.plus(1);
    if (extends && precedes) {
        std::prev(after)->to = after->to;
        spans.erase(after);
    } else if (extends) {
        std::prev(after)->to = offset.plus(1);
    } else if (precedes) {
        after->from = offset;
    } else {
        spans.insert(after, {offset, offset.plus(1)});
    }
}

ReplayRecords::ReplayRecords(io::Env env, std::string lake_root, std::string log_id)
    : env_(env), lake_root_(std::move(lake_root)), log_id_(std::move(log_id)),
      directory_(fmt::format("{}/.landing/{}", lake_root_, log_id_)) {}

Result<Replays> ReplayRecords::read() const {
    const std::string path = directory_ + "/replayed";
    TRY(present, env_.files.stat(path));
    Replays replays;
    if (present.kind == io::Kind::missing) return replays;
    TRY(text, io::read_text_file(env_.files, path));
    TRY(lines, decode_checked_text(replays_text, text, path));
    while (!lines.empty()) {
        const std::string_view line = take_text_line(lines);
        const std::size_t equals = line.find(" = ");
        const std::string_view key = line.substr(0, equals);
        const std::string_view value = equals == std::string_view::npos ? std::string_view() : line.substr(equals + 3);
        const bool is_right = key == "done"        ? parse(value, replays.done)
                              : key == "under_way" ? parse(value, replays.under_way)
                                                   : key == "since" && parse(value, replays.since);
        if (!is_right) return damaged_text(replays_text, path, "they are no dead letters");
    }
    return replays;
}

Status ReplayRecords::write(const Replays& replays) {
    std::string lines;
    append(lines, "done", replays.done);
    append(lines, "under_way", replays.under_way);
    if (!replays.since.empty()) {
        lines += "since =";
        for (const Offset offset : replays.since) lines += fmt::format(" {}", offset);
        lines += '\n';
    }
    CHECK_OK(env_.files.make_directories(directory_));
    return io::write_file_durably(env_.files, directory_, directory_ + "/replayed",
                                  encode_checked_text(replays_text, lines));
}

Result<std::unique_ptr<io::Lock>> ReplayRecords::lock(std::chrono::milliseconds wait) {
    const std::string folder = lake_root_ + "/.locks";
    CHECK_OK(env_.files.make_directories(folder));
    return env_.files.lock(fmt::format("{}/replay-{}.lock", folder, log_id_), 0, io::Files::Share::exclusive, wait);
}

} // namespace questlog::lake
