#include "base/checked_text.h"
#include "base/crc32c.h"
#include "io/whole_file.h"
#include "lake/landing_records.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <span>
#include <utility>

/// The message ids of cuts, a file each. All numbers little-endian:
///
///   8  "QLids 2\n"     8  the latest of their times, ms      8  how many
///   then for each, in order of offsets:  8  high and  8  low half of its hash,  8  offset,  8  time, ms
///   4  CRC-32C of everything before
///
/// What was written at first is read as well:
///
///   8  "QLids 1\n"     8  offset of the first      8  its time, ms      8  how many
///   then for each, in order of offsets:  8  high and  8  low half of its hash,  4  offset and  4  ms after the first
///   4  CRC-32C of everything before
namespace questlog::lake {
namespace {

struct Layout {
    std::string_view magic;
    std::size_t header_bytes;
    std::size_t count_at;
    std::size_t entry_bytes;
};
constexpr Layout first_layout{"QLids 1\n", 32, 24, 24};
constexpr Layout present_layout{"QLids 2\n", 24, 16, 32};
constexpr std::size_t latest_at = 8; ///< Of the present layout.
constexpr std::size_t crc_bytes = 4;
constexpr std::string_view suffix = ".ids";

template <class Int> void append(std::string& out, Int value) {
    char bytes[sizeof(Int)];
    std::memcpy(bytes, &value, sizeof(Int));
    out.append(bytes, sizeof(Int));
}

template <class Int> Int number_at(std::string_view bytes, std::size_t at) {
    Int value{};
    std::memcpy(&value, bytes.data() + at, sizeof(Int));
    return value;
}

const Layout& layout_of(std::string_view bytes) {
    return bytes.starts_with(first_layout.magic) ? first_layout : present_layout;
}

std::size_t count_of(std::string_view bytes) {
    return static_cast<std::size_t>(number_at<std::uint64_t>(bytes, layout_of(bytes).count_at));
}

event::IdSighting entry_of(std::string_view bytes, std::size_t number) {
    const Layout& layout = layout_of(bytes);
    const std::size_t at = layout.header_bytes + number * layout.entry_bytes;
    const event::MessageHash id{number_at<std::uint64_t>(bytes, at), number_at<std::uint64_t>(bytes, at + 8)};
    if (&layout == &present_layout)
        return {id, Offset{number_at<std::int64_t>(bytes, at + 16)},
                TimestampMs{number_at<std::int64_t>(bytes, at + 24)}};
    return {id, Offset{number_at<std::int64_t>(bytes, 8)}.plus(number_at<std::uint32_t>(bytes, at + 16)),
            TimestampMs{number_at<std::int64_t>(bytes, 16)}.plus(number_at<std::uint32_t>(bytes, at + 20))};
}

/// Of ids of which there are some. Times go back where another producer's do, so it need not be the last one's.
TimestampMs latest_of(std::string_view bytes) {
    if (&layout_of(bytes) == &present_layout) return {number_at<std::int64_t>(bytes, latest_at)};
    TimestampMs latest = entry_of(bytes, 0).time;
    for (std::size_t i = 1; i < count_of(bytes); ++i) latest = std::max(latest, entry_of(bytes, i).time);
    return latest;
}

bool is_whole(std::string_view bytes) {
    const Layout& layout = layout_of(bytes);
    if (!bytes.starts_with(layout.magic) || bytes.size() < layout.header_bytes + crc_bytes) return false;
    const std::size_t end = bytes.size() - crc_bytes;
    return crc32c(bytes.substr(0, end)) == number_at<std::uint32_t>(bytes, end) &&
           (end - layout.header_bytes) / layout.entry_bytes == count_of(bytes);
}

/// The file's bytes, which are what someone wrote.
Result<std::string> read_checked(io::Files& files, const std::string& path) {
    TRY(bytes, io::read_text_file(files, path));
    if (!is_whole(bytes))
        return corrupt("{}: the message ids of a landed stretch are damaged; `questlog land --once` writes them anew "
                       "from the log",
                       path);
    return bytes;
}

std::string ids_name(Offset from) {
    return fmt::format("{:0{}}{}", from.value, offset_digits, suffix);
}

struct KnownCut {
    Offset from;
    bool has_ids = false; ///< Most have none any more.
};

/// Those below `below`, in order.
std::vector<KnownCut> cuts_among(const std::vector<io::Entry>& entries, Offset below) {
    std::vector<KnownCut> cuts;
    for (const io::Entry& entry : entries) { // by name: in order
        const std::string_view name = entry.name;
        Offset from;
        if (name.size() <= offset_digits || !parse_number(name.substr(0, offset_digits), from.value)) continue;
        const std::string_view what = name.substr(offset_digits);
        if (from >= below || (what != suffix && what != ".plan")) continue;
        if (cuts.empty() || cuts.back().from != from) cuts.push_back({from});
        cuts.back().has_ids = cuts.back().has_ids || what == suffix;
    }
    return cuts;
}

bool is_missing(const Error& error) {
    return error.system_errno == ENOENT;
}

/// Ids of a cut as the file says, unchecked.
struct Summary {
    std::string path;
    std::int64_t count = 0; ///< 0: it is damaged.
    TimestampMs latest; ///< When the latest of them came: by its time, or when they were landed, if this is earlier.
};

Result<Summary> summary_of(io::Files& files, std::string path) {
    TRY(file, files.open(path, io::Open::read));
    std::array<char, present_layout.header_bytes> head{};
    TRY(got, file->read_at(0, std::as_writable_bytes(std::span(head))));
    std::string bytes(head.data(), got);
    if (bytes.starts_with(first_layout.magic)) {
        TRY(all, io::read_text_file(files, path));
        bytes = is_whole(all) ? std::move(all) : std::string();
    }
    if (bytes.size() < head.size() || count_of(bytes) == 0) return Summary{std::move(path), 0, {}};
    TRY(stat, files.stat(path));
    return Summary{std::move(path), static_cast<std::int64_t>(count_of(bytes)),
                   std::min(latest_of(bytes), stat.modified)};
}

} // namespace

Status LandingRecords::write_ids(Offset from, const std::vector<event::IdSighting>& ids) {
    const auto latest = std::ranges::max_element(ids, {}, &event::IdSighting::time);
    std::string bytes(present_layout.magic);
    bytes.reserve(present_layout.header_bytes + ids.size() * present_layout.entry_bytes + crc_bytes);
    append(bytes, latest->time.value);
    append(bytes, static_cast<std::uint64_t>(ids.size()));
    for (const auto& [id, offset, time] : ids) {
        append(bytes, id.high);
        append(bytes, id.low);
        append(bytes, offset.value);
        append(bytes, time.value);
    }
    append(bytes, crc32c(bytes));
    CHECK_OK(env_.files.make_directories(directory_));
    return io::write_file_durably(env_.files, directory_, directory_ + "/" + ids_name(from), bytes);
}

Result<std::int64_t> LandingRecords::ids_of(Offset from) const {
    const std::string path = directory_ + "/" + ids_name(from);
    TRY(present, env_.files.stat(path));
    if (present.kind == io::Kind::missing) return 0;
    const auto bytes = read_checked(env_.files, path);
    if (bytes.ok()) return static_cast<std::int64_t>(count_of(*bytes));
    if (bytes.error().kind == ErrorKind::corrupt) return 0;
    return bytes.error();
}

Status LandingRecords::visit_ids(Offset below, TimestampMs time, const SightingSink& sink,
                                 const MissingIds& missing) const {
    TRY(present, env_.files.stat(directory_));
    if (present.kind == io::Kind::missing) return {};
    TRY(entries, env_.files.list(directory_));
    const std::vector<KnownCut> cuts = cuts_among(entries, below);
    bool is_in_window = false;
    for (std::size_t i = 0; i < cuts.size(); ++i) {
        const Offset to = i + 1 < cuts.size() ? cuts[i + 1].from : below;
        const bool may_miss = missing.visit && to > missing.from;
        if (!cuts[i].has_ids && !may_miss) continue;
        const auto bytes = read_checked(env_.files, directory_ + "/" + ids_name(cuts[i].from));
        if (!bytes.ok()) {
            const bool is_damaged = bytes.error().kind == ErrorKind::corrupt;
            if (!is_missing(bytes.error()) && !(is_damaged && missing.visit)) return bytes.error();
            if (!may_miss) continue; // too old, or forgotten meanwhile
            TRY(were_there, visit_missing(cuts[i].from, missing, sink));
            is_in_window = is_in_window || were_there;
            continue;
        }
        const std::size_t count = count_of(*bytes);
        is_in_window = is_in_window || (count > 0 && latest_of(*bytes) >= time);
        if (!is_in_window) continue;
        for (std::size_t n = 0; n < count; ++n) {
            const event::IdSighting id = entry_of(*bytes, n);
            if (id.offset < below) sink(id);
        }
    }
    return {};
}

/// Whether the cut has ids.
Result<bool> LandingRecords::visit_missing(Offset from, const MissingIds& missing, const SightingSink& sink) const {
    TRY(cut, cut_at(from));
    if (!cut || cut->ids == 0) return false;
    CHECK_OK(missing.visit(*cut, sink));
    return true;
}

Status LandingRecords::forget_ids(const event::RepeatWindow& window) {
    TRY(present, env_.files.stat(directory_));
    if (present.kind == io::Kind::missing) return {};
    TRY(entries, env_.files.list(directory_));
    std::vector<Summary> summaries;
    std::int64_t after = 0; // ids of later cuts
    for (const io::Entry& entry : entries) {
        if (!entry.name.ends_with(suffix)) continue;
        TRY(summary, summary_of(env_.files, directory_ + "/" + entry.name));
        if (summary.count == 0) continue; // damaged: who needs it tells
        after += summary.count;
        summaries.push_back(std::move(summary));
    }
    const std::int64_t time = window.time.count() + window.time.count() / 8;
    const std::int64_t ids = window.ids + window.ids / 8;
    for (const Summary& summary : summaries) {
        after -= summary.count;
        if (summaries.back().latest.minus(summary.latest) <= time && after <= ids) break;
        CHECK_OK(env_.files.remove_file(summary.path));
    }
    return {};
}

} // namespace questlog::lake
